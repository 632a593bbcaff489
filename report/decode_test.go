package report_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/report"
)

func legacy(members string) string {
	return `{"csp-report":{"document-uri":"https://a.example/",` + members + `}}`
}

// Each quirk has the place where it is written down, or the browser that it was recorded from.
func TestDecodeQuirks(t *testing.T) {
	const (
		csp2     = "https://www.w3.org/TR/CSP2/#violation-reports"
		csp3     = "https://www.w3.org/TR/CSP3/#deprecated-serialize-violation"
		strip    = "https://www.w3.org/TR/CSP3/#strip-url-for-use-in-reports"
		noEff    = "https://bugzilla.mozilla.org/show_bug.cgi?id=1192684"
		oldSelf  = "https://bugzilla.mozilla.org/show_bug.cgi?id=1026520"
		srcdoc   = "https://bugzilla.mozilla.org/show_bug.cgi?id=1073952"
		viewer   = "https://bugzilla.mozilla.org/show_bug.cgi?id=1873553"
		relay    = "github.com/getsentry/relay: relay-event-schema/src/protocol/security_report.rs"
		nelmio   = "github.com/nelmio/NelmioSecurityBundle: its filters of noise"
		wtf      = "github.com/nico3333fr/CSP-useful: csp-wtf"
		safeweb  = "github.com/google/go-safeweb: safehttp/plugins/collector"
		chromium = "recorded from Chromium 156"
		firefox  = "recorded from Firefox 153"
		webkit   = "recorded from WebKitGTK 2.50"
		hostile  = "nobody; it must not matter"
	)
	tests := []struct {
		name, source, members string
		want                  report.Violation // DocumentURL is set by the test where it is empty
	}{
		// Directives.
		{
			"the whole directive", csp2,
			`"violated-directive":"script-src 'self' https://x.example","blocked-uri":"https://y.example"`,
			report.Violation{Directive: "script-src", BlockedURL: "https://y.example"},
		},
		{
			"a directive with its semicolon", hostile,
			`"violated-directive":"img-src;","blocked-uri":"data"`,
			report.Violation{Directive: "img-src", BlockedURL: "data"},
		},
		{
			"effective beats violated", csp2,
			`"effective-directive":"img-src","violated-directive":"default-src 'self'","blocked-uri":"data"`,
			report.Violation{Directive: "img-src", BlockedURL: "data"},
		},
		{
			"effective beats violated in any order", hostile,
			`"violated-directive":"default-src 'self'","effective-directive":"img-src","blocked-uri":"data"`,
			report.Violation{Directive: "img-src", BlockedURL: "data"},
		},
		{
			"directive in capitals", hostile,
			`"effective-directive":"Script-Src-Elem","blocked-uri":"inline"`,
			report.Violation{Directive: "script-src-elem", BlockedURL: "inline"},
		},

		// Old Firefox.
		{
			"self for inline", oldSelf,
			`"violated-directive":"script-src 'none'","blocked-uri":"self"`,
			report.Violation{Directive: "script-src", BlockedURL: "inline"},
		},
		{
			"a sentence for eval", wtf,
			`"violated-directive":"default-src 'self'","blocked-uri":"self","script-sample":"call to eval() or related function blocked by CSP"`,
			report.Violation{Directive: "default-src", BlockedURL: "eval", Sample: "call to eval() or related function blocked by CSP"},
		},
		{
			"a sentence for a handler", wtf,
			`"violated-directive":"script-src 'self'","blocked-uri":"self","script-sample":"onclick attribute on DIV element"`,
			report.Violation{Directive: "script-src", BlockedURL: "inline", Sample: "onclick attribute on DIV element"},
		},
		{
			"'self' spelled out with its port", relay,
			`"violated-directive":"script-src http://a.example:80","blocked-uri":"self","document-uri":"http://a.example/x",` +
				`"original-policy":"script-src http://a.example:80 http://b.example:80; img-src http://a.example:80; report-uri http://a.example:80/r"`,
			report.Violation{DocumentURL: "http://a.example/x", Directive: "script-src", BlockedURL: "inline",
				OriginalPolicy: "script-src 'self' http://b.example:80; img-src 'self'; report-uri http://a.example:80/r"},
		},
		{
			"'self' spelled out on another port, IPv6", relay,
			`"violated-directive":"img-src x","blocked-uri":"data","document-uri":"http://[::1]:8080/?a","original-policy":"img-src http://[::1]:8080"`,
			report.Violation{DocumentURL: "http://[::1]:8080/?a", Directive: "img-src", BlockedURL: "data", OriginalPolicy: "img-src 'self'"},
		},
		{
			"'self' spelled out on HTTPS", relay,
			`"violated-directive":"img-src x","blocked-uri":"data","original-policy":"img-src https://a.example:443 xhttps://a.example:443 https://a.example:4433"`,
			report.Violation{Directive: "img-src", BlockedURL: "data", OriginalPolicy: "img-src 'self' xhttps://a.example:443 https://a.example:4433"},
		},
		{
			"a policy that a later Firefox sends as it is", noEff,
			`"effective-directive":"img-src","violated-directive":"img-src","blocked-uri":"data","original-policy":"img-src https://a.example:443"`,
			report.Violation{Directive: "img-src", BlockedURL: "data", OriginalPolicy: "img-src https://a.example:443"},
		},
		{
			"dots behind a sample", wtf,
			`"effective-directive":"script-src","blocked-uri":"inline","script-sample":"0123456789012345678901234567890123456789..."`,
			report.Violation{Directive: "script-src", BlockedURL: "inline", Sample: "0123456789012345678901234567890123456789"},
		},
		{
			"an ellipsis behind a sample", firefox,
			`"effective-directive":"script-src","blocked-uri":"inline","script-sample":"0123456789012345678901234567890123456789…"`,
			report.Violation{Directive: "script-src", BlockedURL: "inline", Sample: "0123456789012345678901234567890123456789"},
		},
		{
			"a short ellipsis is the page's", firefox,
			`"effective-directive":"script-src","blocked-uri":"inline","script-sample":"f(...x) …"`,
			report.Violation{Directive: "script-src", BlockedURL: "inline", Sample: "f(...x) …"},
		},

		// What was blocked.
		{
			"nothing for inline", relay,
			`"violated-directive":"style-src 'self'","blocked-uri":""`,
			report.Violation{Directive: "style-src", BlockedURL: "inline"},
		},
		{
			"no blocked-uri of a handler", relay,
			`"effective-directive":"script-src-attr"`,
			report.Violation{Directive: "script-src-attr", BlockedURL: "inline"},
		},
		{
			"nothing is inline in an image", chromium,
			`"effective-directive":"img-src","blocked-uri":""`,
			report.Violation{Directive: "img-src"},
		},
		{
			"self is no origin of an image", oldSelf,
			`"violated-directive":"img-src","blocked-uri":"self"`,
			report.Violation{Directive: "img-src", BlockedURL: "self"},
		},
		{
			"no blockedURL of a data: frame", chromium,
			`"effectiveDirective":"frame-src"`,
			report.Violation{Directive: "frame-src"},
		},
		{
			"a whole data: URL", strip,
			`"effective-directive":"img-src","blocked-uri":"data:image/png;base64,AAAA"`,
			report.Violation{Directive: "img-src", BlockedURL: "data"},
		},
		{
			"a whole blob: URL", strip,
			`"effective-directive":"worker-src","blocked-uri":"blob:https://a.example/0f1e"`,
			report.Violation{Directive: "worker-src", BlockedURL: "blob"},
		},
		{
			"a scheme of software", nelmio,
			`"effective-directive":"frame-src","blocked-uri":"wvjbscheme://__wvjb_queue_message__"`,
			report.Violation{Directive: "frame-src", BlockedURL: "wvjbscheme"},
		},
		{
			"a word of software", nelmio,
			`"effective-directive":"frame-src","blocked-uri":"com.lge.browser"`,
			report.Violation{Directive: "frame-src", BlockedURL: "com.lge.browser"},
		},
		{
			"a host with a port", hostile,
			`"effective-directive":"connect-src","blocked-uri":"localhost:8080"`,
			report.Violation{Directive: "connect-src", BlockedURL: "localhost:8080"},
		},
		{
			"a WebSocket keeps its URL", "https://github.com/w3c/webappsec-csp/issues/735",
			`"effective-directive":"connect-src","blocked-uri":"wss://y.example/a?b"`,
			report.Violation{Directive: "connect-src", BlockedURL: "wss://y.example/a?b"},
		},
		{
			"user, password and fragment", strip,
			`"effective-directive":"img-src","blocked-uri":"https://u:p@y.example/@a?b@c#d","referrer":"https://u@a.example#x"`,
			report.Violation{Directive: "img-src", BlockedURL: "https://y.example/@a?b@c", Referrer: "https://a.example"},
		},
		{
			"frame-ancestors blocks the document", firefox,
			`"effective-directive":"frame-ancestors","blocked-uri":"","referrer":"http://framing.example/"`,
			report.Violation{Directive: "frame-ancestors", Referrer: "http://framing.example/"},
		},

		// Documents and scripts.
		{
			"about:srcdoc", srcdoc,
			`"document-uri":"about:srcdoc","effective-directive":"img-src","blocked-uri":"data"`,
			report.Violation{DocumentURL: "about", Directive: "img-src", BlockedURL: "data"},
		},
		{
			"an extension in Chromium", chromium,
			`"effective-directive":"img-src","blocked-uri":"data","source-file":"chrome-extension"`,
			report.Violation{Directive: "img-src", BlockedURL: "data", SourceFile: "chrome-extension"},
		},
		{
			"an extension in WebKit", nelmio,
			`"effective-directive":"img-src","blocked-uri":"data","source-file":"safari-web-extension://0F1E2D3C/content.js"`,
			report.Violation{Directive: "img-src", BlockedURL: "data", SourceFile: "safari-web-extension"},
		},
		{
			"the viewer of sources", viewer,
			`"effective-directive":"img-src","blocked-uri":"data","source-file":"view-source"`,
			report.Violation{Directive: "img-src", BlockedURL: "data", SourceFile: "view-source"},
		},
		{
			"a script of the browser", firefox,
			`"effective-directive":"img-src","blocked-uri":"data","source-file":"resource","line-number":236,"column-number":20`,
			report.Violation{Directive: "img-src", BlockedURL: "data", SourceFile: "resource", Line: 236, Column: 20},
		},

		// Numbers.
		{
			"numbers as strings", relay,
			`"effective-directive":"img-src","status-code":"200","line-number":"12","column-number":"7"`,
			report.Violation{Directive: "img-src", StatusCode: 200, Line: 12, Column: 7},
		},
		{
			"lineno and colno", safeweb,
			`"effective-directive":"img-src","lineno":12,"colno":7`,
			report.Violation{Directive: "img-src", Line: 12, Column: 7},
		},
		{
			"a column without a line", firefox,
			`"effective-directive":"img-src","column-number":1`,
			report.Violation{Directive: "img-src"},
		},
		{
			"a column with line 0", webkit,
			`"effective-directive":"img-src","line-number":0,"column-number":1`,
			report.Violation{Directive: "img-src"},
		},
		{
			"numbers out of range", hostile,
			`"effective-directive":"img-src","status-code":-1,"line-number":1e300,"column-number":2.9`,
			report.Violation{Directive: "img-src", Line: 1<<31 - 1, Column: 2},
		},
		{
			"numbers without a value", hostile,
			`"effective-directive":"img-src","status-code":"NaN","line-number":1e999,"column-number":-1e999`,
			report.Violation{Directive: "img-src", Line: 1<<31 - 1},
		},

		// Members.
		{
			"null members", firefox,
			`"effective-directive":"img-src","referrer":null,"source-file":null,"line-number":null,"script-sample":null,"disposition":null`,
			report.Violation{Directive: "img-src"},
		},
		{
			"members of another type", hostile,
			`"effective-directive":"img-src","blocked-uri":{"a":1},"disposition":[1],"status-code":{},"script-sample":7`,
			report.Violation{Directive: "img-src"},
		},
		{
			"a disposition that is none", hostile,
			`"effective-directive":"img-src","disposition":"ENFORCE"`,
			report.Violation{Directive: "img-src"},
		},
		{
			"the last of two", hostile,
			`"effective-directive":"img-src","effective-directive":"font-src","referrer":"x","referrer":"","status-code":7,"statusCode":0`,
			report.Violation{Directive: "font-src"},
		},
		{
			"what must not be printed", hostile,
			`"effective-directive":"script-src","blocked-uri":"inline","script-sample":"a\u0000b\u001b[31m\nc\u202ed\u2028e\u200bf\ud800"`,
			report.Violation{Directive: "script-src", BlockedURL: "inline", Sample: "ab[31m cd ef\ufffd"},
		},
		{
			"broken UTF-8", hostile,
			`"effective-directive":"img-src","referrer":"` + "caf\xe9 \xff\xfe" + `"`,
			report.Violation{Directive: "img-src", Referrer: "caf? ?"},
		},
		{
			"every spelling", csp3,
			`"effective_directive":"img-src","blockedURI":"https://y.example/","DISPOSITION":"report","source_file":"data","statusCode":204`,
			report.Violation{Directive: "img-src", BlockedURL: "https://y.example/", Disposition: report.ReportOnly, SourceFile: "data", StatusCode: 204},
		},
	}
	for _, test := range tests {
		if test.want.DocumentURL == "" {
			test.want.DocumentURL = "https://a.example/"
		}
		got, err := report.Decode([]byte(legacy(test.members)))
		if err != nil || len(got) != 1 || got[0].Violation == nil {
			t.Errorf("%s: %+v, %v; want one violation", test.name, got, err)
		} else if *got[0].Violation != test.want {
			t.Errorf("%s (%s):\n got %+v\nwant %+v", test.name, test.source, *got[0].Violation, test.want)
		}
	}
}

func TestDecodeShapes(t *testing.T) {
	const page = "https://a.example/"
	img := &report.Violation{DocumentURL: page, Directive: "img-src", BlockedURL: "data"}
	tests := []struct {
		name, body string
		want       []report.Report
	}{
		{
			"without the csp-report around it",
			`{"document-uri":"https://a.example/","violated-directive":"img-src 'self'","blocked-uri":"data"}`,
			[]report.Report{{Type: "csp-violation", URL: page, Violation: img}},
		},
		{
			"the document is only in the envelope",
			`{"type":"csp-violation","url":"https://a.example/","body":{"effectiveDirective":"img-src","blockedURL":"data"}}`,
			[]report.Report{{Type: "csp-violation", URL: page, Violation: img}},
		},
		{
			"an age in the future and one of the distant past",
			`[{"type":"x","age":-5},{"type":"x","age":1e15},{"type":"x","age":1500}]`,
			[]report.Report{{Type: "x"}, {Type: "x", Age: 7 * 24 * time.Hour}, {Type: "x", Age: 1500 * time.Millisecond}},
		},
		{
			"a violation without a body, and elements that are no reports",
			`[{"type":"csp-violation","url":"https://a.example/","body":null},7,null,{},"x",{"type":3}]`,
			[]report.Report{{Type: "csp-violation", URL: page}, {}, {}, {}, {}, {}},
		},
		{
			"the body of an unknown type is kept and cleaned",
			"\n" + `[{"type":"xyz","url":"u","user_agent":"Browser\u0007","body":{"b":["\u0000x",1.50,{"y\u001b":null}],"a":true}}]`,
			[]report.Report{{Type: "xyz", URL: "u", UserAgent: "Browser", Body: []byte(`{"b":["x",1.50,{"y":null}],"a":true}`)}},
		},
		{"an empty batch", `[]`, []report.Report{}},
	}
	for _, test := range tests {
		got, err := report.Decode([]byte(test.body))
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", test.name, got, err, test.want)
		}
	}
}

func TestDecodeLimits(t *testing.T) {
	members := func(n int) string {
		var b strings.Builder
		for i := range n - 2 {
			fmt.Fprintf(&b, `"k%d":":{[",`, i) // brackets and colons in strings do not count
		}
		return b.String() + `"effective-directive":"img-src"`
	}
	batch := func(n int) string { return "[" + strings.Repeat(`{"type":"x"},`, n-1) + `{"type":"x"}]` }
	nested := func(n int) string { // n levels in all
		return `{"type":"x","body":{"a":` + strings.Repeat("[", n-2) + strings.Repeat("]", n-2) + `}}`
	}
	sample := func(n int) string {
		return `"effective-directive":"x","script-sample":"` + strings.Repeat("s", n) + `"`
	}
	overhead := len(legacy(sample(0)))
	tests := []struct {
		name, body string
		want       error
	}{
		{"nothing", "", report.ErrNotJSON},
		{"half an object", `{"csp-report":`, report.ErrNotJSON},
		{"text", "csp-report", report.ErrNotJSON},
		{"an open string", `{"a\`, report.ErrNotJSON},
		{"a number", "1", report.ErrNotReport},
		{"an object of something else", `{"hello":"world"}`, report.ErrNotReport},
		{"100 reports", batch(report.MaxReports), nil},
		{"101 reports", batch(report.MaxReports + 1), report.ErrTooMany},
		{"8 levels", nested(report.MaxDepth), nil},
		{"9 levels", nested(report.MaxDepth + 1), report.ErrTooDeep},
		{"a million levels", strings.Repeat("[", 1e6), report.ErrTooDeep},
		{"64 members", legacy(members(report.MaxKeys)), nil},
		{"65 members", legacy(members(report.MaxKeys + 1)), report.ErrTooWide},
		{"an object of 64 KiB", legacy(sample(report.MaxObjectBytes - overhead)), nil},
		{"an object of 64 KiB + 1", legacy(sample(report.MaxObjectBytes - overhead + 1)), report.ErrTooLarge},
		{"a batch of 1 MiB", batch(2) + strings.Repeat(" ", report.MaxBatchBytes-len(batch(2))), nil},
		{"a batch of 1 MiB + 1", batch(2) + strings.Repeat(" ", report.MaxBatchBytes-len(batch(2))+1), report.ErrTooLarge},
	}
	for _, test := range tests {
		if _, err := report.Decode([]byte(test.body)); !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", test.name, err, test.want)
		}
	}
}

func TestDecodeCutsFields(t *testing.T) {
	got, err := report.Decode([]byte(legacy(`"effective-directive":"img-src","blocked-uri":"` + strings.Repeat("ü", 10_000) + `"`)))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got[0].Violation.BlockedURL); n > report.MaxFieldBytes || n < report.MaxFieldBytes-4 {
		t.Errorf("blocked-uri of %d bytes, want close to %d", n, report.MaxFieldBytes)
	}
}
