package report_test

import (
	"strings"
	"time"

	"github.com/merlon-sec/merlon/report"
)

// pageRow says what a page did and so what the browsers' reports about it have to say, whatever each of them makes of it.
type pageRow struct {
	page      string // the name of the page
	browsers  string // those that were recorded on it, each by its first letter
	directive string
	kind      string // of what was blocked, see blockedKind
	blocked   string // {self} is the origin of the page, {other} that of the other site
	sample    string // where the browser sends one; WebKit sends none to report-uri
}

// recordedPages has a row for every violation that a page was recorded with. The pages whose reports are no violations are
// in recordedDetails.
func recordedPages() []pageRow {
	const c40 = "1+1;/*0123456789012345678901234567890123" // what is left of a sample after 40 characters
	return []pageRow{
		// Inline code.
		{"inline-script", "cw", "script-src-elem", "inline", "inline", ""},
		{"inline-script-elem", "fw", "script-src-elem", "inline", "inline", ""},
		{"inline-script-sample", "cfw", "script-src-elem", "inline", "inline", "window.x=1;/* a sample that is longer th"},
		{"inline-handler", "cfw", "script-src-attr", "inline", "inline", ""},
		{"inline-handler-attr", "cfw", "script-src-attr", "inline", "inline", ""},
		{"inline-handler-sample", "cfw", "script-src-attr", "inline", "inline", "window.x=1"},
		{"javascript-url", "cfw", "script-src-elem", "inline", "inline", ""},
		{"importmap-inline", "cfw", "script-src-elem", "inline", "inline", ""},
		{"speculationrules-inline", "c", "script-src-elem", "inline", "inline", ""},
		{"hash-mismatch", "cfw", "script-src-elem", "inline", "inline", ""},
		{"nonce-mismatch", "cfw", "script-src-elem", "inline", "inline", ""},
		{"unicode", "cfw", "script-src-elem", "inline", "inline", `/* ünï→😀 "quoted" </x> */ window.x=1`},
		{"style-elem", "cfw", "style-src-elem", "inline", "inline", ""},
		{"style-elem-directive", "cfw", "style-src-elem", "inline", "inline", ""},
		{"style-elem-sample", "cfw", "style-src-elem", "inline", "inline", "p{color:red}"},
		{"style-attr", "cfw", "style-src-attr", "inline", "inline", ""},
		{"style-attr-directive", "fw", "style-src-attr", "inline", "inline", ""},
		{"style-attr-sample", "cfw", "style-src-attr", "inline", "inline", "color:red;background:url(data:,) no-repe"},
		{"style-cssom-setattribute", "cfw", "style-src-attr", "inline", "inline", ""},

		// Code from text.
		{"eval", "cf", "script-src", "eval", "eval", ""},
		{"eval-sample", "cfw", "script-src", "eval", "eval", c40},
		{"new-function", "cf", "script-src", "eval", "eval", ""},
		{"settimeout-string", "cfw", "script-src", "eval", "eval", ""},
		{"wasm", "cf", "script-src", "wasm-eval", "wasm-eval", ""},
		{"trusted-types-eval", "cfw", "require-trusted-types-for", "trusted-types", "trusted-types-sink", "eval|1+1"},
		{"trusted-types-innerhtml", "cfw", "require-trusted-types-for", "trusted-types", "trusted-types-sink",
			"Element innerHTML|<b>untrusted value longer than forty cha"},
		{"trusted-types-scriptsrc", "cfw", "require-trusted-types-for", "trusted-types", "trusted-types-sink",
			"HTMLScriptElement src|/x.js"},
		{"trusted-types-policy", "cfw", "trusted-types", "trusted-types", "trusted-types-policy", "bar"},

		// Scripts and styles from elsewhere.
		{"ext-script", "cfw", "script-src-elem", "url", "{other}/x.js?a=1", ""},
		{"ext-script-elem", "cfw", "script-src-elem", "url", "{other}/x.js", ""},
		{"ext-script-inline-stack", "cfw", "img-src", "url", "{other}/i.gif", ""},
		{"ext-module", "cfw", "script-src-elem", "url", "{other}/x.js", ""},
		{"preload-script", "cw", "script-src-elem", "url", "{other}/x.js", ""},
		{"nonce-mismatch-ext", "cfw", "script-src-elem", "url", "{self}/x.js", ""},
		{"strict-dynamic", "cfw", "script-src-elem", "url", "{self}/x.js", ""},
		{"strict-dynamic-docwrite", "cfw", "script-src-elem", "url", "{self}/x.js", ""},
		{"ext-style", "fw", "style-src-elem", "url", "{other}/s.css", ""},
		{"data-script", "cf", "script-src-elem", "scheme", "data", ""},
		{"blob-script", "cfw", "script-src-elem", "scheme", "blob", ""},

		// What they report is the URL before a redirect: the one behind it is not for the page to know. Frames are cut to the
		// origin, but Firefox does that to the redirected URL only.
		{"redirect-script", "cfw", "script-src-elem", "url", "{self}/redir?to={other}/x.js", ""},
		{"redirect-img", "cfw", "img-src", "url", "{self}/redir?to={other}/i.gif?after", ""},
		{"redirect-frame", "cw", "frame-src", "origin", "{other}", ""},
		{"redirect-frame", "f", "frame-src", "url", "{self}/redir?to={other}/blank", ""},

		// Images, media, fonts.
		{"ext-img", "cfw", "img-src", "url", "{other}/i.gif?secret=1", ""},
		{"ext-img", "c", "img-src", "scheme", "data", ""}, // one of its runs waited for the batch with another image
		{"ext-img-default", "cfw", "img-src", "url", "{other}/i.gif", ""},
		{"long-url", "cfw", "img-src", "url", "{other}/i.gif?" + strings.Repeat("a", 5000), ""},
		{"three-same", "cfw", "img-src", "url", "{other}/i.gif?1", ""},
		{"three-same", "cfw", "img-src", "url", "{other}/i.gif?2", ""},
		{"data-img", "cfw", "img-src", "scheme", "data", ""},
		{"blob-img", "cfw", "img-src", "scheme", "blob", ""},
		{"legacy-report-to", "c", "img-src", "url", "{other}/i.gif", ""},
		{"media", "cfw", "media-src", "url", "{other}/v.mp4", ""},
		{"ext-font", "fw", "font-src", "url", "{other}/f.woff2", ""},

		// Connections. A WebSocket keeps its URL.
		{"connect-fetch", "cfw", "connect-src", "url", "{other}/c", ""},
		{"connect-xhr", "cfw", "connect-src", "url", "{self}/c", ""},
		{"connect-beacon", "cfw", "connect-src", "url", "{self}/c", ""},
		{"connect-ping", "cw", "connect-src", "url", "{self}/ping", ""},
		{"connect-eventsource", "cfw", "connect-src", "url", "{other}/es", ""},
		{"connect-websocket", "cfw", "connect-src", "url", "ws://127.0.0.1:9299/sock", ""},
		{"prefetch", "c", "default-src", "url", "{other}/pf", ""},

		// Frames and plug-ins: the path of another site is not told. Chromium does not name data: at all.
		{"frame", "cfw", "frame-src", "origin", "{other}", ""},
		{"frame-child-src", "cfw", "frame-src", "origin", "{other}", ""},
		{"data-frame", "c", "frame-src", "empty", "", ""},
		{"data-frame", "w", "frame-src", "scheme", "data", ""},
		{"object", "fw", "object-src", "origin", "{other}", ""},
		{"embed", "fw", "object-src", "origin", "{other}", ""},
		{"frame-ancestors", "f", "frame-ancestors", "empty", "", ""},
		{"frame-ancestors", "w", "frame-ancestors", "url", "{page}", ""}, // the framed page

		// Workers.
		{"worker", "cfw", "worker-src", "url", "{self}/w.js", ""},
		{"worker-blob", "cfw", "worker-src", "scheme", "blob", ""},
		{"sharedworker", "cfw", "worker-src", "url", "{self}/w.js", ""},
		{"serviceworker", "cfw", "worker-src", "url", "{self}/w.js", ""},
		{"in-worker-fetch", "cf", "connect-src", "url", "{other}/c", ""},
		{"worker-own-csp", "c", "script-src", "eval", "eval", ""},
		{"worker-own-csp", "f", "connect-src", "url", "{self}/c", ""},

		// The document itself, and documents without a URL.
		{"base-uri", "cfw", "base-uri", "url", "{other}/b/", ""},
		{"form-action", "cfw", "form-action", "url", "{other}/form", ""},
		{"srcdoc-inherit", "cfw", "img-src", "url", "{other}/i.gif", ""},
		{"blob-doc-inherit", "cw", "img-src", "url", "{other}/i.gif", ""},

		// Several at once.
		{"two-directives", "cfw", "script-src-elem", "inline", "inline", ""},
		{"two-directives", "cf", "style-src-elem", "inline", "inline", ""},
		{"two-directives", "cfw", "img-src", "url", "{other}/i.gif", ""},
		{"multi-policies", "cfw", "img-src", "url", "{self}/i.gif", ""},
		{"multi-policies", "cfw", "img-src", "url", "{other}/i.gif", ""},
	}
}

// recordedDetails has the other reports by browser and name.
func recordedDetails() map[string][]report.Detail {
	const self, other = "https://localhost:9243", "https://127.0.0.1:9244"
	coop := func(d report.Disposition) []report.Detail {
		return []report.Detail{&report.COOP{
			Disposition: d, EffectivePolicy: "same-origin", Violation: "navigation-to-response", Referrer: self + "/",
		}}
	}
	coep := func(d report.COEP) []report.Detail { return []report.Detail{&d} }
	hash := func(origin, page string) []report.Detail {
		return []report.Detail{&report.Hash{
			DocumentURL: origin + page, SubresourceURL: origin + "/x.js", Destination: "script",
			Hash: "sha256-g7sq2RbwbLEHSBobiM09D+ctI3iVsKqmfbqIiETF4t4=",
		}}
	}
	integrity := report.Integrity{
		Disposition: report.Enforce, DocumentURL: self + "/p/integrity-policy-style/et/https546629",
		BlockedURL: other + "/x.js", Destination: "script",
	}
	deprecated := self + "/p/deprecation/et/https544528"
	return map[string][]report.Detail{
		"chromium coep-iframe-et-https": coep(report.COEP{report.Enforce, "corp", other + "/blank", "iframe"}),
		"chromium coep-ro-img-et-https": coep(report.COEP{report.ReportOnly, "corp", other + "/i.gif", "image"}),
		"chromium coep-worker-et-https": coep(report.COEP{report.Enforce, "worker initialization", self + "/w.js", ""}),
		"webkit coep-worker-et-https":   coep(report.COEP{report.Enforce, "worker initialization", self + "/w.js", ""}),
		"webkit coep-img-et-http":       coep(report.COEP{report.Enforce, "corp", "http://127.0.0.1:9202/i.gif", "image"}),
		"chromium coop-popt-https":      coop(report.Enforce),
		"chromium coop-ro-popt-https":   coop(report.ReportOnly),
		"webkit coop-ro-popt-https":     coop(report.ReportOnly),
		"chromium deprecation-et-https-default": {
			&report.Deprecation{ID: "XSLT", SourceFile: deprecated, Line: 1, Column: 108, Message: "XSLTProcessor and XSLT Processing " +
				"Instructions have been deprecated by all browsers. These features will be removed from this browser soon."},
			&report.Deprecation{ID: "UnloadHandler", SourceFile: deprecated, Line: 1, Column: 259,
				Message: "Unload event listeners are deprecated and will be removed."},
			&report.Deprecation{ID: "XMLHttpRequestSynchronousInNonWorkerOutsideBeforeUnload", SourceFile: deprecated, Line: 1, Column: 171,
				Message: "Synchronous `XMLHttpRequest` on the main thread is deprecated because of its detrimental effects to the end " +
					"user's experience. For more help, check https://xhr.spec.whatwg.org/."},
		},
		"chromium document-policy-ro-et-https": {&report.DocumentPolicy{
			Disposition: report.ReportOnly, Policy: "sync-xhr", SourceFile: self + "/p/document-policy-ro/et/https823643", Line: 1, Column: 189,
			Message: "Document policy violation: Synchronous requests are disabled by document policy.",
		}},
		"chromium intervention-et-https-default": {&report.Intervention{
			ID: "NavigatorVibrate", SourceFile: self + "/p/intervention/et/https544528", Line: 1, Column: 134,
			Message: "Blocked call to navigator.vibrate because user hasn't tapped on the frame or any embedded frame yet: " +
				"https://www.chromestatus.com/feature/5644273861001216.",
		}},
		"chromium nel-et-https-nel-2": {&report.NetworkError{
			Phase: "application", Type: "ok", Protocol: "h2", ServerIP: "::1", Method: "POST", StatusCode: 204,
			Elapsed: 2 * time.Millisecond, SamplingFraction: 1,
		}},
		"chromium nel-et-https-nel-3": {&report.NetworkError{
			Phase: "application", Type: "ok", Protocol: "h2", ServerIP: "::1", Method: "GET", StatusCode: 200,
			Referrer: self + "/p/nel/et/https544528", SamplingFraction: 1,
		}},
		"firefox integrity-policy-style-et-https": {&integrity, &integrity}, // once for the preload scanner, once for the element
		"webkit report-hash-et-https":             hash(self, "/p/report-hash/et/https52104"),
		"webkit report-hash-rt-http":              hash("http://localhost:9201", "/p/report-hash/rt/http52104"),
	}
}
