package collect_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// recorded is a POST that a browser sent.
type recorded struct {
	Name    string
	Kind    string // what the page did: of which type of report and on which page
	Variant string // which policy it had and how it was served: e or r (enforced or report-only), t or u (report-to or report-uri), scheme
	URL     string // of the page
	Headers map[string]string
	Body    string
}

var browsers = []string{"chromium", "firefox", "webkit"}

// readRecorded reads all POSTs that a browser sent to a recorder: Chromium 156, Firefox 153 and WebKitGTK 2.50.
func readRecorded(t testing.TB, browser string) []recorded {
	t.Helper()
	f, err := os.Open("testdata/all-" + browser + ".jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []recorded
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if err := lines.Err(); err != nil || len(all) < 150 {
		t.Fatalf("%s: %d POSTs, %v", browser, len(all), err)
	}
	return all
}

// recorder is the site that the pages were on: two hosts for them, and two for what they load from elsewhere, which frame pages at times.
var recorder = collect.Site{Name: "test", Hosts: []string{"localhost:9201", "localhost:9243", "127.0.0.1:9202", "127.0.0.1:9244"}}

// target is where merlon would have told the browser to report: the addresses in the two policies differ.
func (r *recorded) target() string {
	if strings.HasPrefix(r.Variant, "r") {
		return "https://localhost:9243/r?d=r"
	}
	return "https://localhost:9243/r?d=e"
}

// hits are what the POST makes.
func (r *recorded) hits(t testing.TB, s *collect.Sorter) []store.Hit {
	t.Helper()
	reports, err := report.Decode([]byte(r.Body))
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	req := httptest.NewRequest("POST", r.target(), nil)
	for name, value := range r.Headers {
		req.Header.Set(name, value)
	}
	hits, refused := s.Hits(req, reports, noon)
	if len(refused) > 0 {
		t.Errorf("%s: refused for %q", r.Name, refused)
	}
	return hits
}

// describe says what a hit of the recorder is: "directive class blocked", and the verdict if it is not actionable.
func describe(r recorded, h store.Hit) string {
	_, page, _ := strings.Cut(r.Kind, "/")
	variant, _, _ := strings.Cut(r.Variant, "-")
	blocked := strings.NewReplacer("http://127.0.0.1:9202", "OTHER", "https://127.0.0.1:9244", "OTHER", "http://localhost:9201", "SITE",
		"https://localhost:9243", "SITE", "/p/"+page+"/"+variant+"/*", "PAGE").Replace(h.Blocked)
	text := strings.TrimSpace(h.Directive + " " + h.Class + " " + blocked)
	if h.Verdict != store.Actionable {
		text += " = " + strings.TrimSpace(string(h.Verdict)+" "+h.Rule)
	}
	return text
}

// pageTests says what each page makes: in which browsers (c, f, w), directive, class and what was blocked. PAGE is the page itself, SITE its
// origin, OTHER the other one that it loads things from.
var pageTests = map[string][]string{
	"coep/coep-iframe":                             {"c corp origin OTHER"},
	"coep/coep-img":                                {"w corp origin OTHER"},
	"coep/coep-ro-img":                             {"c corp origin OTHER"},
	"coep/coep-worker":                             {"cw worker-initialization self self"},
	"coop/coop":                                    {"c navigation-to-response opener SITE"},
	"coop/coop-ro":                                 {"cw navigation-to-response opener SITE"},
	"csp-violation/base-uri":                       {"cfw base-uri origin OTHER"},
	"csp-violation/blob-doc-inherit":               {"cw img-src origin OTHER"},
	"csp-violation/blob-img":                       {"cfw img-src scheme blob:"},
	"csp-violation/blob-script":                    {"cfw script-src-elem scheme blob:"},
	"csp-violation/connect-beacon":                 {"cfw connect-src self self"},
	"csp-violation/connect-eventsource":            {"cfw connect-src origin OTHER"},
	"csp-violation/connect-fetch":                  {"cfw connect-src origin OTHER"},
	"csp-violation/connect-ping":                   {"cw connect-src self self"},
	"csp-violation/connect-websocket":              {"cfw connect-src origin ws://127.0.0.1:9299"},
	"csp-violation/connect-xhr":                    {"cfw connect-src self self"},
	"csp-violation/data-frame":                     {"c frame-src other", "w frame-src scheme data:"},
	"csp-violation/data-img":                       {"cfw img-src scheme data:"},
	"csp-violation/data-script":                    {"cf script-src-elem scheme data:"},
	"csp-violation/embed":                          {"fw object-src origin OTHER"},
	"csp-violation/eval":                           {"cf script-src eval PAGE"},
	"csp-violation/eval-sample":                    {"cfw script-src eval PAGE"},
	"csp-violation/ext-font":                       {"fw font-src origin OTHER"},
	"csp-violation/ext-img":                        {"c img-src scheme data:", "cfw img-src origin OTHER"},
	"csp-violation/ext-img-default":                {"cfw img-src origin OTHER"},
	"csp-violation/ext-module":                     {"cfw script-src-elem origin OTHER"},
	"csp-violation/ext-script":                     {"cfw script-src-elem origin OTHER"},
	"csp-violation/ext-script-elem":                {"cfw script-src-elem origin OTHER"},
	"csp-violation/ext-script-inline-stack":        {"cfw img-src origin OTHER"},
	"csp-violation/ext-style":                      {"fw style-src-elem origin OTHER"},
	"csp-violation/form-action":                    {"cfw form-action origin OTHER"},
	"csp-violation/frame":                          {"cfw frame-src origin OTHER"},
	"csp-violation/frame-ancestors":                {"fw frame-ancestors frame-ancestors SITE"},
	"csp-violation/frame-child-src":                {"cfw frame-src origin OTHER"},
	"csp-violation/hash-mismatch":                  {"cfw script-src-elem inline PAGE"},
	"csp-violation/importmap-inline":               {"cfw script-src-elem inline PAGE"},
	"csp-violation/in-worker-fetch":                {"cf connect-src origin OTHER"},
	"csp-violation/inline-handler":                 {"cfw script-src-attr inline PAGE"},
	"csp-violation/inline-handler-attr":            {"cfw script-src-attr inline PAGE"},
	"csp-violation/inline-handler-sample":          {"cfw script-src-attr inline inline", "w script-src-attr inline PAGE"},
	"csp-violation/inline-script":                  {"cw script-src-elem inline PAGE"},
	"csp-violation/inline-script-elem":             {"fw script-src-elem inline PAGE"},
	"csp-violation/inline-script-sample":           {"cfw script-src-elem inline inline", "w script-src-elem inline PAGE"},
	"csp-violation/javascript-url":                 {"cfw script-src-elem inline PAGE"},
	"csp-violation/legacy-report-to":               {"c img-src origin OTHER"},
	"csp-violation/long-url":                       {"cfw img-src origin OTHER"},
	"csp-violation/media":                          {"cfw media-src origin OTHER"},
	"csp-violation/multi-policies":                 {"cfw img-src origin OTHER", "cfw img-src self self"},
	"csp-violation/new-function":                   {"cf script-src eval PAGE"},
	"csp-violation/nonce-mismatch":                 {"cfw script-src-elem inline PAGE"},
	"csp-violation/nonce-mismatch-ext":             {"cfw script-src-elem self self"},
	"csp-violation/object":                         {"fw object-src origin OTHER"},
	"csp-violation/prefetch":                       {"c default-src origin OTHER"},
	"csp-violation/preload-script":                 {"cw script-src-elem origin OTHER"},
	"csp-violation/redirect-frame":                 {"cw frame-src origin OTHER", "f frame-src self self = self-contradicting"},
	"csp-violation/redirect-img":                   {"cfw img-src self self = self-contradicting"},
	"csp-violation/redirect-script":                {"cfw script-src-elem self self = self-contradicting"},
	"csp-violation/report-hash":                    {"w script hash /x.js = noise hash-inventory@1"},
	"csp-violation/serviceworker":                  {"cfw worker-src self self"},
	"csp-violation/settimeout-string":              {"cfw script-src eval PAGE"},
	"csp-violation/sharedworker":                   {"cfw worker-src self self"},
	"csp-violation/speculationrules-inline":        {"c script-src-elem inline PAGE"},
	"csp-violation/srcdoc-inherit":                 {"cfw img-src origin OTHER"},
	"csp-violation/strict-dynamic":                 {"cfw script-src-elem self self"},
	"csp-violation/strict-dynamic-docwrite":        {"cfw script-src-elem self self"},
	"csp-violation/style-attr":                     {"cfw style-src-attr inline PAGE"},
	"csp-violation/style-attr-directive":           {"fw style-src-attr inline PAGE"},
	"csp-violation/style-attr-sample":              {"cfw style-src-attr inline inline", "w style-src-attr inline PAGE"},
	"csp-violation/style-cssom-setattribute":       {"cfw style-src-attr inline PAGE"},
	"csp-violation/style-elem":                     {"cfw style-src-elem inline PAGE"},
	"csp-violation/style-elem-directive":           {"cfw style-src-elem inline PAGE"},
	"csp-violation/style-elem-sample":              {"cfw style-src-elem inline inline", "w style-src-elem inline PAGE"},
	"csp-violation/three-same":                     {"cfw img-src origin OTHER"},
	"csp-violation/trusted-types-eval":             {"cf require-trusted-types-for trusted-types eval in PAGE", "w require-trusted-types-for trusted-types PAGE"},
	"csp-violation/trusted-types-innerhtml":        {"cf require-trusted-types-for trusted-types Element innerHTML in PAGE", "w require-trusted-types-for trusted-types PAGE"},
	"csp-violation/trusted-types-policy":           {"cfw trusted-types trusted-types bar in PAGE", "w trusted-types trusted-types PAGE"},
	"csp-violation/trusted-types-scriptsrc":        {"cfw require-trusted-types-for trusted-types HTMLScriptElement src in PAGE", "w require-trusted-types-for trusted-types PAGE"},
	"csp-violation/two-directives":                 {"cf style-src-elem inline PAGE", "cfw img-src origin OTHER", "cfw script-src-elem inline PAGE"},
	"csp-violation/unicode":                        {"cfw script-src-elem inline inline", "w script-src-elem inline PAGE"},
	"csp-violation/wasm":                           {"cf script-src wasm-eval PAGE"},
	"csp-violation/worker":                         {"cfw worker-src self self"},
	"csp-violation/worker-blob":                    {"cfw worker-src scheme blob:"},
	"csp-violation/worker-own-csp":                 {"c script-src eval /wcsp.js", "f connect-src self self"},
	"deprecation/deprecation":                      {"c deprecation deprecation UnloadHandler", "c deprecation deprecation XMLHttpRequestSynchronousInNonWorkerOutsideBeforeUnload", "c deprecation deprecation XSLT"},
	"document-policy-violation/document-policy-ro": {"c sync-xhr feature sync-xhr"},
	"integrity-violation/integrity-policy-style":   {"f script origin OTHER"},
	"intervention/intervention":                    {"c intervention intervention NavigatorVibrate"},
	"network-error/nel":                            {"c application network ok 2xx SITE = noise network-success@1"},
}

func TestRecordedPages(t *testing.T) {
	got := map[string]map[string]string{} // page, line: browsers
	for _, browser := range browsers {
		s := collect.NewSorter(recorder)
		for _, r := range readRecorded(t, browser) {
			if got[r.Kind] == nil {
				got[r.Kind] = map[string]string{}
			}
			for _, h := range r.hits(t, s) {
				if kind, _, _ := strings.Cut(r.Kind, "/"); h.Type != kind && r.Kind != "csp-violation/report-hash" {
					t.Errorf("%s %s: type %s", browser, r.Name, h.Type)
				}
				if h.Type == report.TypeViolation && h.Disposition == report.DispositionUnknown {
					t.Errorf("%s %s: of an unknown disposition", browser, r.Name)
				}
				line := describe(r, h)
				if !strings.Contains(got[r.Kind][line], browser[:1]) {
					got[r.Kind][line] += browser[:1]
				}
			}
		}
	}
	lines := map[string][]string{}
	for kind, found := range got {
		for line, in := range found {
			lines[kind] = append(lines[kind], in+" "+line)
		}
		slices.Sort(lines[kind])
	}
	if diff := cmp.Diff(pageTests, lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// apart says why one page is not one issue in all browsers.
var apart = map[string]string{
	"csp-violation/inline-handler-sample":   "WebKit sends no sample to report-uri, so the place must stand for it",
	"csp-violation/inline-script-sample":    "WebKit sends no sample to report-uri",
	"csp-violation/style-attr-sample":       "WebKit sends no sample to report-uri",
	"csp-violation/style-elem-sample":       "WebKit sends no sample to report-uri",
	"csp-violation/unicode":                 "WebKit sends no sample to report-uri",
	"csp-violation/trusted-types-eval":      "WebKit sends no sample to report-uri, and so no sink",
	"csp-violation/trusted-types-innerhtml": "WebKit sends no sample to report-uri, and so no sink",
	"csp-violation/trusted-types-policy":    "WebKit sends no sample to report-uri, and so no name",
	"csp-violation/trusted-types-scriptsrc": "WebKit sends no sample to report-uri, and so no sink",
	"csp-violation/data-frame":              "Chromium does not say that it was data:",
	"csp-violation/redirect-frame":          "Firefox names the address before the redirect, WebKit and Chromium the origin after it",
	"csp-violation/multi-policies":          "the page loads two images, and not all POSTs of all browsers are recorded",
}

// One page served in one way is one issue, whichever browser reports it, except where a browser does not say enough.
func TestBrowsersShareIssues(t *testing.T) {
	type page struct{ kind, variant, directive string }
	issues := map[page]map[string]map[store.Fingerprint]bool{}
	for _, browser := range browsers {
		s := collect.NewSorter(recorder)
		for _, r := range readRecorded(t, browser) {
			for _, h := range r.hits(t, s) {
				p := page{r.Kind, r.Variant, h.Directive}
				if issues[p] == nil {
					issues[p] = map[string]map[store.Fingerprint]bool{}
				}
				if issues[p][browser] == nil {
					issues[p][browser] = map[store.Fingerprint]bool{}
				}
				issues[p][browser][h.Fingerprint] = true
			}
		}
	}
	compared := 0
	for p, by := range issues {
		var first map[store.Fingerprint]bool
		for browser, found := range by {
			if apart[p.kind] != "" {
				continue
			}
			if first == nil {
				first = found
			} else if compared++; !maps.Equal(first, found) {
				t.Errorf("%v: other issues in %s", p, browser)
			}
		}
	}
	if compared < 100 {
		t.Errorf("%d pages compared: this test says nothing", compared)
	}
}

// post sends it to a handler, which has to answer 204.
func (r *recorded) post(h http.Handler) int {
	req := httptest.NewRequest("POST", r.target(), strings.NewReader(r.Body))
	for name, value := range r.Headers {
		req.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code
}
