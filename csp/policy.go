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

// Directive is one directive: a lower-case name and its value, split at white space. Make one with [Policy.Set], which
// also reads the value for decisions.
type Directive struct {
	Name  string
	Value []string

	Pos   int   // byte offset of the name in the parsed text; 0 for directives that were not parsed
	Words []int // byte offsets of the words of Value; nil for directives that were not parsed

	list sourceList // of directives that have sources
}

func newDirective(name string, value []string) Directive {
	d := Directive{Name: name, Value: value}
	if kinds[name] == sources {
		d.list = parseSources(name, value)
	}
	return d
}

// Disposition says whether a policy is enforced or only reported about.
type Disposition uint8

// The dispositions.
const (
	Enforce Disposition = iota
	Report
)

// String returns "enforce" or "report".
func (d Disposition) String() string {
	if d == Report {
		return "report"
	}
	return "enforce"
}

// Policy is one parsed Content-Security-Policy. The zero Policy has no directive and restricts nothing.
type Policy struct {
	Directives  []Directive
	Disposition Disposition
	Oddities    []Oddity // what the parser passed over, in the order of the text
}

// Oddity is something in a policy's text that browsers pass over in silence.
type Oddity struct {
	Kind     OddityKind
	Pos, End int    // byte range in the parsed text
	Text     string // of that range
}

// OddityKind says what is odd.
type OddityKind uint8

// The oddities.
const (
	DuplicateDirective OddityKind = iota // a directive of a name that is there already
	UnknownDirective                     // no browser knows the name
	NotASCII                             // a directive with other bytes, skipped whole
	ControlCharacter                     // a directive with a control character, which browsers skip and the text does not
	DuplicateWord                        // a word that the value has already
	InvalidSource                        // no source expression: it matches nothing
)

// Parse reads one serialized policy as browsers do: names are folded to lower case, of directives with the same name
// the first counts, and tokens with bytes outside ASCII are skipped. It never fails. A comma has no meaning here;
// split a header field at commas first. https://www.w3.org/TR/CSP3/#parse-serialized-policy
func Parse(text string) Policy { return parseWith(text, &quirksOf[Spec]) }

func parseWith(text string, q *quirks) Policy {
	n := strings.Count(text, ";") - strings.Count(text, ";;") + 1
	p := Policy{Directives: make([]Directive, 0, n)} // at full size: growing takes more than linear time
	taken := make(map[string]bool, n)
	for begin := 0; begin <= len(text); {
		end := len(text)
		if n := strings.IndexByte(text[begin:], ';'); n >= 0 {
			end = begin + n
		}
		p.parseDirective(text, begin, end, taken, q)
		begin = end + 1
	}
	return p
}

// parseDirective reads text[begin:end]. Names in taken are decided already.
func (p *Policy) parseDirective(text string, begin, end int, taken map[string]bool, q *quirks) {
	first := nextWord(text, begin, end)
	if first.begin == end {
		return
	}
	name, last := lower(text[first.begin:first.end]), trimEnd(text, first.end, end)
	odd := func(kind OddityKind) {
		p.Oddities = append(p.Oddities, Oddity{kind, first.begin, last, text[first.begin:last]})
	}
	controls := strings.ContainsFunc(text[first.begin:last], func(r rune) bool { return r < ' ' && !isSpace(r) || r == 0x7f })
	switch {
	case !isASCII(text[begin:end]):
		odd(NotASCII)
		taken[name] = taken[name] || q.skippedHolds
		return
	case controls && q.controlDrops:
		odd(ControlCharacter)
		taken[name] = taken[name] || q.controlHolds
		return
	case taken[name]:
		odd(DuplicateDirective)
		return
	case !Known(name):
		odd(UnknownDirective)
	case controls:
		odd(ControlCharacter)
	}
	taken[name] = true
	value, at := p.parseValue(text, first.end, end)
	d := newDirective(name, value)
	d.Pos, d.Words = first.begin, at
	for i := range d.list.sources {
		if s := &d.list.sources[i]; s.Kind == Invalid {
			p.Oddities = append(p.Oddities, Oddity{InvalidSource, at[i], at[i] + len(s.Text), s.Text})
		}
	}
	p.Directives = append(p.Directives, d)
}

// parseValue returns the words and where they are. A value is a set: repeated words drop out.
func (p *Policy) parseValue(text string, begin, end int) (value []string, at []int) {
	n := 0
	for w := nextWord(text, begin, end); w.begin < end; w = nextWord(text, w.end, end) {
		n++
	}
	if n == 0 {
		return nil, nil
	}
	value, at = make([]string, 0, n), make([]int, 0, n)
	var seen map[string]bool // of long values; short ones are looked through
	if n > shortValue {
		seen = make(map[string]bool, n)
	}
	for w := nextWord(text, begin, end); w.begin < end; w = nextWord(text, w.end, end) {
		word := text[w.begin:w.end]
		if seen[word] || seen == nil && slices.Contains(value, word) {
			p.Oddities = append(p.Oddities, Oddity{DuplicateWord, w.begin, w.end, word})
			continue
		}
		if seen != nil {
			seen[word] = true
		}
		value, at = append(value, word), append(at, w.begin)
	}
	return value, at
}

// shortValue is how many words are faster compared than hashed.
const shortValue = 8

type span struct{ begin, end int }

// nextWord finds the next word between white space; it begins at end when there is none.
func nextWord(text string, begin, end int) span {
	for begin < end && isSpace(rune(text[begin])) {
		begin++
	}
	w := span{begin, begin}
	for w.end < end && !isSpace(rune(text[w.end])) {
		w.end++
	}
	return w
}

// trimEnd returns end without the white space before it.
func trimEnd(text string, begin, end int) int {
	for end > begin && isSpace(rune(text[end-1])) {
		end--
	}
	return end
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
			out.Directives[i] = newDirective(name, slices.Clone(value))
			return out
		}
	}
	out.Directives = append(out.Directives, newDirective(name, slices.Clone(value)))
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
	value := slices.DeleteFunc(slices.Clone(governing), func(s string) bool { return equalFold(s, "'none'") })
	for _, s := range sources {
		if !slices.Contains(value, s) {
			value = append(value, s)
		}
	}
	return p.Set(name, value...)
}

// directive returns the directive with that name, or nil.
func (p *Policy) directive(name string) *Directive {
	for i := range p.Directives {
		if p.Directives[i].Name == name {
			return &p.Directives[i]
		}
	}
	return nil
}

// governing returns the directive that decides for name, or nil when none has a say.
func (p *Policy) governing(name string) *Directive {
	if d := p.directive(name); d != nil {
		return d
	}
	for _, n := range fallbacks[name] {
		if d := p.directive(n); d != nil {
			return d
		}
	}
	return nil
}

// Governing returns the value of the directive that decides for name: its own, or that of the first directive in its
// fallback chain which the policy has. ok is false when none has a say.
// https://www.w3.org/TR/CSP3/#directive-fallback-list
func (p Policy) Governing(name string) (value []string, ok bool) {
	if d := p.governing(name); d != nil {
		return d.Value, true
	}
	return nil, false
}

func (p Policy) clone() Policy {
	out := Policy{slices.Clone(p.Directives), p.Disposition, p.Oddities}
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
