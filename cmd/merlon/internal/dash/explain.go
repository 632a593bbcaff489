package dash

import (
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/csp"
)

// explanation is what the engine of package csp says about a report: which directive of the reported policy decides, and why none
// of its words let the thing through.
type explanation struct {
	Policy  string   // as reported
	Asked   string   // the directive that the report names
	Missing []string // more particular directives that the policy does not have
	By      string   // the directive that decides, "" for none
	Value   string   // of that directive
	Judged  bool     // whether the engine could decide about the thing itself
	Allowed bool
	Matched string // the word that lets it through
	Reasons []csp.Reason
}

// Contradicts reports whether the policy in the report allows what the report says was blocked.
func (e explanation) Contradicts() bool { return e.Judged && e.Allowed }

// explain asks the engine about a report of the issue.
func explain(i store.Issue, k kept, text string) *explanation {
	e := &explanation{Policy: text, Asked: k.Directive}
	policy := csp.Parse(text)
	for _, name := range fallbacks(k.Directive) {
		if value, ok := policy.Get(name); ok {
			e.By, e.Value = name, strings.Join(value, " ")
			break
		}
		e.Missing = append(e.Missing, name)
	}
	// Enforced, whatever the report says: the question is what this policy lets through.
	list := csp.NewList(csp.Delivered{Value: text})
	if x, ok := judge(list, i, k); ok && len(x.Policies) > 0 {
		e.judged(x.Policies[0])
	}
	return e
}

func (e *explanation) judged(p csp.PolicyExplanation) {
	e.Judged, e.Allowed, e.Matched, e.Reasons = true, p.Allowed, p.Matched, p.Reasons
}

// fallbacks are the directives that decide for one, itself first.
func fallbacks(name string) []string {
	if chain := csp.Fallbacks(name); len(chain) > 0 {
		return chain
	}
	return []string{name}
}

// judge puts the question to the engine that the browser had to answer, and lets the strictest of the browsers answer. It reports false where the report does not say enough.
func judge(l *csp.List, i store.Issue, k kept) (csp.Explanation, bool) {
	self := csp.ParseOrigin(k.Document)
	switch {
	case k.Directive == "frame-ancestors":
		return judgeFrame(l, i, k)
	case k.Blocked == "inline":
		return judgeInline(l, k)
	case k.Blocked == "eval":
		return l.ExplainEval(csp.Strictest, k.Sample, csp.Untyped), true
	case k.Blocked == "wasm-eval":
		return l.ExplainWasm(csp.Strictest), true
	case strings.HasPrefix(k.Blocked, "trusted-types"):
		return csp.Explanation{}, false // the sample of a sink is cut
	}
	u, err := csp.ParseURL(withColon(k.Blocked))
	if err != nil {
		return csp.Explanation{}, false
	}
	switch k.Directive {
	case "base-uri":
		return l.ExplainBase(csp.Strictest, self, &u), true
	case "form-action":
		return l.ExplainSubmitForm(csp.Strictest, self, &u, 0), true
	}
	destination, ok := destinations()[k.Directive]
	if !ok {
		return csp.Explanation{}, false
	}
	// A script that another one makes passes 'strict-dynamic'. Of the two, the one that is blocked came with the page.
	return l.ExplainRequest(csp.Strictest, self, &csp.Request{URL: u, Destination: destination, ParserInserted: true}), true
}

// withColon makes a URL of a bare scheme, to which browsers cut what is not http.
func withColon(blocked string) string {
	if strings.Contains(blocked, ":") {
		return blocked
	}
	return blocked + ":"
}

// destinations names a kind of load for each directive that a browser reports of loads.
func destinations() map[string]string {
	return map[string]string{
		"script-src": "script", "script-src-elem": "script", "style-src": "style", "style-src-elem": "style", "img-src": "image",
		"font-src": "font", "media-src": "video", "frame-src": "iframe", "child-src": "iframe", "object-src": "object",
		"worker-src": "worker", "manifest-src": "manifest", "connect-src": "",
	}
}

func judgeInline(l *csp.List, k kept) (csp.Explanation, bool) {
	in := csp.Inline{Content: k.Sample, ParserInserted: true}
	switch k.Directive {
	case "script-src", "script-src-elem":
		in.Type, in.Element = csp.InlineScript, "script"
	case "script-src-attr":
		in.Type = csp.InlineScriptAttribute
	case "style-src", "style-src-elem":
		in.Type, in.Element = csp.InlineStyle, "style"
	case "style-src-attr":
		in.Type = csp.InlineStyleAttribute
	default:
		return csp.Explanation{}, false
	}
	return l.ExplainInline(csp.Strictest, &in), true
}

// judgeFrame takes the framing page from the issue: browsers hide it in different places, and the collector knows them.
func judgeFrame(l *csp.List, i store.Issue, k kept) (csp.Explanation, bool) {
	self, err := csp.ParseURL(k.Document)
	if err != nil || i.Blocked == "" || i.Blocked == store.FoldedBlocked {
		return csp.Explanation{}, false
	}
	by := csp.ParseOrigin(i.Blocked)
	if i.Blocked == "self" {
		by = csp.ParseOrigin(k.Document)
	}
	return l.ExplainFrame(csp.Strictest, self, []csp.Origin{by}, nil), true
}
