package csp

import "strings"

// Delivered is a policy as a page got it.
type Delivered struct {
	Value       string // of one header line, where commas separate policies, or of one meta element
	Disposition Disposition
	Meta        bool // in a meta element: no report-only, and some directives do not count
}

// List is every policy of a page, parsed. It never changes and is safe for concurrent use.
type List struct {
	byMode [4][]Policy // enforced ones first; modes that read the text alike share them
}

// NewList parses policies as each mode does, the enforced ones first and each group in the order given. Policies without a
// directive vanish. https://www.w3.org/TR/CSP3/#parse-response-csp
func NewList(delivered ...Delivered) *List {
	l := &List{}
	odd := false
	for _, d := range delivered {
		odd = odd || d.Meta && strings.Contains(d.Value, ",") || strings.ContainsFunc(d.Value, func(r rune) bool { return r < ' ' || r >= 0x7f })
	}
	for m := range l.byMode {
		if m > 0 && !odd {
			l.byMode[m] = l.byMode[0]
			continue
		}
		for _, disposition := range []Disposition{Enforce, Report} {
			l.byMode[m] = parseAll(l.byMode[m], delivered, disposition, &quirksOf[m])
		}
	}
	return l
}

func parseAll(out []Policy, delivered []Delivered, disposition Disposition, q *quirks) []Policy {
	for _, d := range delivered {
		if d.Disposition != disposition || d.Meta && disposition == Report {
			continue
		}
		if d.Meta && !q.metaCommaSplits {
			out = appendPolicy(out, d.Value, d, q)
			continue
		}
		for text := range strings.SplitSeq(d.Value, ",") {
			out = appendPolicy(out, text, d, q)
		}
	}
	return out
}

func appendPolicy(out []Policy, text string, d Delivered, q *quirks) []Policy {
	p := parseWith(text, q)
	if d.Meta {
		for _, name := range []string{"report-uri", "frame-ancestors", "sandbox"} {
			p = p.Remove(name)
		}
	}
	if p.Disposition = d.Disposition; len(p.Directives) > 0 {
		out = append(out, p)
	}
	return out
}

// Policies returns the policies as a mode reads them, the enforced ones first. Strictest and Laxest give the text's reading.
func (l *List) Policies(m Mode) []Policy {
	return l.byMode[m.reading()]
}
