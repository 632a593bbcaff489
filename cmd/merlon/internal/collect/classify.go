package collect

import (
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// directive returns name if it is a directive that a browser can report.
// The list is closed because the exact counters have a row for each.
func directive(name string) string {
	switch name {
	case "base-uri", "block-all-mixed-content", "child-src", "connect-src", "default-src", "fenced-frame-src", "font-src",
		"form-action", "frame-ancestors", "frame-src", "img-src", "manifest-src", "media-src", "navigate-to", "object-src",
		"plugin-types", "prefetch-src", "require-sri-for", "require-trusted-types-for", "sandbox", "script-src",
		"script-src-attr", "script-src-elem", "style-src", "style-src-attr", "style-src-elem", "trusted-types",
		"upgrade-insecure-requests", "webrtc", "worker-src":
		return name
	}
	return otherWord
}

// classify returns the class and what distinguishes the issue in it.
func (e *event) classify(req *request) (class, blocked string) {
	if e.rep.Violation == nil {
		return e.classifyDetail()
	}
	if e.directive == "frame-ancestors" {
		return store.ClassFrameAncestors, e.framer(req)
	}
	switch e.blocked {
	case "inline":
		return store.ClassInline, e.inline()
	case "eval":
		return store.ClassEval, e.script()
	case "wasm-eval":
		return store.ClassWasmEval, e.script()
	case "trusted-types-sink", "trusted-types-policy":
		return store.ClassTrustedTypes, e.trustedTypes()
	case "self":
		return store.ClassSelf, "self"
	}
	return e.classifyURL()
}

// classifyURL is for what was loaded, of any type of report.
func (e *event) classifyURL() (class, blocked string) {
	switch {
	case e.blockedAt == nil:
		if scheme := schemeOf(e.blocked); scheme != "" {
			return store.ClassScheme, maskWord(scheme) + ":"
		}
		return store.ClassOther, ""
	case e.document == nil || e.blockedAt.origin != e.document.origin:
		return store.ClassOrigin, e.blockedAt.origin
	case e.policy.hasPath(e.directive):
		return store.ClassSelf, "self " + e.blockedAt.route
	}
	return store.ClassSelf, "self"
}

// inline names code that stands in a page: its sample tells more than the place, which is where there is none. The line is part of the
// place only if nothing else is: browsers name the script in one run and not in the next, and lines of pages move.
func (e *event) inline() string {
	switch {
	case e.masked != "":
		return "inline"
	case e.source == "" && e.line > 0:
		return e.route + ":" + strconv.Itoa(e.line)
	}
	return e.script()
}

// trustedTypes names the sink or the policy, and the script that used it.
func (e *event) trustedTypes() string {
	name, _, _ := strings.Cut(e.sample, "|")
	if name = sample(name); name == "" {
		return e.script()
	}
	return name + " in " + e.script()
}

// framer returns the origin of the page that framed the document: "self" for its own, "" if no browser said. Firefox and WebKit
// put it into referrer. Chromium leaves that empty and names the document in all other places, but the request comes from the
// framing page, so its Referer tells if it is another origin's.
func (e *event) framer(req *request) string {
	framedBy := func(p *place) string {
		if e.document != nil && p.origin == e.document.origin {
			return "self"
		}
		return p.origin
	}
	if p := req.site.place(e.referrer); p != nil {
		return framedBy(p)
	}
	if req.refererAt != nil && framedBy(req.refererAt) != "self" {
		return req.refererAt.origin
	}
	return ""
}
