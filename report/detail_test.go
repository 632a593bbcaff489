package report_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/report"
)

type detailTest struct {
	name, kind, body string
	want             report.Detail
}

// detailTests have the spellings of the specifications, of browsers and of their earlier versions.
func detailTests() []detailTest {
	const a, b = "https://a.example/", "https://b.example/"
	day := time.Date(2027, time.March, 1, 0, 0, 0, 0, time.UTC)
	place := `"sourceFile":"https://a.example/s.js","lineNumber":3,"columnNumber":4`
	source := a + "s.js"
	permissions := func(potential bool) *report.PermissionsPolicy {
		return &report.PermissionsPolicy{
			Disposition: report.Enforce, Potential: potential, Feature: "geolocation", Message: "m", SourceFile: source, Line: 3, Column: 4,
		}
	}
	return []detailTest{
		{"https://w3c.github.io/webappsec-csp/#csphashreportbody", "csp-hash",
			`{"documentURL":"https://a.example/","subresourceURL":"https://b.example/","hash":"sha256-x","type":"subresource","destination":"script"}`,
			&report.Hash{DocumentURL: a, SubresourceURL: b, Hash: "sha256-x", Destination: "script"}},
		{"the specification's own example", "csp-hash",
			`{"document_url":"https://a.example/","subresource_url":"https://b.example/","hash":"","destination":"script"}`,
			&report.Hash{DocumentURL: a, SubresourceURL: b, Destination: "script"}},

		{"HTML: a navigation", "coop",
			`{"disposition":"enforce","effectivePolicy":"same-origin","type":"navigation-from-response","previousResponseURL":null,
			"nextResponseURL":"https://b.example/","referrer":"https://a.example/"}`,
			&report.COOP{Disposition: report.Enforce, EffectivePolicy: "same-origin", Violation: "navigation-from-response", NextURL: b, Referrer: a}},
		{"HTML: an access", "coop",
			`{"disposition":"reporting","effectivePolicy":"same-origin-plus-coep","violation":"access-from-coop-page-to-opener","property":"postMessage",
			"openerURL":"https://a.example/","openeeURL":"https://b.example/","otherDocumentURL":"https://b.example/",
			"initialPopupURL":"https://b.example/",` + place + `}`,
			&report.COOP{Disposition: report.ReportOnly, EffectivePolicy: "same-origin-plus-coep", Violation: "access-from-coop-page-to-opener",
				Property: "postMessage", OpenerURL: a, OpeneeURL: b, OtherDocumentURL: b, InitialPopupURL: b, SourceFile: source, Line: 3, Column: 4}},

		{"HTML: corp", "coep", `{"disposition":"enforce","type":"corp","blockedURL":"https://b.example/","destination":"image"}`,
			&report.COEP{Disposition: report.Enforce, Violation: "corp", BlockedURL: b, Destination: "image"}},
		{"HTML: a worker, other spelling", "coep", `{"disposition":"reporting","violation":"worker initialization","blocked-url":"https://b.example/"}`,
			&report.COEP{Disposition: report.ReportOnly, Violation: "worker initialization", BlockedURL: b}},

		{"Permissions Policy: featureId", "permissions-policy-violation",
			`{"featureId":"geolocation","message":"m","disposition":"enforce",` + place + `}`, permissions(false)},
		{"Chromium: policyId", "permissions-policy-violation",
			`{"policyId":"geolocation","message":"m","disposition":"enforce",` + place + `}`, permissions(false)},
		{"snake case", "potential-permissions-policy-violation",
			`{"policy_id":"geolocation","message":"m","disposition":"enforce","source_file":"https://a.example/s.js","line_number":"3","column_number":"4"}`,
			permissions(true)},
		{"an iframe", "potential-permissions-policy-violation",
			`{"featureId":"usb","disposition":"report","allowAttribute":"usb","srcAttribute":"/frame"}`,
			&report.PermissionsPolicy{Potential: true, Feature: "usb", Disposition: report.ReportOnly, AllowAttribute: "usb", SrcAttribute: "/frame"}},

		{"Document Policy", "document-policy-violation", `{"policyId":"sync-xhr","message":"m","disposition":"report",` + place + `}`,
			&report.DocumentPolicy{Disposition: report.ReportOnly, Policy: "sync-xhr", Message: "m", SourceFile: source, Line: 3, Column: 4}},

		{"Deprecation: a time", "deprecation", `{"id":"XSLT","message":"m","anticipatedRemoval":"2027-03-01T00:00:00.000Z",` + place + `}`,
			&report.Deprecation{ID: "XSLT", Message: "m", SourceFile: source, Line: 3, Column: 4, Removal: day}},
		{"Deprecation: a day", "deprecation", `{"id":"XSLT","anticipatedRemoval":"2027-03-01"}`, &report.Deprecation{ID: "XSLT", Removal: day}},
		{"Deprecation: as its first description has it", "deprecation", `{"id":"XSLT","anticipatedRemoval":"3/1/2027"}`,
			&report.Deprecation{ID: "XSLT", Removal: day}},
		{"Deprecation: milliseconds", "deprecation", `{"id":"XSLT","anticipatedRemoval":1803859200000}`,
			&report.Deprecation{ID: "XSLT", Removal: day}},
		{"Deprecation: in no year of ours", "deprecation", `{"id":"XSLT","anticipatedRemoval":1e18}`, &report.Deprecation{ID: "XSLT"}},
		{"Deprecation: before there were browsers", "deprecation", `{"id":"XSLT","anticipatedRemoval":"1969-12-31"}`, &report.Deprecation{ID: "XSLT"}},
		{"Deprecation: soon", "deprecation", `{"id":"XSLT","anticipatedRemoval":"soon"}`, &report.Deprecation{ID: "XSLT"}},

		{"Intervention", "intervention", `{"id":"NavigatorVibrate","message":"m",` + place + `}`,
			&report.Intervention{ID: "NavigatorVibrate", Message: "m", SourceFile: source, Line: 3, Column: 4}},
		{"lineno and colno", "intervention", `{"id":"i","lineno":3,"colno":4}`, &report.Intervention{ID: "i", Line: 3, Column: 4}},
		{"line and column", "intervention", `{"id":"i","line":3,"column":4}`, &report.Intervention{ID: "i", Line: 3, Column: 4}},
		{"a column without a line", "intervention", `{"id":"i","lineNumber":0,"columnNumber":1}`, &report.Intervention{ID: "i"}},
		{"an extension's script", "intervention", `{"id":"i","sourceFile":"chrome-extension://abc/x.js"}`,
			&report.Intervention{ID: "i", SourceFile: "chrome-extension"}},

		{"Crash", "crash", `{"reason":"oom"}`, &report.Crash{Reason: "oom"}},
		{"Chromium's crash", "crash", `{"crash_report_api":"x","is_top_level":true,"visibility_state":"hidden","reason":"unresponsive"}`,
			&report.Crash{Reason: "unresponsive", Visibility: "hidden", TopLevel: true}},
		{"a crash that tells nothing", "crash", `{}`, &report.Crash{}},

		{"Integrity: enforced", "integrity-violation",
			`{"documentURL":"https://a.example/","blockedURL":"https://b.example/","destination":"script","reportOnly":false}`,
			&report.Integrity{Disposition: report.Enforce, DocumentURL: a, BlockedURL: b, Destination: "script"}},
		{"Integrity: report-only, with Firefox's reason", "integrity-violation", `{"documentURL":"https://a.example/","reportOnly":true,"reason":"r"}`,
			&report.Integrity{Disposition: report.ReportOnly, DocumentURL: a, Reason: "r"}},
		{"Integrity: not told", "integrity-violation", `{"documentURL":"https://a.example/"}`, &report.Integrity{DocumentURL: a}},

		{"Network Error Logging", "network-error",
			`{"sampling_fraction":0.25,"elapsed_time":18,"phase":"connection","type":"tcp.refused","server_ip":"192.0.2.1","protocol":"h2",
			"referrer":"https://a.example/","method":"GET","status_code":0}`,
			&report.NetworkError{Phase: "connection", Type: "tcp.refused", Protocol: "h2", ServerIP: "192.0.2.1", Method: "GET", Referrer: a,
				Elapsed: 18 * time.Millisecond, SamplingFraction: 0.25}},
		{"numbers in text", "network-error", `{"samplingFraction":"0.5","elapsedTime":"18","statusCode":"503","type":"http.error"}`,
			&report.NetworkError{Type: "http.error", StatusCode: 503, Elapsed: 18 * time.Millisecond, SamplingFraction: 0.5}},
		{"a fraction of nothing", "network-error", `{"sampling_fraction":0}`, &report.NetworkError{SamplingFraction: 1}},
		{"a negative fraction", "network-error", `{"sampling_fraction":-0.5}`, &report.NetworkError{SamplingFraction: 1}},
		{"a fraction of more than all", "network-error", `{"sampling_fraction":100}`, &report.NetworkError{SamplingFraction: 1}},
		{"a fraction that speaks for everybody", "network-error", `{"sampling_fraction":1e-300}`, &report.NetworkError{SamplingFraction: 1}},
		{"no number", "network-error", `{"sampling_fraction":"NaN","elapsed_time":"NaN"}`, &report.NetworkError{SamplingFraction: 1}},
		{"numbers out of range", "network-error", `{"sampling_fraction":1e999,"elapsed_time":-1,"status_code":1e12}`,
			&report.NetworkError{SamplingFraction: 1, StatusCode: 1<<31 - 1}},

		{"members of another type", "coop", `{"disposition":1,"type":{"a":[]},"referrer":[],"lineNumber":{},"property":true,"openerURL":7}`, &report.COOP{}},
		{"an escaped key", "coep", `{"\u0074ype":"corp"}`, &report.COEP{Violation: "corp"}},
		{"the last of two", "coep", `{"type":"corp","type":"navigation"}`, &report.COEP{Violation: "navigation"}},
		{"what must not be printed", "coep", `{"type":"co\u0000rp\u202e","blockedURL":"https://u:p@b.example/\u001b#f"}`,
			&report.COEP{Violation: "corp", BlockedURL: b}},
	}
}

func TestDecodeDetails(t *testing.T) {
	for _, test := range detailTests() {
		got, err := report.Decode([]byte(`[{"type":"` + test.kind + `","url":"https://a.example/","body":` + test.body + `}]`))
		switch {
		case err != nil || len(got) != 1:
			t.Errorf("%s: %d reports, %v", test.name, len(got), err)
		case !reflect.DeepEqual(got[0].Detail, test.want):
			t.Errorf("%s:\n got %+v\nwant %+v", test.name, got[0].Detail, test.want)
		case got[0].Body == nil || got[0].Violation != nil:
			t.Errorf("%s: Body %q, Violation %v", test.name, got[0].Body, got[0].Violation)
		}
	}
}

func TestDecodeWithoutDetail(t *testing.T) {
	for _, body := range []string{
		`[{"type":"coop","body":null}]`,
		`[{"type":"coop","body":[1]}]`,
		`[{"type":"coop"}]`,
		`[{"type":"COOP","body":{"type":"x"}}]`, // types are case-sensitive
		`[{"type":"connection-allowlist","body":{"type":"x"}}]`,
		`[{"type":"csp-violation","body":{"effectiveDirective":"img-src"}}]`,
	} {
		got, err := report.Decode([]byte(body))
		if err != nil || len(got) != 1 || got[0].Detail != nil {
			t.Errorf("%s: %+v, %v; want no detail", body, got, err)
		}
	}
}
