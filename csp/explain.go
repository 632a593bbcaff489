package csp

import (
	"fmt"
	"slices"
)

// Explanation is a decision in words a developer understands.
type Explanation struct {
	Decision
	Policies []PolicyExplanation // in the order of the policies; X-Frame-Options comes last
	Differ   []Mode              // browsers whose decision is another than this one
}

// PolicyExplanation is what one policy says, or the X-Frame-Options header.
type PolicyExplanation struct {
	Policy      string
	Disposition Disposition
	Directive   string   // the effective directive; "x-frame-options" for that header
	Missing     []string // directives that would have decided first, had the policy had them
	By          string   // the directive that decides; "" when the policy has no say
	Allowed     bool
	Matched     string   // the word of the directive that lets it through; "" where the directive does not look at such a thing
	Reasons     []Reason // why the other words do not
}

// Reason is why a word of a directive does not let something through.
type Reason struct {
	Word, Why string
}

// question is what an explanation asks of each policy.
type question struct {
	directive string
	refuses   func(p *Policy, by *Directive, q *quirks) bool
	why       func(s *Source, by *Directive, q *quirks) string // "" for a source that lets it through
}

// explain decides in the mode and asks each policy. Strictest and Laxest explain the reading that decided.
func (l *List) explain(m Mode, decide func(Mode) Decision, asked ...question) Explanation {
	e := Explanation{Decision: decide(m)}
	for _, ask := range asked {
		for i := range l.byMode[e.Mode] {
			e.Policies = append(e.Policies, ask.of(&l.byMode[e.Mode][i], &quirksOf[e.Mode]))
		}
	}
	for browser := Chromium; browser <= WebKit; browser++ {
		if d := decide(browser); d.Blocked != e.Blocked {
			e.Differ = append(e.Differ, browser)
		}
	}
	return e
}

func (ask question) of(p *Policy, q *quirks) PolicyExplanation {
	out := PolicyExplanation{Policy: p.String(), Disposition: p.Disposition, Directive: ask.directive, Allowed: true}
	by := p.governing(ask.directive)
	if by == nil {
		return out
	}
	for _, name := range Fallbacks(ask.directive) {
		if name == by.Name {
			break
		}
		out.Missing = append(out.Missing, name)
	}
	out.By, out.Allowed = by.Name, !ask.refuses(p, by, q)
	for i, word := range by.Value {
		s := &Source{Text: word}
		if by.list.sources != nil {
			s = &by.list.sources[i]
		}
		why := ask.why(s, by, q)
		if why == "" && out.Allowed {
			out.Matched = word
			break
		}
		if why != "" && s.is("report-sample") {
			why = "asks for a sample of the code, and allows nothing"
		}
		if why != "" {
			out.Reasons = append(out.Reasons, Reason{word, why})
		}
	}
	return out
}

// ExplainRequest decides as [List.Request] does and says why.
func (l *List) ExplainRequest(m Mode, self Origin, r *Request) Explanation {
	decide := func(m Mode) Decision { return l.Request(m, self, r) }
	name := decide(m).Mode.EffectiveDirective(r.Destination, r.Initiator)
	return l.explain(m, decide, question{
		directive: name,
		refuses: func(p *Policy, _ *Directive, q *quirks) bool {
			u := r.URL.asPoliciesSee(q)
			return p.refuses(name, self, r, &u, q) != nil
		},
		why: func(s *Source, by *Directive, q *quirks) string { return s.whyNotRequest(by, name, self, r, q) },
	})
}

// ExplainInline decides as [List.Inline] does and says why.
func (l *List) ExplainInline(m Mode, in *Inline) Explanation {
	decide := func(m Mode) Decision { return l.Inline(m, in) }
	if in.Type == InlineNavigation {
		return l.explain(m, decide, l.navigationQuestions(decide(m), in)...)
	}
	return l.explain(m, decide, inlineQuestion(in))
}

func inlineQuestion(in *Inline) question {
	return question{
		directive: EffectiveInlineDirective(in.Type),
		refuses:   func(_ *Policy, by *Directive, q *quirks) bool { return !by.list.allowsInline(in, by.Name, q) },
		why:       func(s *Source, by *Directive, q *quirks) string { return s.whyNotInline(by, in, q) },
	}
}

// navigationQuestions asks about a javascript: URL: Trusted Types, where a policy wants them, and then whether it may run as
// inline code, unless something has blocked it before.
func (l *List) navigationQuestions(d Decision, in *Inline) (asked []question) {
	if slices.ContainsFunc(l.byMode[d.Mode], func(p Policy) bool { return p.requiresTrustedTypes() }) {
		asked = append(asked, sinkQuestion)
	}
	directive := EffectiveInlineDirective(in.Type)
	if before := func(v Violation) bool { return v.Disposition == Enforce && v.Directive != directive }; !slices.ContainsFunc(d.Violations(), before) {
		asked = append(asked, inlineQuestion(in))
	}
	return asked
}

// ExplainEval decides as [List.Eval] does and says why.
func (l *List) ExplainEval(m Mode, source string, trust Trust) Explanation {
	decide := func(m Mode) Decision { return l.Eval(m, source, trust) }
	policies := l.byMode[decide(m).Mode]
	required := requireTrustedTypes(policies)
	var asked []question
	if trust == PlainString && slices.ContainsFunc(policies, func(p Policy) bool { return p.requiresTrustedTypes() }) {
		asked = append(asked, sinkQuestion)
	}
	return l.explain(m, decide, append(asked, question{
		directive: "script-src",
		refuses:   func(_ *Policy, by *Directive, _ *quirks) bool { return !by.list.allowsEval(required) },
		why: func(s *Source, _ *Directive, _ *quirks) string {
			switch {
			case s.is("unsafe-eval"), s.is("trusted-types-eval") && required:
				return ""
			case s.is("trusted-types-eval"):
				return "counts only where a policy requires Trusted Types"
			}
			return "says nothing of code made from strings; 'unsafe-eval' would"
		},
	})...)
}

// ExplainWasm decides as [List.Wasm] does and says why.
func (l *List) ExplainWasm(m Mode) Explanation {
	return l.explain(m, l.Wasm, question{
		directive: "script-src",
		refuses:   func(_ *Policy, by *Directive, _ *quirks) bool { return !by.list.unsafeEval && !by.list.wasmEval },
		why: func(s *Source, _ *Directive, _ *quirks) string {
			if s.is("unsafe-eval") || s.is("wasm-unsafe-eval") {
				return ""
			}
			return "says nothing of WebAssembly; 'wasm-unsafe-eval' would"
		},
	})
}

var sinkQuestion = question{
	directive: "require-trusted-types-for",
	refuses:   func(p *Policy, _ *Directive, _ *quirks) bool { return p.requiresTrustedTypes() },
	why:       func(*Source, *Directive, *quirks) string { return "no plain string may get here" },
}

// ExplainTrustedTypesSink decides as [List.TrustedTypesSink] does and says why.
func (l *List) ExplainTrustedTypesSink(m Mode, name, content string) Explanation {
	return l.explain(m, func(m Mode) Decision { return l.TrustedTypesSink(m, name, content) }, sinkQuestion)
}

// ExplainTrustedTypesPolicy decides as [List.TrustedTypesPolicy] does and says why.
func (l *List) ExplainTrustedTypesPolicy(m Mode, name string, created []string) Explanation {
	return l.explain(m, func(m Mode) Decision { return l.TrustedTypesPolicy(m, name, created) }, question{
		directive: "trusted-types",
		refuses:   func(_ *Policy, by *Directive, _ *quirks) bool { return !by.permitsPolicy(name, created) },
		why: func(s *Source, by *Directive, _ *quirks) string {
			switch {
			case s.Text != "*" && !isPolicyName(s.Text):
				return "no name of a policy"
			case s.Text != name && s.Text != "*":
				return fmt.Sprintf("the policy's name is %s", name)
			case !by.permitsPolicy(name, created):
				return "a policy of that name exists; 'allow-duplicates' would let another be made"
			}
			return ""
		},
	})
}

// ExplainBase decides as [List.Base] does and says why.
func (l *List) ExplainBase(m Mode, self Origin, base *URL) Explanation {
	return l.explain(m, func(m Mode) Decision { return l.Base(m, self, base) }, question{
		directive: "base-uri",
		refuses:   func(_ *Policy, by *Directive, q *quirks) bool { return !by.list.match(base, self, 0, q) },
		why:       func(s *Source, by *Directive, q *quirks) string { return s.whyNotURL(by, base, self, 0, q) },
	})
}

// ExplainSubmitForm decides as [List.SubmitForm] does and says why.
func (l *List) ExplainSubmitForm(m Mode, self Origin, to *URL, redirects int) Explanation {
	decide := func(m Mode) Decision { return l.SubmitForm(m, self, to, redirects) }
	asked := []question{{
		directive: "form-action",
		refuses: func(_ *Policy, by *Directive, q *quirks) bool {
			return by.refusesForm(self, submission{to: to, redirects: redirects}, q)
		},
		why: func(s *Source, by *Directive, q *quirks) string { return s.whyNotURL(by, to, self, redirects, q) },
	}}
	if code := to.code(); code != nil {
		asked = append(asked, l.navigationQuestions(decide(m), code)...)
	}
	return l.explain(m, decide, asked...)
}

// ExplainWebRTC decides as [List.WebRTC] does and says why.
func (l *List) ExplainWebRTC(m Mode) Explanation {
	return l.explain(m, l.WebRTC, question{
		directive: "webrtc",
		refuses:   func(_ *Policy, by *Directive, _ *quirks) bool { return !by.permitsWebRTC() },
		why: func(_ *Source, by *Directive, _ *quirks) string {
			if by.permitsWebRTC() {
				return ""
			}
			return "only 'allow' alone lets connections through"
		},
	})
}

// ExplainFrame decides as [List.Frame] does and says why.
func (l *List) ExplainFrame(m Mode, self URL, ancestors []Origin, options []string) Explanation {
	if len(ancestors) == 0 {
		return Explanation{}
	}
	origin := self.Origin()
	e := l.explain(m, func(m Mode) Decision { return l.Frame(m, self, ancestors, options).Decision }, question{
		directive: "frame-ancestors",
		refuses: func(_ *Policy, by *Directive, q *quirks) bool {
			return !localScheme(self.Scheme) && by.list.uncovered(ancestors, origin, q) >= 0
		},
		why: func(s *Source, by *Directive, q *quirks) string {
			decisive := max(by.list.uncovered(ancestors, origin, q), 0)
			return s.whyNotAncestor(by, ancestors[decisive], origin, q)
		},
	})
	if len(options) > 0 {
		e.Policies = append(e.Policies, l.explainOptions(e.Mode, options, l.responseOrigin(e.Mode, self), ancestors))
	}
	return e
}
