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

func TestDecodeQuirks(t *testing.T) {
	tests := []struct {
		name, members string
		want          report.Violation // DocumentURL is set by the test
	}{
		{
			"CSP2 sends the whole directive",
			`"violated-directive":"script-src 'self' https://x.example","blocked-uri":"https://y.example"`,
			report.Violation{Directive: "script-src", BlockedURL: "https://y.example"},
		},
		{
			"effective beats violated",
			`"violated-directive":"default-src 'self'","effective-directive":"img-src","blocked-uri":"data"`,
			report.Violation{Directive: "img-src", BlockedURL: "data"},
		},
		{
			"directive in capitals",
			`"effective-directive":"Script-Src-Elem","blocked-uri":"inline"`,
			report.Violation{Directive: "script-src-elem", BlockedURL: "inline"},
		},
		{
			"old Firefox says self for inline",
			`"violated-directive":"script-src http://a.example:80","blocked-uri":"self"`,
			report.Violation{Directive: "script-src", BlockedURL: "inline"},
		},
		{
			"old browsers say nothing for inline",
			`"violated-directive":"style-src 'self'","blocked-uri":""`,
			report.Violation{Directive: "style-src", BlockedURL: "inline"},
		},
		{
			"missing blocked-uri of a handler",
			`"effective-directive":"script-src-attr"`,
			report.Violation{Directive: "script-src-attr", BlockedURL: "inline"},
		},
		{
			"old Firefox describes eval",
			`"violated-directive":"default-src 'self'","blocked-uri":"self","script-sample":"call to eval() or related function blocked by CSP"`,
			report.Violation{Directive: "default-src", BlockedURL: "eval", Sample: "call to eval() or related function blocked by CSP"},
		},
		{
			"nothing is inline in an image",
			`"effective-directive":"img-src","blocked-uri":""`,
			report.Violation{Directive: "img-src"},
		},
		{
			"numbers as strings",
			`"effective-directive":"img-src","status-code":"200","line-number":"12","column-number":"7"`,
			report.Violation{Directive: "img-src", StatusCode: 200, Line: 12, Column: 7},
		},
		{
			"numbers out of range",
			`"effective-directive":"img-src","status-code":-1,"line-number":1e300,"column-number":2.9`,
			report.Violation{Directive: "img-src", Line: 1<<31 - 1, Column: 2},
		},
		{
			"a column without a line",
			`"effective-directive":"img-src","line-number":0,"column-number":1`,
			report.Violation{Directive: "img-src"},
		},
		{
			"null members",
			`"effective-directive":"img-src","referrer":null,"source-file":null,"line-number":null,"script-sample":null,"disposition":null`,
			report.Violation{Directive: "img-src"},
		},
		{
			"members of another type",
			`"effective-directive":"img-src","blocked-uri":{"a":1},"disposition":[1],"status-code":{},"script-sample":7`,
			report.Violation{Directive: "img-src"},
		},
		{
			"an added ellipsis is not the page's",
			`"effective-directive":"script-src","blocked-uri":"inline","script-sample":"0123456789012345678901234567890123456789..."`,
			report.Violation{Directive: "script-src", BlockedURL: "inline", Sample: "0123456789012345678901234567890123456789"},
		},
		{
			"a short ellipsis is the page's",
			`"effective-directive":"script-src","blocked-uri":"inline","script-sample":"f(...x) …"`,
			report.Violation{Directive: "script-src", BlockedURL: "inline", Sample: "f(...x) …"},
		},
		{
			"what must not be printed",
			`"effective-directive":"script-src","blocked-uri":"inline","script-sample":"a\u0000b\u001b[31m\nc\u202ed\u2028e\u200bf\ud800"`,
			report.Violation{Directive: "script-src", BlockedURL: "inline", Sample: "ab[31m cd ef\ufffd"},
		},
		{
			"camel case inside of csp-report",
			`"effectiveDirective":"img-src","blockedURL":"https://y.example/","disposition":"report"`,
			report.Violation{Directive: "img-src", BlockedURL: "https://y.example/", Disposition: report.ReportOnly},
		},
	}
	for _, test := range tests {
		test.want.DocumentURL = "https://a.example/"
		got, err := report.Decode([]byte(legacy(test.members)))
		if err != nil || len(got) != 1 || got[0].Violation == nil {
			t.Errorf("%s: %+v, %v; want one violation", test.name, got, err)
		} else if *got[0].Violation != test.want {
			t.Errorf("%s:\n got %+v\nwant %+v", test.name, *got[0].Violation, test.want)
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
