package report_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/report"
)

func TestEncodeFormats(t *testing.T) {
	v := report.Violation{
		DocumentURL: "https://a.example/?<q>", Referrer: "https://r.example/", BlockedURL: "inline", Directive: "script-src-elem",
		OriginalPolicy: "script-src 'self'", Disposition: report.ReportOnly, Sample: "alert(1)", SourceFile: "https://a.example/",
		StatusCode: 200, Line: 3, Column: 4,
	}
	got, err := report.EncodeLegacy(&v)
	const legacy = `{"csp-report":{"blocked-uri":"inline","column-number":4,"disposition":"report","document-uri":"https://a.example/?<q>",` +
		`"effective-directive":"script-src-elem","line-number":3,"original-policy":"script-src 'self'","referrer":"https://r.example/",` +
		`"script-sample":"alert(1)","source-file":"https://a.example/","status-code":200,"violated-directive":"script-src-elem"}}`
	if string(got) != legacy || err != nil {
		t.Errorf("EncodeLegacy:\n got %s, %v\nwant %s", got, err, legacy)
	}
	got, err = report.Encode([]report.Report{
		{Type: report.TypeViolation, URL: "https://a.example/?<q>", Age: 1500 * time.Millisecond, UserAgent: "UA", Violation: &v},
		{},
		{Type: "invented", URL: "u", Body: []byte(`{ "a":1 }`)},
		{Type: report.TypeCOEP, URL: "u", Detail: &report.COEP{Disposition: report.ReportOnly, Violation: "corp", BlockedURL: "https://b.example/"}},
		{Type: report.TypeCrash},
	})
	const batch = `[{"age":1500,"body":{"blockedURL":"inline","columnNumber":4,"disposition":"report","documentURL":"https://a.example/?<q>",` +
		`"effectiveDirective":"script-src-elem","lineNumber":3,"originalPolicy":"script-src 'self'","referrer":"https://r.example/",` +
		`"sample":"alert(1)","sourceFile":"https://a.example/","statusCode":200},"type":"csp-violation","url":"https://a.example/?<q>","user_agent":"UA"},` +
		`null,{"age":0,"body":{"a":1},"type":"invented","url":"u","user_agent":""},` +
		`{"age":0,"body":{"blockedURL":"https://b.example/","disposition":"reporting","type":"corp"},"type":"coep","url":"u","user_agent":""},` +
		`{"age":0,"body":null,"type":"crash","url":"","user_agent":""}]`
	if string(got) != batch || err != nil {
		t.Errorf("Encode:\n got %s, %v\nwant %s", got, err, batch)
	}
}

// What browsers sent survives both formats.
func TestEncodeRecorded(t *testing.T) {
	for _, browser := range recordedBrowsers {
		for _, rec := range readRecorded(t, browser) {
			reports, err := report.Decode([]byte(rec.Body))
			if err != nil {
				t.Fatal(err)
			}
			checkAgain(t, reports, func(r report.Report) report.Report { return r })
			for _, r := range reports {
				if r.Violation == nil {
					continue
				}
				body, err := report.EncodeLegacy(r.Violation)
				if got := decodeOne(t, body); err != nil || *got.Violation != *r.Violation {
					t.Errorf("%s %s: %v\n got %+v\nwant %+v", browser, rec.Name, err, got.Violation, r.Violation)
				}
			}
		}
	}
}

func TestEncodeDetails(t *testing.T) {
	for _, test := range detailTests() {
		reports := []report.Report{{Type: test.kind, URL: "https://a.example/", Detail: test.want}}
		checkAgain(t, reports, func(r report.Report) report.Report {
			if r.Body == nil {
				t.Errorf("%s: no body", test.name)
			}
			r.Body = nil
			return r
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	long := strings.Repeat("x", report.MaxFieldBytes)
	large := report.Report{Type: report.TypeViolation, Violation: &report.Violation{Directive: "x", Sample: long, Referrer: long, SourceFile: long, OriginalPolicy: long}}
	if _, err := report.EncodeLegacy(large.Violation); !errors.Is(err, report.ErrTooLarge) {
		t.Errorf("EncodeLegacy of more than 64 KiB: %v, want ErrTooLarge", err)
	}
	repeat := func(r report.Report, n int) []report.Report {
		all := make([]report.Report, n)
		for i := range all {
			all[i] = r
		}
		return all
	}
	deep := []byte(`{"a":` + strings.Repeat("[", report.MaxDepth) + strings.Repeat("]", report.MaxDepth) + "}")
	tests := []struct {
		name    string
		reports []report.Report
		want    error
	}{
		{"100 reports", repeat(report.Report{Type: "x"}, 100), nil},
		{"101 reports", repeat(report.Report{Type: "x"}, 101), report.ErrTooMany},
		{"more than 1 MiB", repeat(large, 20), report.ErrTooLarge},
		{"no Type", []report.Report{{Violation: &report.Violation{}}}, report.ErrNotReport},
		{"a violation of another type", []report.Report{{Type: "coep", Violation: &report.Violation{}}}, report.ErrNotReport},
		{"the detail of another type", []report.Report{{Type: "coep", Detail: &report.COOP{}}}, report.ErrNotReport},
		{"a potential violation that is one", []report.Report{{Type: report.TypePermissionsPolicy, Detail: &report.PermissionsPolicy{Potential: true}}},
			report.ErrNotReport},
		{"a body that is none", []report.Report{{Type: "x", Body: []byte(`{"a"`)}}, report.ErrNotJSON},
		{"an empty body", []report.Report{{Type: "x", Body: []byte{}}}, report.ErrNotJSON},
		{"a body that is no object", []report.Report{{Type: "x", Body: []byte(`[1]`)}}, report.ErrNotJSON},
		{"a body too deep", []report.Report{{Type: "x", Body: deep}}, report.ErrTooDeep},
		{"a fraction that JSON has not", []report.Report{{Type: report.TypeNetworkError, Detail: &report.NetworkError{SamplingFraction: math.NaN()}}},
			report.ErrNotJSON},
	}
	for _, test := range tests {
		if data, err := report.Encode(test.reports); !errors.Is(err, test.want) || err != nil && data != nil {
			t.Errorf("%s: %d bytes, error %v; want %v", test.name, len(data), err, test.want)
		}
	}
}
