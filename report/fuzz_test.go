package report_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/merlon-sec/merlon/report"
)

// FuzzDecode holds Decode to three properties: what comes out is bounded, it is printable, and it is normal: written as a batch of
// the Reporting API and read again, it is the same.
func FuzzDecode(f *testing.F) {
	for _, browser := range recordedBrowsers {
		for _, r := range readRecorded(f, browser) {
			f.Add([]byte(r.Body))
		}
	}
	f.Add([]byte(`{"document-uri":"about","violated-directive":"style-src x","blocked-uri":"self","status-code":"1"}`))
	f.Add([]byte("[{\"type\":\"x\",\"body\":{\"\\u0000\":\"\xff\\ud800\\u202e\"}},null]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		reports, err := report.Decode(body)
		if err != nil {
			if reports != nil {
				t.Fatalf("reports beside the error %v", err)
			}
			return
		}
		if len(reports) > report.MaxReports {
			t.Fatalf("%d reports", len(reports))
		}
		for _, r := range reports {
			for _, s := range fields(r) {
				checkPrintable(t, s)
			}
		}
		again, err := report.Decode(encode(t, reports))
		if errors.Is(err, report.ErrTooLarge) || errors.Is(err, report.ErrTooDeep) {
			return // a bare object near its limits does not fit into a batch
		}
		if err != nil || !reflect.DeepEqual(reports, again) {
			t.Fatalf("decoded again: %v\n got %+v\nwant %+v", err, again, reports)
		}
	})
}

func checkPrintable(t *testing.T, s string) {
	t.Helper()
	if len(s) > report.MaxFieldBytes || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		t.Fatalf("%d bytes, UTF-8 %t: %q", len(s), utf8.ValidString(s), s)
	}
}

// fields returns every string of r, those in its Body too.
func fields(r report.Report) []string {
	all := []string{r.Type, r.URL, r.UserAgent}
	if v := r.Violation; v != nil {
		all = append(all, v.DocumentURL, v.Referrer, v.BlockedURL, v.Directive, v.OriginalPolicy, v.Sample, v.SourceFile)
	}
	var body any
	if r.Body != nil && json.Unmarshal(r.Body, &body) != nil {
		return append(all, "\x00 the body is not JSON")
	}
	return append(all, stringsIn(body)...)
}

func stringsIn(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, e := range v {
			all = append(all, stringsIn(e)...)
		}
	case map[string]any:
		for key, e := range v {
			all = append(append(all, key), stringsIn(e)...)
		}
	}
	return all
}

// encode writes reports as a browser that knows the Reporting API does.
func encode(t *testing.T, reports []report.Report) []byte {
	t.Helper()
	batch := make([]any, len(reports))
	for i, r := range reports {
		if r.Type == "" {
			continue // null: not a report before, not one now
		}
		var body any = r.Body
		if v := r.Violation; v != nil {
			body = map[string]any{
				"documentURL": v.DocumentURL, "referrer": v.Referrer, "blockedURL": v.BlockedURL,
				"effectiveDirective": v.Directive, "originalPolicy": v.OriginalPolicy, "disposition": v.Disposition.String(),
				"sample": v.Sample, "sourceFile": v.SourceFile, "statusCode": v.StatusCode, "lineNumber": v.Line, "columnNumber": v.Column,
			}
		}
		batch[i] = map[string]any{"type": r.Type, "url": r.URL, "age": r.Age.Milliseconds(), "user_agent": r.UserAgent, "body": body}
	}
	data, err := json.Marshal(batch)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func BenchmarkDecode(b *testing.B) {
	for browser, name := range map[string]string{"chromium": "ext-img-default-ru-http", "webkit": "eval-sample-et-http"} {
		body := []byte(readRecorded(b, browser)[name].Body)
		b.Run(browser, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := report.Decode(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
