package report_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/report"
)

// recorded is one line of testdata: the body of a POST that a browser sent, the page that made it and the policies of the page.
// Name reads PAGE-WHERE-SCHEME, where WHERE is an enforced policy (e) or a report-only one (r) with report-uri (u) or
// report-to (t).
type recorded struct{ Name, Page, URL, Policy, Body string }

var recordedBrowsers = [...]string{"chromium", "firefox", "webkit"}

// readRecorded returns the POSTs recorded from one browser by their name.
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

func TestDecodeRecorded(t *testing.T) {
	rows := recordedPages()
	details := recordedDetails()
	hits := map[string]map[int]bool{} // browser: rows that a report matched
	posts, reports := 0, 0
	for _, browser := range recordedBrowsers {
		hits[browser] = map[int]bool{}
		for name, rec := range readRecorded(t, browser) {
			posts++
			got, err := report.Decode([]byte(rec.Body))
			if err != nil || len(got) == 0 {
				t.Errorf("%s %s: %d reports, %v", browser, name, len(got), err)
				continue
			}
			reports += len(got)
			if want, ok := details[browser+" "+name]; ok {
				checkDetails(t, browser+" "+name, got, want)
				delete(details, browser+" "+name)
				continue
			}
			for _, r := range got {
				hits[browser][checkViolation(t, rows, browser, rec, r)] = true
			}
		}
	}
	for key := range details {
		t.Errorf("%s is not recorded", key)
	}
	checkAllHit(t, rows, hits)
	t.Logf("%d POSTs with %d reports", posts, reports)
	for _, browser := range recordedBrowsers {
		t.Logf("%s: %d rows of the table", browser, len(hits[browser]))
	}
	if want := 175 + 186 + 231; posts != want {
		t.Errorf("%d recorded POSTs, want %d", posts, want)
	}
}

func checkDetails(t *testing.T, name string, got []report.Report, want []report.Detail) {
	t.Helper()
	details := make([]report.Detail, len(got))
	for i, r := range got {
		details[i] = r.Detail
	}
	if !reflect.DeepEqual(details, want) {
		t.Errorf("%s:\n got %s\nwant %s", name, printDetails(details), printDetails(want))
	}
}

func printDetails(details []report.Detail) string {
	var b strings.Builder
	for _, d := range details {
		fmt.Fprintf(&b, "%T%+v ", d, d)
	}
	return b.String()
}

// checkViolation returns the index of the row that the report equals.
func checkViolation(t *testing.T, rows []pageRow, browser string, rec recorded, r report.Report) int {
	t.Helper()
	v := r.Violation
	if r.Type != report.TypeViolation || v == nil {
		t.Errorf("%s %s: type %q, want a violation", browser, rec.Name, r.Type)
		return -1
	}
	if want := wantDisposition(browser, rec, v); v.Disposition != want {
		t.Errorf("%s %s: disposition %v, want %v", browser, rec.Name, v.Disposition, want)
	}
	i := slices.IndexFunc(rows, func(row pageRow) bool {
		return row.page == rec.Page && strings.Contains(row.browsers, browser[:1]) &&
			row.directive == v.Directive && row.kind == blockedKind(v.BlockedURL) && expand(row.blocked, rec) == v.BlockedURL &&
			wantSample(browser, rec, row) == v.Sample
	})
	if i < 0 {
		t.Errorf("%s %s: %s %s %q sample %q is not in the table", browser, rec.Name, v.Directive, blockedKind(v.BlockedURL),
			v.BlockedURL[:min(200, len(v.BlockedURL))], v.Sample)
	}
	return i
}

// checkAllHit says which rows no report is about: nobody would notice that they are wrong.
func checkAllHit(t *testing.T, rows []pageRow, hits map[string]map[int]bool) {
	t.Helper()
	for i, row := range rows {
		for _, browser := range recordedBrowsers {
			if strings.Contains(row.browsers, browser[:1]) && !hits[browser][i] {
				t.Errorf("%s has no recorded report of %s %s %s", browser, row.page, row.directive, row.blocked)
			}
		}
	}
}

func legacyShape(rec recorded) bool { return strings.Contains(rec.Body, `"csp-report"`) }

// expand puts the origins that the recording server had into a cell of the table.
func expand(cell string, rec recorded) string {
	self, other := "http://localhost:9201", "http://127.0.0.1:9202"
	if strings.HasPrefix(rec.URL, "https:") {
		self, other = "https://localhost:9243", "https://127.0.0.1:9244"
	}
	return strings.NewReplacer("{self}", self, "{other}", other, "{page}", rec.URL).Replace(cell)
}

func wantSample(browser string, rec recorded, row pageRow) string {
	if browser == "webkit" && legacyShape(rec) {
		return ""
	}
	return row.sample
}

// wantDisposition looks up in the headers of the page how the violated policy was sent.
func wantDisposition(browser string, rec recorded, v *report.Violation) report.Disposition {
	switch {
	case browser == "webkit" && legacyShape(rec):
		return report.DispositionUnknown
	case rec.Page == "worker-own-csp":
		return report.Enforce // by the headers of the worker
	case browser == "firefox" && rec.Page == "in-worker-fetch":
		return report.Enforce // the page's policy is report-only; Firefox says otherwise in its worker
	}
	for line := range strings.Lines(rec.Policy) {
		name, policy, _ := strings.Cut(strings.TrimSpace(line), ": ")
		// Firefox completes the URL of a report-uri.
		if want, _, _ := strings.Cut(v.OriginalPolicy, "; report-"); !strings.HasPrefix(policy, want+"; report-") {
			continue
		}
		if strings.HasSuffix(name, "-Report-Only") {
			return report.ReportOnly
		}
		return report.Enforce
	}
	return report.DispositionUnknown
}

// blockedKind says which form a BlockedURL has.
func blockedKind(s string) string {
	switch s {
	case "inline", "eval", "wasm-eval":
		return s
	case "trusted-types-sink", "trusted-types-policy":
		return "trusted-types"
	case "":
		return "empty"
	}
	_, rest, ok := strings.Cut(s, "://")
	switch {
	case !ok:
		return "scheme"
	case strings.Contains(rest, "/"):
		return "url"
	}
	return "origin"
}

// In every recorded report the document is the page, its worker or a frame without a URL of its own.
func TestDecodeRecordedDocument(t *testing.T) {
	for _, browser := range recordedBrowsers {
		for name, rec := range readRecorded(t, browser) {
			reports, _ := report.Decode([]byte(rec.Body))
			for _, got := range reports {
				var want string
				switch rec.Page {
				case "frame-ancestors": // recorded with the URL of the framing page
					want = expand("{other}/p/frame-ancestors/", rec)
				case "srcdoc-inherit":
					want = "about"
				case "blob-doc-inherit":
					want = "blob"
				case "in-worker-fetch":
					want = expand("{self}/wf.js", rec)
				case "worker-own-csp":
					want = expand("{self}/wcsp.js", rec)
				case "nel": // of a request
					want = expand("{self}/", rec)
				default:
					want = rec.URL
				}
				if !strings.HasPrefix(got.URL, want) {
					t.Errorf("%s %s: URL %q, want %q", browser, name, got.URL, want)
				}
			}
		}
	}
}

// A Body has what the browser sent: encoding/json reads the same in both.
func TestDecodeRecordedBodies(t *testing.T) {
	for _, browser := range recordedBrowsers {
		for name, rec := range readRecorded(t, browser) {
			var raw []struct{ Body map[string]any }
			if json.Unmarshal([]byte(rec.Body), &raw) != nil {
				continue // a single object, always a violation
			}
			reports, _ := report.Decode([]byte(rec.Body))
			for i, r := range reports {
				if r.Violation != nil {
					continue
				}
				var got map[string]any
				if err := json.Unmarshal(r.Body, &got); err != nil || !maps.EqualFunc(got, raw[i].Body, func(a, b any) bool { return a == b }) {
					t.Errorf("%s %s: Body %s, want %v", browser, name, r.Body, raw[i].Body)
				}
			}
		}
	}
}
