package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/merlon-sec/merlon/report"
)

// FuzzDecode holds Decode to three properties: what comes out is bounded, it is printable, and it is normal: written and read again,
// it is the same, from its Body and from its Detail.
func FuzzDecode(f *testing.F) {
	for _, browser := range recordedBrowsers {
		for _, r := range readRecorded(f, browser) {
			f.Add([]byte(r.Body))
		}
	}
	for _, test := range detailTests() {
		f.Add([]byte(`[{"type":"` + test.kind + `","url":"https://a.example/","body":` + test.body + `}]`))
	}
	f.Add([]byte(`{"document-uri":"about","violated-directive":"style-src x","blocked-uri":"self","status-code":"1"}`))
	f.Add([]byte(`{"csp-report":{"document-uri":"http://a/","violated-directive":"x","original-policy":"x http://a:80; y http://a:80"}}`))
	f.Add([]byte("[{\"type\":\"x\",\"body\":{\"\\u0000\":\"\xff\\ud800\\u202e\\ud83d\\ude00\"}},null]"))
	f.Add([]byte(`[{"type":"csp-violation","url":"http://u:p@a/#f","body":{"sourceFile":"data:,x","blockedURL":"http://x #f","sample":"1e999"}}]`))
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
			checkReport(t, r)
		}
		checkAgain(t, reports, func(got report.Report) report.Report { return got })
		withoutBodies := make([]report.Report, len(reports))
		for i, r := range reports {
			if r.Body != nil && r.Detail == nil {
				r.Type = "" // nothing to write it from
			}
			if withoutBodies[i] = r; r.Type == "" {
				withoutBodies[i] = report.Report{}
			}
			withoutBodies[i].Body = nil
		}
		checkAgain(t, withoutBodies, func(got report.Report) report.Report { got.Body = nil; return got })
	})
}

// checkAgain writes and reads the reports, which must not change them.
func checkAgain(t *testing.T, reports []report.Report, but func(report.Report) report.Report) {
	t.Helper()
	data, err := report.Encode(reports)
	if errors.Is(err, report.ErrTooLarge) || errors.Is(err, report.ErrTooDeep) {
		return // a bare object near its limits does not fit into a batch
	}
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	again, err := report.Decode(data)
	if err != nil {
		t.Fatalf("Decode(Encode(reports)): %v", err)
	}
	for i := range again {
		again[i] = but(again[i])
	}
	if !reflect.DeepEqual(reports, again) {
		t.Fatalf("decoded again:\n got %+v\nwant %+v\n from %s", again, reports, data)
	}
}

// FuzzEncode makes a violation normal by writing and reading it, after which both formats keep it.
func FuzzEncode(f *testing.F) {
	f.Add("https://a.example/?q", "", "inline", "script-src-elem", "script-src 'self'", uint8(1), "alert(1)", "chrome-extension", 200, 3, 4)
	f.Add("about:srcdoc", "x", "self", "default-src", "\x00\xff\u2028", uint8(2), "call to eval() …", "moz-extension://1/", -1, 0, 7)
	f.Add("http://u:p@a/#f", "data:,x", "", "Script-Src x;", "http://a:80", uint8(9), strings.Repeat("ü", 50)+"...", "localhost:80", 1<<40, 1, 1)
	f.Fuzz(func(t *testing.T, document, referrer, blocked, directive, policy string, disposition uint8, sample, source string, status, line, column int) {
		v := report.Violation{
			DocumentURL: document, Referrer: referrer, BlockedURL: blocked, Directive: directive, OriginalPolicy: policy,
			Disposition: report.Disposition(disposition), Sample: sample, SourceFile: source, StatusCode: status, Line: line, Column: column,
		}
		legacy, err := report.EncodeLegacy(&v)
		if err != nil {
			if !errors.Is(err, report.ErrTooLarge) {
				t.Fatalf("EncodeLegacy: %v", err)
			}
			return
		}
		normal := decodeOne(t, legacy)
		again, err := report.EncodeLegacy(normal.Violation)
		if errors.Is(err, report.ErrTooLarge) {
			return // encoding/json writes U+FFFD for a broken byte
		}
		if got := decodeOne(t, again); err != nil || !reflect.DeepEqual(got, normal) {
			t.Fatalf("EncodeLegacy, %v:\n got %+v\nwant %+v", err, got.Violation, normal.Violation)
		}
		batch, err := report.Encode([]report.Report{normal})
		if got := decodeOne(t, batch); err != nil || !reflect.DeepEqual(got, normal) {
			t.Fatalf("Encode, %v:\n got %+v\nwant %+v", err, got.Violation, normal.Violation)
		}
		checkReport(t, normal)
	})
}

func decodeOne(t *testing.T, body []byte) report.Report {
	t.Helper()
	reports, err := report.Decode(body)
	if err != nil || len(reports) != 1 || reports[0].Violation == nil {
		t.Fatalf("Decode(%q) = %+v, %v; want one violation", body, reports, err)
	}
	return reports[0]
}

// FuzzBody holds the walk through the JSON of this package against encoding/json.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"a":"\ud83d\ude00 \u00e9\"\\\/\b","b":[1,-2.50e3,{"c":null,"d":[true,false,[]]}], "":{} }`))
	f.Add([]byte("{\"\xff\":\" \xff \u00a0\u3000x\u3000 \\ud800x\\udc00\\n\"}"))
	f.Add([]byte(`{"a":1e999,"a":2,"A":"` + strings.Repeat("ü", 9000) + `"}`))
	f.Fuzz(func(t *testing.T, object []byte) {
		reports, err := report.Decode([]byte(`[{"type":"x","body":` + string(object) + `}]`))
		want, valid := referenceClean(object)
		if err != nil || !valid || len(reports) != 1 || reports[0].Type != "x" {
			return
		}
		got, ok := decodeNumbers(reports[0].Body)
		if !ok || !reflect.DeepEqual(got, want) {
			t.Fatalf("Body %q\n got %v\nwant %v", reports[0].Body, got, want)
		}
	})
}

func decodeNumbers(data []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	return v, d.Decode(&v) == nil && v != nil
}

// referenceClean decodes an object with encoding/json and cleans its values. It is not valid if two of its keys become one: which of
// them counts is then not defined.
func referenceClean(object []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(bytes.ToValidUTF8(object, []byte("?"))))
	d.UseNumber()
	var v map[string]any
	if d.Decode(&v) != nil || v == nil || d.More() {
		return nil, false
	}
	return referenceValue(v)
}

var longExponent = regexp.MustCompile(`[eE][+-]?\d{3}`)

func referenceValue(v any) (any, bool) {
	switch v := v.(type) {
	case string:
		return referenceText(v), true
	case json.Number:
		if len(v) > 64 || longExponent.MatchString(v.String()) {
			return nil, true
		}
	case []any:
		for i := range v {
			var ok bool
			if v[i], ok = referenceValue(v[i]); !ok {
				return nil, false
			}
		}
	case map[string]any:
		clean := make(map[string]any, len(v))
		for key, e := range v {
			value, ok := referenceValue(e)
			if !ok {
				return nil, false
			}
			clean[referenceText(key)] = value
		}
		return clean, len(clean) == len(v)
	}
	return v, true
}

// referenceText is the plain twin of what the package does in one walk.
func referenceText(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case !unicode.IsControl(r) && !unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, s))
	n := min(len(s), report.MaxFieldBytes)
	for n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSpace(s[:n])
}

func checkReport(t *testing.T, r report.Report) {
	t.Helper()
	checkStrings(t, reflect.ValueOf(r))
	if r.Age < 0 || r.Age > 7*24*time.Hour {
		t.Fatalf("age %v", r.Age)
	}
	if r.Violation != nil && r.Type != report.TypeViolation || r.Detail != nil && r.Body == nil {
		t.Fatalf("%+v does not fit together", r)
	}
	if d, ok := r.Detail.(*report.NetworkError); ok && !(d.SamplingFraction >= 1e-6 && d.SamplingFraction <= 1) {
		t.Fatalf("a sampling fraction of %v", d.SamplingFraction)
	}
	if r.Body == nil {
		return
	}
	body, ok := decodeNumbers(r.Body)
	if _, object := body.(map[string]any); !ok || !object {
		t.Fatalf("the body is no object: %q", r.Body)
	}
	checkStrings(t, reflect.ValueOf(body))
}

// checkStrings looks at every string in v.
func checkStrings(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		checkPrintable(t, v.String())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			checkStrings(t, v.Elem())
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			checkStrings(t, v.Field(i))
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			return
		}
		for i := range v.Len() {
			checkStrings(t, v.Index(i))
		}
	case reflect.Map:
		for iter := v.MapRange(); iter.Next(); {
			checkStrings(t, iter.Key())
			checkStrings(t, iter.Value())
		}
	}
}

func checkPrintable(t *testing.T, s string) {
	t.Helper()
	bad := func(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) }
	if len(s) > report.MaxFieldBytes || !utf8.ValidString(s) || strings.ContainsFunc(s, bad) || strings.TrimSpace(s) != s {
		t.Fatalf("%d bytes, UTF-8 %t: %.200q", len(s), utf8.ValidString(s), s)
	}
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
