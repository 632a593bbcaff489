package collect

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// fingerprintVersion is the version of the rule in [request.hit] and [classify]. Whoever changes what makes one issue raises it.
const fingerprintVersion = 1

// The classes of issues. The discriminator (Blocked, for scripts the sample too) is what the change to the policy would name.
const (
	classOrigin         = "origin"          // a URL of another origin: the origin
	classSelf           = "self"            // a URL of the document's own origin
	classScheme         = "scheme"          // data:, blob:, an extension: the scheme
	classInline         = "inline"          // script, style, handler: the sample, else where it is
	classEval           = "eval"            // eval and its kin: the script that calls it
	classWasmEval       = "wasm-eval"       // the same, and another keyword
	classTrustedTypes   = "trusted-types"   // the sink or policy, and the script
	classFrameAncestors = "frame-ancestors" // the origin of the page that framed the document, "" if not known
	classOther          = "other"           // what blocked-uri says is none of these
)

// otherDirective stands for all names that are not directives.
const otherDirective = "other"

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
	return otherDirective
}

// hit turns a violation into what is stored of it.
func (req request) hit(v *report.Violation, at time.Time) store.Hit {
	h := store.Hit{
		Site: req.site.name, Type: report.TypeViolation, Directive: directive(v.Directive),
		Route: req.route(v), Disposition: v.Disposition, Sample: sample(v.Sample), At: at,
	}
	if h.Disposition == report.DispositionUnknown {
		h.Disposition = req.disposition
	}
	h.Class, h.Blocked = req.classify(v, h)
	h.Blocked = cut(h.Blocked, maxBlocked)
	key := fmt.Appendf(nil, "%q %q %q %q", h.Type, h.Directive, h.Class, h.Blocked)
	if h.Class == classInline {
		key = fmt.Appendf(key, " %q", h.Sample)
	}
	sum := sha256.Sum256(key)
	h.Fingerprint = store.Fingerprint{Version: fingerprintVersion, Sum: [16]byte(sum[:16])}
	return h
}

// route returns the template of the document's path; for a document without one, that of the page it is in.
func (req request) route(v *report.Violation) string {
	if u := parseHTTP(v.DocumentURL); u != nil {
		return report.Route(u)
	}
	if req.site.own(req.referer, req.http) {
		return report.Route(req.referer)
	}
	word, _, _ := strings.Cut(v.DocumentURL, ":")
	return word + ":" // no path starts like this
}

// classify returns the class and what distinguishes the issue in it.
func (req request) classify(v *report.Violation, h store.Hit) (class, blocked string) {
	if h.Directive == "frame-ancestors" {
		return classFrameAncestors, req.framer(v)
	}
	switch v.BlockedURL {
	case "inline":
		if h.Sample != "" {
			return classInline, "inline"
		}
		return classInline, at(source(v, h.Route), v.Line)
	case "eval":
		return classEval, source(v, h.Route)
	case "wasm-eval":
		return classWasmEval, source(v, h.Route)
	case "trusted-types-sink", "trusted-types-policy":
		script := source(v, h.Route)
		if name, _, _ := strings.Cut(h.Sample, "|"); name != "" {
			script = name + " in " + script
		}
		return classTrustedTypes, script
	case "self":
		return classSelf, "self"
	}
	if u := parseHTTP(v.BlockedURL); u != nil {
		if document := parseHTTP(v.DocumentURL); document != nil && origin(u) == origin(document) {
			return classSelf, "self"
		}
		return classOrigin, origin(u)
	}
	if scheme := schemeOf(v.BlockedURL); scheme != "" {
		return classScheme, scheme + ":"
	}
	return classOther, ""
}

// schemeOf returns the scheme of a URL, or the whole of a bare one: browsers cut what is not http to "data", "blob" and so on.
// It returns "" for http, which without a valid host says nothing.
func schemeOf(s string) string {
	word, _, _ := strings.Cut(strings.ToLower(s), ":")
	if len(word) > 40 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" || defaultPort(word) != "" {
		return ""
	}
	return word
}

// source names the script behind a violation: its path on the site, its origin and path elsewhere, else the document's route.
func source(v *report.Violation, documentRoute string) string {
	u := parseHTTP(v.SourceFile)
	if u == nil {
		if scheme := schemeOf(v.SourceFile); scheme != "" {
			return scheme + ":" // an extension
		}
		return documentRoute
	}
	if document := parseHTTP(v.DocumentURL); document != nil && origin(u) == origin(document) {
		return report.Route(u)
	}
	return origin(u) + report.Route(u)
}

// at adds the line to a place, if there is one.
func at(place string, line int) string {
	if line == 0 {
		return place
	}
	return place + ":" + strconv.Itoa(line)
}

// framer returns the origin of the page that framed the document: "self" for its own, "" if no browser said. Firefox and WebKit
// put it into referrer. Chromium leaves that empty and names the document in all other places, but the request comes from the
// framing page, so its Referer tells if it is another origin's.
func (req request) framer(v *report.Violation) string {
	document := parseHTTP(v.DocumentURL)
	framedBy := func(u *url.URL) string {
		if document != nil && origin(u) == origin(document) {
			return "self"
		}
		return origin(u)
	}
	if u := parseHTTP(v.Referrer); u != nil {
		return framedBy(u)
	}
	if req.referer != nil && framedBy(req.referer) != "self" {
		return origin(req.referer)
	}
	return ""
}
