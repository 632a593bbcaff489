package starter

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/csp"
)

// policy is a Content-Security-Policy as it was sent, in merlon's words.
type policy struct {
	text      string   // "" if nothing is left of it
	ancestors []string // of frame-ancestors
	frames    bool     // whether it has frame-ancestors
	nonce     bool     // whether it has a nonce
	notes     []note
}

var sentNonce = regexp.MustCompile(`(?i)^'nonce-[^']*'$`)

// readPolicy reads one policy as browsers do. What they skip is left out, so that the rest means the same and passes the
// checks that are made for authors.
func readPolicy(text string) policy {
	var p policy
	var directives []string
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ";") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		name := strings.ToLower(words[0])
		if seen[name] {
			p.say("A second %s is left out: browsers ignore it.", show(name))
			continue
		}
		seen[name] = true
		if d := p.directive(name, words[1:]); d != "" {
			directives = append(directives, d)
		}
	}
	p.text = strings.Join(directives, "; ")
	return p
}

func (p *policy) say(format string, args ...any) {
	p.notes = append(p.notes, note{text: fmt.Sprintf(format, args...)})
}

// directive returns one directive as it is kept, or "".
func (p *policy) directive(name string, words []string) string {
	switch {
	case name == "frame-ancestors":
		p.frames, p.ancestors = true, words
		return ""
	case name == "report-uri" || name == "report-to":
		p.say("%s %s is left out: the gateway collects reports by itself. To send them elsewhere write reports: https://...", name, show(strings.Join(words, " ")))
		return ""
	case csp.HasSources(name):
		return p.sources(name, words)
	}
	for m := range cfgerrors.All(csp.Check(strings.Join(append([]string{name}, words...), " "))) {
		p.say("%s is left out: %s.", show(strings.Join(append([]string{name}, words...), " ")), m.Text)
		return ""
	}
	return strings.Join(append([]string{name}, words...), " ")
}

// sources keeps the sources that browsers know. A list of which nothing is left allows nothing.
func (p *policy) sources(name string, words []string) string {
	kept := make([]string, 0, len(words))
	for _, w := range words {
		if sentNonce.MatchString(w) && takesNonce(name) {
			if p.nonce = true; !slices.Contains(kept, "'nonce'") {
				kept = append(kept, "'nonce'")
			}
			continue
		}
		if why := rejected(name, w); why != "" {
			p.say("%s in %s is left out: %s.", show(w), name, why)
			continue
		}
		kept = append(kept, w)
	}
	if len(kept) > 1 {
		kept = slices.DeleteFunc(kept, func(w string) bool { return strings.EqualFold(w, "'none'") })
	}
	if len(kept) == 0 {
		kept = []string{"'none'"}
	}
	return name + " " + strings.Join(kept, " ")
}

// rejected says why browsers skip a source, or "".
func rejected(directive, source string) string {
	for m := range cfgerrors.All(csp.Check(directive + " " + source)) {
		if m.Hint != "" {
			return m.Text + ", " + m.Hint
		}
		return m.Text
	}
	return ""
}

func takesNonce(directive string) bool {
	return slices.Contains([]string{"default-src", "script-src", "script-src-elem", "style-src", "style-src-elem"}, directive)
}

// readPolicies reads all policies of one kind that a response carries. merlon sends one: the first that says more than framing.
func readPolicies(values []string) policy {
	var all policy
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			one := readPolicy(part)
			all.notes = append(all.notes, one.notes...)
			if one.frames && !all.frames {
				all.frames, all.ancestors = true, one.ancestors
			} else if one.frames {
				all.notes = append(all.notes, note{decide: true, text: "a second frame-ancestors " + show(strings.Join(one.ancestors, " ")) + " is not kept: browsers enforce both, so write under frame what both allow."})
			}
			switch {
			case one.text == "":
			case all.text == "":
				all.text, all.nonce = one.text, one.nonce
			default:
				all.notes = append(all.notes, note{decide: true, text: "a second policy is not kept: " + show(one.text) + ". Browsers enforce both; write into the one what both allow."})
			}
		}
	}
	return all
}

// framing reads X-Frame-Options and frame-ancestors as browsers do, into a value of frame. It is nil where neither says anything.
func framing(options []string, p policy) (value any, notes []note) {
	byOptions, optionNotes := framingOptions(options)
	if !p.frames {
		return byOptions, optionNotes
	}
	value, notes = framingAncestors(p.ancestors)
	if len(options) > 0 && fmt.Sprint(frameText(byOptions)) != fmt.Sprint(frameText(value)) {
		notes = append(notes, note{text: fmt.Sprintf("X-Frame-Options says %s and frame-ancestors says %s: browsers follow frame-ancestors.", show(strings.Join(options, ", ")), show(strings.Join(p.ancestors, " ")))})
	}
	return value, notes
}

// frameText is a value of frame as text, to compare.
func frameText(v any) string {
	if group, ok := v.([]*setting); ok {
		return fmt.Sprint(group[0].value)
	}
	return fmt.Sprint(v)
}

// by is {by: [...]}.
func by(origins ...string) []*setting { return []*setting{{key: "by", value: origins}} }

// https://html.spec.whatwg.org/#the-x-frame-options-header
func framingOptions(values []string) (value any, notes []note) {
	distinct := map[string]bool{}
	for v := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if v = strings.ToLower(strings.Trim(v, " \t")); v != "" {
			distinct[v] = true
		}
	}
	shown := show(strings.Join(values, ", "))
	from, isFrom := "", false
	for v := range distinct {
		if rest, ok := strings.CutPrefix(v, "allow-from"); ok {
			from, isFrom = strings.TrimRight(strings.TrimSpace(rest), "/"), true
		}
	}
	switch {
	case len(distinct) == 0:
		return nil, nil
	case distinct["deny"]:
		return "deny", nil
	case len(distinct) == 1 && distinct["sameorigin"]:
		return "self", nil
	case distinct["sameorigin"]:
		return "deny", []note{{text: "X-Frame-Options says " + shown + ": browsers block where its values contradict each other."}}
	case isFrom && len(distinct) == 1 && from != "":
		return by(from), []note{{decide: true, text: "X-Frame-Options says " + shown + ", which browsers ignore: everybody frames these pages now. This is what it means."}}
	}
	return nil, []note{{decide: true, text: "X-Frame-Options says " + shown + ", which browsers ignore: everybody frames these pages now."}}
}

func framingAncestors(words []string) (value any, notes []note) {
	var origins []string
	for _, w := range words {
		word := strings.ToLower(w)
		switch {
		case word == "'none'" && len(words) == 1:
			return "deny", nil
		case word == "*":
			return "off", []note{{decide: true, text: "frame-ancestors says *: everybody may frame these pages. Write who must."}}
		case word == "'self'":
			origins = append(origins, "self")
		case strings.HasSuffix(word, ":") || strings.Contains(word, ":*"):
			notes = append(notes, note{decide: true, text: "frame-ancestors says " + show(w) + ", which frame cannot: it takes origins. Those who frame these pages by it are blocked until they are named."})
		case strings.Contains(word, "://"):
			origins = append(origins, strings.TrimRight(word, "/"))
		case word != "'none'":
			origins = append(origins, "https://"+strings.TrimRight(word, "/"))
		}
	}
	switch {
	case len(origins) == 1 && origins[0] == "self":
		return "self", notes
	case len(origins) == 0:
		return "deny", notes
	}
	return by(origins...), notes
}
