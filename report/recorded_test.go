package report_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/report"
)

// recorded is one line of testdata: the body of a POST that a browser sent, and the page that made it.
type recorded struct{ Name, URL, Body string }

// readRecorded returns the reports recorded from one browser by their name: KIND-WHERE-SCHEME, where e is an enforced policy and
// r a report-only one, u means report-uri and t report-to.
func readRecorded(t testing.TB, browser string) map[string]recorded {
	t.Helper()
	f, err := os.Open("testdata/" + browser + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]recorded{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all[r.Name] = r
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// What each page did, and so what its report has to say whatever the browser made of it.
var recordedTests = map[string]map[string]string{ // browser, name: reports as "directive blocked disposition sample"
	"chromium": {
		"base-uri-eu-http":               "base-uri http://127.0.0.1:9202/b/ enforce",
		"blob-doc-inherit-eu-https":      "img-src https://127.0.0.1:9244/i.gif enforce",
		"coep-iframe-et-https":           "coep",
		"connect-websocket-eu-http":      "connect-src ws://127.0.0.1:9299/sock enforce",
		"data-frame-eu-http":             "frame-src  enforce",
		"data-frame-rt-https":            "frame-src  report",
		"data-img-rt-https":              "img-src data report",
		"default-delay-ext-img-xt-https": "img-src data enforce\nimg-src https://127.0.0.1:9244/i.gif?secret=1 enforce",
		"deprecation-et-https-default":   "deprecation\ndeprecation\ndeprecation",
		"eval-sample-eu-https":           "script-src eval enforce 1+1;/*0123456789012345678901234567890123",
		"ext-img-default-ru-http":        "img-src http://127.0.0.1:9202/i.gif report",
		"ext-script-et-https":            "script-src-elem https://127.0.0.1:9244/x.js?a=1 enforce",
		"frame-eu-http":                  "frame-src http://127.0.0.1:9202 enforce",
		"in-worker-fetch-eu-https":       "connect-src https://127.0.0.1:9244/c enforce",
		"inline-handler-sample-et-https": "script-src-attr inline enforce window.x=1",
		"inline-script-sample-eu-http":   "script-src-elem inline enforce window.x=1;/* a sample that is longer th",
		"prefetch-eu-http":               "default-src http://127.0.0.1:9202/pf enforce",
		"redirect-script-eu-http":        "script-src-elem http://localhost:9201/redir?to=http://127.0.0.1:9202/x.js enforce",
		"srcdoc-inherit-eu-https":        "img-src https://127.0.0.1:9244/i.gif enforce",
		"trusted-types-innerhtml-eu-https": "require-trusted-types-for trusted-types-sink enforce " +
			"Element innerHTML|<b>untrusted value longer than forty cha",
		"trusted-types-policy-rt-https": "trusted-types trusted-types-policy report bar",
		"unicode-eu-http":               `script-src-elem inline enforce /* ünï→😀 "quoted" </x> */ window.x=1`,
		"wasm-rt-https":                 "script-src wasm-eval report\nscript-src wasm-eval report",
	},
	"firefox": {
		"data-img-eu-http":                "img-src data enforce",
		"eval-sample-et-https":            "script-src eval enforce 1+1;/*0123456789012345678901234567890123",
		"frame-ancestors-rframeu-http":    "frame-ancestors  report",
		"frame-et-https":                  "frame-src https://127.0.0.1:9244 enforce",
		"in-worker-fetch-rt-https":        "connect-src https://127.0.0.1:9244/c enforce",
		"inline-handler-sample-eu-http":   "script-src-attr inline enforce window.x=1",
		"inline-script-sample-eu-http":    "script-src-elem inline enforce window.x=1;/* a sample that is longer th",
		"integrity-policy-style-et-https": "integrity-violation\nintegrity-violation",
		"srcdoc-inherit-eu-http":          "img-src http://127.0.0.1:9202/i.gif enforce",
		"three-same-eu-http":              "img-src http://127.0.0.1:9202/i.gif?1 enforce",
		"trusted-types-innerhtml-et-https": "require-trusted-types-for trusted-types-sink enforce " +
			"Element innerHTML|<b>untrusted value longer than forty cha",
		"trusted-types-policy-ru-http": "trusted-types trusted-types-policy report bar",
		"unicode-eu-https":             `script-src-elem inline enforce /* ünï→😀 "quoted" </x> */ window.x=1`,
		"wasm-et-https":                "script-src wasm-eval enforce\nscript-src wasm-eval enforce",
	},
	"webkit": {
		"blob-doc-inherit-eu-https":       "img-src https://127.0.0.1:9244/i.gif unknown",
		"coep-worker-et-https":            "coep",
		"eval-sample-et-http":             "script-src eval enforce 1+1;/*0123456789012345678901234567890123",
		"frame-ancestors-frameb-http":     "frame-ancestors http://127.0.0.1:9202/p/frame-ancestors/frameb/http52104 enforce",
		"frame-ancestors-framet-https":    "frame-ancestors https://127.0.0.1:9244/p/frame-ancestors/framet/https52104 enforce",
		"inline-handler-sample-et-http":   "script-src-attr inline enforce window.x=1",
		"inline-handler-sample-eu-https":  "script-src-attr inline unknown",
		"redirect-frame-ru-https":         "frame-src https://127.0.0.1:9244 unknown",
		"redirect-img-et-http":            "img-src http://localhost:9201/redir?to=http://127.0.0.1:9202/i.gif?after enforce",
		"report-hash-et-https":            "csp-hash",
		"srcdoc-inherit-eu-http":          "img-src http://127.0.0.1:9202/i.gif unknown",
		"style-attr-sample-et-http":       "style-src-attr inline enforce color:red;background:url(data:,) no-repe",
		"trusted-types-innerhtml-eu-http": "require-trusted-types-for trusted-types-sink unknown",
		"trusted-types-scriptsrc-et-http": "require-trusted-types-for trusted-types-sink enforce HTMLScriptElement src|/x.js",
		"unicode-et-http":                 `script-src-elem inline enforce /* ünï→😀 "quoted" </x> */ window.x=1`,
		"worker-blob-eu-http":             "worker-src blob unknown",
	},
}

func TestDecodeRecorded(t *testing.T) {
	for browser, want := range recordedTests {
		got := readRecorded(t, browser)
		if len(got) != len(want) {
			t.Errorf("testdata/%s.jsonl has %d reports, the table %d", browser, len(got), len(want))
		}
		for name, want := range want {
			reports, err := report.Decode([]byte(got[name].Body))
			if err != nil {
				t.Errorf("%s %s: %v", browser, name, err)
				continue
			}
			if got := summaries(reports); got != want {
				t.Errorf("%s %s:\n got %q\nwant %q", browser, name, got, want)
			}
		}
	}
}

// In every recorded report the document is the page, its worker or a frame without a URL of its own.
func TestDecodeRecordedDocument(t *testing.T) {
	for browser := range recordedTests {
		for name, r := range readRecorded(t, browser) {
			if strings.HasPrefix(name, "frame-ancestors") {
				continue // recorded with the URL of the framing page
			}
			reports, _ := report.Decode([]byte(r.Body))
			for _, got := range reports {
				switch {
				case strings.HasPrefix(name, "srcdoc"), strings.HasPrefix(name, "blob-doc"):
					if got.URL != "about" && got.URL != "blob" {
						t.Errorf("%s %s: URL %q, want a bare scheme", browser, name, got.URL)
					}
				case strings.HasPrefix(name, "in-worker"):
					if !strings.Contains(got.URL, "/wf.js") {
						t.Errorf("%s %s: URL %q, want the worker", browser, name, got.URL)
					}
				case got.URL != r.URL:
					t.Errorf("%s %s: URL %q, want %q", browser, name, got.URL, r.URL)
				}
			}
		}
	}
}

func summaries(reports []report.Report) string {
	var lines []string
	for _, r := range reports {
		line := r.Type
		if v := r.Violation; v != nil {
			line = strings.TrimSpace(strings.Join([]string{v.Directive, v.BlockedURL, v.Disposition.String(), v.Sample}, " "))
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
