package cspcase

import (
	"fmt"
	"strings"

	"github.com/merlon-sec/merlon/csp"
)

func (c *Case) parse(m csp.Mode) map[string]any {
	if c.Expression != nil {
		return map[string]any{"expression": expression(csp.ParseSource(*c.Expression))}
	}
	policies := []map[string]any{}
	for _, p := range c.list().Policies(m) {
		directives := []map[string]any{}
		for _, d := range p.Directives {
			directives = append(directives, map[string]any{"name": d.Name, "value": append([]string{}, d.Value...)})
		}
		policies = append(policies, map[string]any{"disposition": p.Disposition.String(), "directives": directives})
	}
	return map[string]any{"policies": policies}
}

func expression(s csp.Source) map[string]any {
	switch s.Kind {
	case csp.None:
		return map[string]any{"type": "none"}
	case csp.Keyword:
		return map[string]any{"type": "keyword", "keyword": s.Word}
	case csp.NonceSource:
		return map[string]any{"type": "nonce", "value": s.Word}
	case csp.HashSource:
		return map[string]any{"type": "hash", "algorithm": s.Scheme, "value": s.Word}
	case csp.SchemeSource:
		return map[string]any{"type": "scheme", "scheme": s.Scheme}
	case csp.HostSource:
		return map[string]any{"type": "host", "scheme": orNil(s.Scheme), "host": s.Host, "port": orNil(s.Port), "path": s.Path}
	}
	return map[string]any{"type": "invalid"}
}

func (c *Case) sourceMatch(m csp.Mode) (map[string]any, error) {
	u, err := urlOf("url", c.URL)
	if err != nil {
		return nil, err
	}
	var list []csp.Source
	for _, w := range strings.FieldsFunc(c.SourceList, func(r rune) bool { return strings.ContainsRune(" \t\n\f\r", r) }) {
		list = append(list, csp.ParseSource(w))
	}
	return map[string]any{"matches": m.Match(list, &u, c.page.Origin(), int(c.Redirects))}, nil
}

func (c *Case) request(m csp.Mode) (map[string]any, error) {
	l, self := c.list(), c.page.Origin()
	if c.Check == "upgrade" {
		u, err := urlOf("url", c.URL)
		if err != nil {
			return nil, err
		}
		return map[string]any{"url": l.Upgrade(m, u).String()}, nil
	}
	d, err := c.requestDecision(m, l, self)
	if err != nil {
		return nil, err
	}
	return result(d), nil
}

// requestDecision is about a page of the origin self, which for the trigger of a report is that of the case around it.
func (c *Case) requestDecision(m csp.Mode, l *csp.List, self csp.Origin) (d csp.Decision, err error) {
	if c.Check == "webrtc" { // which has no URL
		return l.WebRTC(m), nil
	}
	text := c.URL
	if c.CurrentURL != nil {
		text = *c.CurrentURL
	}
	u, err := urlOf("url", text)
	if err != nil {
		return d, err
	}
	switch c.Check {
	case "base-uri":
		return l.Base(m, self, &u), nil
	case "navigate":
		return c.navigate(m, l, self, &u)
	case "":
	default:
		return d, fmt.Errorf("check %q decides nothing", c.Check)
	}
	r := csp.Request{URL: u, Redirects: int(c.Redirects), Destination: c.Destination, Initiator: c.Initiator, Nonce: c.Nonce, Integrity: c.Integrity,
		ParserInserted: c.Parser, WebTransportHashes: c.CertHashes}
	if c.ResponseURL == nil {
		return l.Request(m, self, &r), nil
	}
	from, err := urlOf("response_url", *c.ResponseURL)
	if err != nil {
		return d, err
	}
	return l.Fetch(m, self, &r, &from), nil
}

func (c *Case) navigate(m csp.Mode, l *csp.List, self csp.Origin, to *csp.URL) (csp.Decision, error) {
	switch {
	case c.Navigation == "form-submission":
		first, err := urlOf("url", c.URL)
		return l.FollowForm(m, self, &first, to, int(c.Redirects)), err
	case to.Scheme == "javascript":
		return l.Inline(m, &csp.Inline{Type: csp.InlineNavigation, Content: to.String()}), nil
	}
	return csp.Decision{Mode: m}, nil
}

func (c *Case) inline(m csp.Mode) map[string]any { return result(c.inlineDecision(m, c.list())) }

func (c *Case) inlineDecision(m csp.Mode, l *csp.List) csp.Decision {
	return l.Inline(m, &csp.Inline{Type: csp.InlineType(c.InlineType), Content: c.Content, Element: c.Element.Name,
		Nonce: c.Element.Nonce, Attributes: c.Element.Attributes, Duplicate: c.Element.Duplicate, ParserInserted: c.Element.Parser})
}

func (c *Case) eval(m csp.Mode) map[string]any { return result(c.evalDecision(m, c.list())) }

func (c *Case) evalDecision(m csp.Mode, l *csp.List) csp.Decision {
	switch c.Check {
	case "js":
		trust := csp.Untyped
		if c.Trusted != nil && *c.Trusted {
			trust = csp.TrustedScript
		} else if c.Trusted != nil {
			trust = csp.PlainString
		}
		return l.Eval(m, c.Content, trust)
	case "wasm":
		return l.Wasm(m)
	case "tt-policy":
		return l.TrustedTypesPolicy(m, c.Name, c.Created)
	}
	return l.TrustedTypesSink(m, c.Sink, c.Content)
}

func (c *Case) frame(m csp.Mode) map[string]any {
	v := c.list().Frame(m, c.page, c.frames, c.XFO)
	got := result(v.Decision)
	got["by"] = orNil(v.By)
	return got
}

func (c *Case) effective(m csp.Mode) map[string]any {
	switch c.Check {
	case "sandbox":
		return sandbox(c.list().Sandbox(m))
	case "sandbox-worker":
		return result(c.list().Worker(m))
	}
	name := m.EffectiveDirective(c.Destination, c.Initiator)
	if c.InlineType != "" {
		name = csp.EffectiveInlineDirective(csp.InlineType(c.InlineType))
	}
	got := map[string]any{"directive": orNil(name), "fallback": []string{}}
	if name != "" && name != "default-src" { // of hints, which no fallback list decides about
		got["fallback"] = csp.Fallbacks(name)
	}
	if c.Policy != nil {
		got["governing"] = orNil(governing(c.list().Policies(m), name))
	}
	return got
}

// governing is the name of the directive that decides, in the first policy.
func governing(policies []csp.Policy, name string) string {
	if len(policies) == 0 {
		return ""
	}
	for _, n := range csp.Fallbacks(name) {
		if _, ok := policies[0].Get(n); ok {
			return n
		}
	}
	return ""
}

func sandbox(s csp.Sandbox) map[string]any {
	top := "none"
	switch {
	case s.Allows("allow-top-navigation"):
		top = "all"
	case s.Allows("allow-top-navigation-by-user-activation"):
		top = "user-activation"
	}
	return map[string]any{
		"sandboxed": s.Sandboxed, "scripts": s.Allows("allow-scripts"), "automatic_features": s.Allows("allow-scripts"), "forms": s.Allows("allow-forms"),
		"same_origin": s.Allows("allow-same-origin"), "modals": s.Allows("allow-modals"), "pointer_lock": s.Allows("allow-pointer-lock"),
		"orientation_lock": s.Allows("allow-orientation-lock"), "presentation": s.Allows("allow-presentation"), "downloads": s.Allows("allow-downloads"),
		"popups": s.Allows("allow-popups"), "popups_escape": s.Allows("allow-popups-to-escape-sandbox"),
		"storage_access": s.Allows("allow-storage-access-by-user-activation"), "top_navigation": top,
		"custom_protocols": s.Allows("allow-top-navigation-to-custom-protocols"),
	}
}

// subsumes compares; "no" and "cannot tell" come with what they rest on.
func (c *Case) subsumes(m csp.Mode) map[string]any {
	var returned []csp.Delivered
	for _, text := range c.Returned {
		returned = append(returned, csp.Delivered{Value: text})
	}
	cmp := csp.Contains(m, c.page.Origin(), csp.NewList(csp.Delivered{Value: *c.Required}), csp.NewList(returned...))
	got := map[string]any{"subsumes": cmp.Answer == csp.Yes, "answer": cmp.Answer.String(), "witness": nil}
	if cmp.Answer != csp.Yes {
		got["witness"] = map[string]any{"directive": cmp.Witness.Directive, "what": cmp.Witness.Witness}
	}
	return got
}
