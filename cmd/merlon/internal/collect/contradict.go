package collect

import (
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/csp"
)

// contradicts reports whether the policy in a report allows, by the specification and in every browser, what the report says it did not.
// It answers only where the policy alone decides: not about framing, of which reports do not tell all ancestors, not about Trusted Types,
// and not about loads whose kind the directive does not tell.
func (e *event) contradicts(req *request) bool {
	p := e.policy
	if p == nil || p.list == nil || e.document == nil {
		return false
	}
	switch e.blocked {
	case "inline":
		return p.allowsInline(e.directive)
	case "eval":
		d := p.list.Eval(csp.Strictest, "", csp.Untyped)
		return !d.Blocked
	case "wasm-eval":
		d := p.list.Wasm(csp.Strictest)
		return !d.Blocked
	}
	return e.allowsBlocked(req.site)
}

// allowsBlocked asks about a URL. What the policy says depends on neither the query of the URL nor the path of the document, so that it is
// asked once for all reports that differ in those alone.
func (e *event) allowsBlocked(site *hosts) bool {
	if e.blockedAt == nil {
		return e.allowsURL()
	}
	q := question{e.policy, e.blockedAt, e.document.origin, e.directive}
	allows, known := site.allowed.get(q)
	if !known {
		allows = e.allowsURL()
		site.allowed.put(q, allows)
	}
	return allows
}

func (e *event) allowsURL() bool {
	u, ok := e.blockedURL()
	return ok && e.policy.allowsURL(e.directive, csp.ParseOrigin(e.document.origin), &u)
}

// blockedURL returns the URL that was blocked; a bare scheme stands for any of its URLs.
func (e *event) blockedURL() (csp.URL, bool) {
	text := e.blocked
	if e.blockedAt == nil {
		scheme := schemeOf(text)
		if scheme == "" || scheme == "self" {
			return csp.URL{}, false
		}
		text = scheme + ":"
	}
	u, err := csp.ParseURL(text)
	return u, err == nil
}

// destinations are what a directive governs, as Fetch spells it. default-src stands for all of them, in browsers that do not tell more.
func destination(directive string) (string, bool) {
	switch directive {
	case "connect-src":
		return "", true
	case "font-src":
		return "font", true
	case "frame-src", "child-src":
		return "iframe", true
	case "img-src":
		return "image", true
	case "manifest-src":
		return "manifest", true
	case "media-src":
		return "video", true
	case "object-src":
		return "object", true
	case "script-src", "script-src-elem":
		return "script", true
	case "style-src", "style-src-elem":
		return "style", true
	case "worker-src":
		return "worker", true
	}
	return "", false
}

func (p *policy) allowsURL(directive string, self csp.Origin, u *csp.URL) bool {
	var d csp.Decision
	switch directive {
	case "base-uri":
		d = p.list.Base(csp.Strictest, self, u)
	case "form-action":
		d = p.list.SubmitForm(csp.Strictest, self, u, 0)
	default:
		kind, ok := destination(directive)
		if !ok {
			return false
		}
		// A script of the page's own markup is what 'strict-dynamic' does not let through.
		d = p.list.Request(csp.Strictest, self, &csp.Request{URL: *u, Destination: kind, ParserInserted: true})
	}
	return !d.Blocked
}

// allowsInline asks about all that the directive governs. A hash or a nonce in the policy means that some code is not allowed.
func (p *policy) allowsInline(directive string) bool {
	kinds := inlineKinds(directive)
	for _, kind := range kinds {
		in := csp.Inline{Type: kind, Element: "script", ParserInserted: true, Content: "javascript:"}
		if d := p.list.Inline(csp.Strictest, &in); d.Blocked {
			return false
		}
	}
	return len(kinds) > 0
}

func inlineKinds(directive string) []csp.InlineType {
	switch directive {
	case "script-src-elem":
		return []csp.InlineType{csp.InlineScript, csp.InlineNavigation}
	case "script-src-attr":
		return []csp.InlineType{csp.InlineScriptAttribute}
	case "script-src":
		return []csp.InlineType{csp.InlineScript, csp.InlineScriptAttribute, csp.InlineNavigation}
	case "style-src-elem":
		return []csp.InlineType{csp.InlineStyle}
	case "style-src-attr":
		return []csp.InlineType{csp.InlineStyleAttribute}
	case "style-src":
		return []csp.InlineType{csp.InlineStyle, csp.InlineStyleAttribute}
	}
	return nil
}

// contradiction says in words for people how a report of this class can contradict itself, the likely reason first.
func contradiction(class string) string {
	const rest = " It may also come from an extension or a proxy that changes the policy on its way, or be forged: anybody can send a report."
	switch class {
	case store.ClassInline, store.ClassEval, store.ClassWasmEval:
		return "The policy in the report allows the code that it says was blocked. The page may have a second policy that does not, whose report names the wrong one." + rest
	case store.ClassScheme:
		return "The policy in the report allows the scheme that it says was blocked." + rest
	}
	return "The policy in the report allows the address that it says was blocked. The load was probably redirected: browsers name the address before the " +
		"redirect, and what was blocked is where it led. If the policy names paths, the path may not fit, of which some reports do not tell." + rest
}
