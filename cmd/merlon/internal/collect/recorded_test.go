package collect_test

import (
	"bufio"
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
)

// recorded is one line of testdata: a POST that a browser sent.
type recorded struct {
	Name    string
	Headers map[string]string
	Body    string
}

func readRecorded(t *testing.T, browser string) []recorded {
	t.Helper()
	f, err := os.Open("testdata/" + browser + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []recorded
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// The issues that the recorded reports make, on a server that hands out ?d=e and ?d=r as merlon does. No name of a page that the
// recorder made up is left in them, and WebKit's are not of an unknown disposition.
func TestRecorded(t *testing.T) {
	issues := map[string][]string{
		"chromium": {
			"base-uri origin http://127.0.0.1:9202 1/0/0",
			"connect-src origin https://127.0.0.1:9244 1/0/0",
			"connect-src origin ws://127.0.0.1:9299 1/0/0",
			"default-src origin http://127.0.0.1:9202 1/0/0",
			"frame-src origin http://127.0.0.1:9202 1/0/0",
			"frame-src other  1/1/0",
			"img-src origin http://127.0.0.1:9202 0/1/0",
			"img-src origin https://127.0.0.1:9244 3/0/0",
			"img-src scheme data: 1/1/0",
			"require-trusted-types-for trusted-types Element innerHTML in /p/trusted-types-innerhtml/eu/* 1/0/0",
			"script-src eval /p/eval-sample/eu/* 1/0/0",
			"script-src wasm-eval /p/wasm/rt/* 0/2/0",
			"script-src-attr inline inline 1/0/0",
			"script-src-elem inline inline 1/0/0",
			"script-src-elem inline inline 1/0/0",
			"script-src-elem origin https://127.0.0.1:9244 1/0/0",
			"script-src-elem self self 1/0/0",
			"trusted-types trusted-types bar in /p/trusted-types-policy/rt/* 0/1/0",
		},
		"firefox": {
			"connect-src origin https://127.0.0.1:9244 1/0/0",
			"frame-ancestors frame-ancestors http://localhost:9201 0/1/0",
			"frame-src origin https://127.0.0.1:9244 1/0/0",
			"img-src origin http://127.0.0.1:9202 2/0/0",
			"img-src scheme data: 1/0/0",
			"require-trusted-types-for trusted-types Element innerHTML in /p/trusted-types-innerhtml/et/* 1/0/0",
			"script-src eval /p/eval-sample/et/* 1/0/0",
			"script-src wasm-eval /p/wasm/et/* 2/0/0",
			"script-src-attr inline inline 1/0/0",
			"script-src-elem inline inline 1/0/0",
			"script-src-elem inline inline 1/0/0",
			"trusted-types trusted-types bar in /p/trusted-types-policy/ru/* 0/1/0",
		},
		"webkit": {
			"frame-ancestors frame-ancestors http://localhost:9201 1/0/0",
			"frame-ancestors frame-ancestors https://localhost:9243 1/0/0",
			"frame-src origin https://127.0.0.1:9244 0/1/0",
			"img-src origin http://127.0.0.1:9202 1/0/0",
			"img-src origin https://127.0.0.1:9244 1/0/0",
			"img-src self self 1/0/0",
			"require-trusted-types-for trusted-types /p/trusted-types-innerhtml/eu/* 1/0/0",
			"require-trusted-types-for trusted-types HTMLScriptElement src in /p/trusted-types-scriptsrc/et/* 1/0/0",
			"script-src eval /p/eval-sample/et/* 1/0/0",
			"script-src-attr inline /p/inline-handler-sample/eu/* 1/0/0",
			"script-src-attr inline inline 1/0/0",
			"script-src-elem inline inline 1/0/0",
			"style-src-attr inline inline 1/0/0",
			"worker-src scheme blob: 1/0/0",
		},
	}
	drops := map[string]map[string]int64{
		"chromium": {"type": 4},
		"firefox":  {"type": 2},
		"webkit":   {"type": 2},
	}
	site := collect.Site{Name: "test", Hosts: []string{"localhost:9201", "localhost:9243", "127.0.0.1:9202", "127.0.0.1:9244"}}
	for browser, want := range issues {
		f := start(t, collect.Config{})
		for _, r := range readRecorded(t, browser) {
			target := "https://localhost:9243/r?d=e"
			if strings.Contains(r.Name, "-ru-") || strings.Contains(r.Name, "-rt-") {
				target = "https://localhost:9243/r?d=r"
			}
			req := httptest.NewRequest("POST", target, strings.NewReader(r.Body))
			for name, value := range r.Headers {
				req.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			f.collector.Handler(site).ServeHTTP(w, req)
			if w.Code != 204 {
				t.Errorf("%s %s: status %d", browser, r.Name, w.Code)
			}
		}
		if diff := cmp.Diff(want, f.lines()); diff != "" {
			t.Errorf("%s: issues (-want +got):\n%s", browser, diff)
		}
		if diff := cmp.Diff(drops[browser], f.drops()); diff != "" {
			t.Errorf("%s: drops (-want +got):\n%s", browser, diff)
		}
	}
}
