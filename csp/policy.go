// Package csp parses, checks and prints Content-Security-Policy (CSP Level 3).
//
// What browsers accept and what an author should write differ: [Parse] reads a policy as browsers do and never
// fails, [Check] reads it as its author and reports everything that a browser would skip or misread.
package csp

import (
	"slices"
	"strings"
)

// MaxBytes bounds a policy's length. Servers and proxies refuse header fields well below it.
const MaxBytes = 64 << 10

// Directive is one directive: a lower-case name and its value, split at white space.
type Directive struct {
	Name  string
	Value []string
}

// Policy is one parsed Content-Security-Policy. The zero Policy has no directive and restricts nothing.
type Policy struct {
	Directives []Directive
}

// Parse reads one serialized policy as browsers do: names are folded to lower case, of directives with the same name
// the first counts, and tokens with bytes outside ASCII are skipped. It never fails. A comma has no meaning here;
// split a header field at commas first. https://www.w3.org/TR/CSP3/#parse-serialized-policy
func Parse(text string) Policy {
	var p Policy
	seen := map[string]bool{}
	for token := range strings.SplitSeq(text, ";") {
		words := strings.FieldsFunc(token, isSpace)
		if len(words) == 0 || !isASCII(token) {
			continue
		}
		name := strings.ToLower(words[0])
		if !seen[name] {
			p.Directives = append(p.Directives, Directive{name, words[1:]})
		}
		seen[name] = true
	}
	return p
}

// Known reports whether browsers know a directive of this lower-case name.
func Known(name string) bool { return kinds[name] != 0 }

// HasSources reports whether the value of the directive with this lower-case name is a source list.
func HasSources(name string) bool { return kinds[name] == sources }

// String prints the policy in its canonical form: directives joined by "; ", words by single spaces.
func (p Policy) String() string {
	texts := make([]string, len(p.Directives))
	for i, d := range p.Directives {
		texts[i] = strings.Join(append([]string{d.Name}, d.Value...), " ")
	}
	return strings.Join(texts, "; ")
}

// Get returns the value of the directive with that name, and whether the policy has it.
func (p Policy) Get(name string) (value []string, ok bool) {
	for _, d := range p.Directives {
		if d.Name == name {
			return d.Value, true
		}
	}
	return nil, false
}

// Set returns a copy of the policy in which the directive has this value. A new directive comes last.
func (p Policy) Set(name string, value ...string) Policy {
	out := p.clone()
	for i, d := range out.Directives {
		if d.Name == name {
			out.Directives[i].Value = slices.Clone(value)
			return out
		}
	}
	out.Directives = append(out.Directives, Directive{name, slices.Clone(value)})
	return out
}

// Remove returns a copy of the policy without the directive.
func (p Policy) Remove(name string) Policy {
	out := p.clone()
	out.Directives = slices.DeleteFunc(out.Directives, func(d Directive) bool { return d.Name == name })
	return out
}

// Append returns a copy of the policy in which the directive also has these sources. An absent directive starts from
// the one that governs it now, by the fallback chain, so that what was allowed stays allowed; a directive that
// nothing governs allows everything already and is not added. 'none' gives way to the new sources.
func (p Policy) Append(name string, sources ...string) Policy {
	governing, ok := p.Governing(name)
	if !ok {
		return p.clone()
	}
	if _, own := p.Get(name); name == "child-src" && !own {
		// A new child-src would govern workers in place of script-src.
		if workers, governed := p.Governing("worker-src"); governed {
			p = p.Set("worker-src", workers...)
		}
	}
	value := slices.DeleteFunc(slices.Clone(governing), func(s string) bool { return strings.EqualFold(s, "'none'") })
	for _, s := range sources {
		if !slices.Contains(value, s) {
			value = append(value, s)
		}
	}
	return p.Set(name, value...)
}

// Governing returns the value of the directive that decides for name: its own, or that of the first directive in its
// fallback chain which the policy has. ok is false when none has a say.
// https://www.w3.org/TR/CSP3/#directive-fallback-list
func (p Policy) Governing(name string) (value []string, ok bool) {
	for _, n := range append([]string{name}, fallbacks[name]...) {
		if v, has := p.Get(n); has {
			return v, true
		}
	}
	return nil, false
}

func (p Policy) clone() Policy {
	out := Policy{slices.Clone(p.Directives)}
	for i, d := range out.Directives {
		out.Directives[i].Value = slices.Clone(d.Value)
	}
	return out
}

// ASCII white space of the Infra standard: unlike unicode.IsSpace it lacks VT and U+0085.
func isSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\f' || r == '\r'
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}
