package dash_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// site is the part of the overview about one site.
func site(t *testing.T, doc *html.Node, name string) *html.Node {
	t.Helper()
	for _, s := range find(doc, "section.sitecard") {
		if texts(s, "h2")[0] == name {
			return s
		}
	}
	t.Fatalf("the overview lacks %s", name)
	return nil
}

// rows are the cells of a table as texts.
func rows(root *html.Node, selector string) (all [][]string) {
	for _, tr := range find(root, selector+" tbody tr") {
		var cells []string
		for c := range tr.ChildNodes() {
			if c.Type == html.ElementNode {
				cells = append(cells, text(c))
			}
		}
		all = append(all, cells)
	}
	return all
}

func TestOverview(t *testing.T) {
	r := newRig(t)
	r.realistic()
	doc := r.page("/", 200, r.logIn())
	shop := site(t, doc, "shop.example")
	wantText(t, shop, "p.pulse", "Reports arrive. The last one: just now 2026-03-26 00:04")
	want := [][]string{{"Accepted", "179", "1 391"}, {"of them blocked for visitors", "145", "145"}, {"Dropped", "1 200", "1 200"}}
	if got := rows(shop, "table.tiles"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("what arrived: %q, want %q", got, want)
	}
	if got := texts(shop, "ul.brief a.headline"); !slices.Equal(got, []string{"Framing attempt", "An inline script without the nonce", "Framing attempt"}) {
		t.Errorf("breaking, then new: %q", got)
	}
	wantText(t, shop, "span.reach", "131 blocked more than usual")
	wantText(t, shop, "td", "About a page of another site")
	tables := find(shop, "table.plain")
	if got := rows(tables[len(tables)-1], ""); fmt.Sprint(got) != "[[chrome 200 188 94 %] [safari 40 0 0 %]]" {
		t.Errorf("canaries: %q", got)
	}
	if got := attr(find(shop, "p.onward a")[len(find(shop, "p.onward a"))-1], "href"); got != "/issues?site=shop.example" {
		t.Errorf("the site's issues are at %q", got)
	}
	wantText(t, doc, "section.card h2", "For no site")
	wantText(t, doc, "section.card td", "Not JSON")
}

// The chart and its table have the same numbers.
func TestChartHasATwin(t *testing.T) {
	r := newRig(t)
	r.realistic()
	shop := site(t, r.page("/", 200, r.logIn()), "shop.example")
	want := "[[26 Mar 00:00 145 0 34] [24 Mar 12:00 0 1 212 0]]"
	if got := rows(shop, "details.twin"); fmt.Sprint(got) != want {
		t.Errorf("table: %q, want %s", got, want)
	}
	if got := texts(shop, "svg g title"); !slices.Equal(got, []string{"24 Mar 12:00: 1 212 report-only", "26 Mar 00:00: 145 blocked, 34 not said"}) {
		t.Errorf("bars: %q", got)
	}
	wantText(t, shop, "div.scale span", "2 000")
	label := attr(find(shop, "figure.chart svg")[0], "aria-label")
	if want := "Reports of shop.example: 1 391, the most in one hour on 24 Mar 12:00: 1 212 report-only. The table below has the numbers."; label != strings.ReplaceAll(want, "1 ", "1\u202f") {
		t.Errorf("label %q, want %q", label, want)
	}
}

func TestOverviewOfAQuietSite(t *testing.T) {
	r := newRig(t)
	r.hit(store.Hit{Directive: "img-src"}, 1, report.Enforce)
	r.clock.Advance(3 * 24 * time.Hour)
	shop := site(t, r.page("/", 200, r.logIn()), "shop.example")
	wantText(t, shop, "p.pulse", "No report in the last 24 hours: nothing is wrong, or nothing arrives. The last one: 3 days ago 2026-03-24 12:00")
	if got := texts(shop, "p.none"); !slices.Equal(got, []string{"None.", "None.", "None."}) {
		t.Errorf("drops, breaking and new: %q", got)
	}
}

// What is beyond the limit of issues shows that somebody makes reports up.
func TestOverviewTellsAnAttack(t *testing.T) {
	r := newRig(t)
	var b store.Batch
	for i := range store.MaxIssues {
		b.Add(r.complete(store.Hit{Directive: "img-src", Class: "origin", Blocked: fmt.Sprintf("https://%d.example", i)}))
	}
	r.commit(&b)
	var more store.Batch
	for i := range 2000 {
		more.Add(r.complete(store.Hit{Directive: "img-src", Class: "origin", Blocked: fmt.Sprintf("https://more-%d.example", i)}))
	}
	r.commit(&more)
	alarm := texts(site(t, r.page("/", 200, r.logIn()), "shop.example"), "p.alarm")
	if len(alarm) != 1 || !strings.Contains(alarm[0], "beyond the limit of issues") {
		t.Errorf("alarm %q, want one", alarm)
	}
}

// A store that reads and does not write: the first page says it.
func TestOverviewTellsThatStoringFails(t *testing.T) {
	r := newRig(t)
	r.realistic()
	cookie := r.logIn()
	if got := find(r.page("/", 200, cookie), "p.alarm"); len(got) != 0 {
		t.Fatalf("alarm %q while all is well", text(got[0]))
	}
	reader := r.readOnly()
	doc := reader.page("/", 200, reader.logIn())
	if alarm := texts(doc, "p.alarm"); len(alarm) != 1 || !strings.HasPrefix(alarm[0], "Reports cannot be stored.") {
		t.Errorf("alarm %q, want one about storing", alarm)
	}
}

// The page stays small however many sites there are.
func TestOverviewOfManySites(t *testing.T) {
	r := newRig(t)
	var b store.Batch
	for i := range 60 {
		b.Add(r.complete(store.Hit{Site: fmt.Sprintf("site-%02d.example", i), Directive: "img-src"}))
	}
	r.commit(&b)
	cookie := r.logIn()
	doc := r.page("/", 200, cookie)
	cards, links := find(doc, "section.sitecard"), find(doc, "ul.inline a")
	if len(cards) != 8 || len(links) != 52 {
		t.Fatalf("%d sites whole and %d links, want 8 and 52", len(cards), len(links))
	}
	other := r.page(attr(links[51], "href"), 200, cookie)
	if got := texts(other, "section.sitecard h2")[0]; got != "site-59.example" {
		t.Errorf("the last link shows %q first", got)
	}
}

func TestEmptyPagesTeach(t *testing.T) {
	r := newRig(t, withReportURL)
	cookie := r.logIn()
	for _, target := range []string{"/", "/issues"} {
		doc := r.page(target, 200, cookie)
		wantText(t, doc, "h2", "No reports yet")
		command := texts(doc, "pre code")[0]
		for _, want := range []string{"'http://shop.example:8080/.merlon/r?d=r'", `"document-uri": "http://shop.example:8080/test"`} {
			if !strings.Contains(command, want) {
				t.Errorf("%s: the command lacks %s:\n%s", target, want, command)
			}
		}
		_, body, _ := strings.Cut(command, "--data '")
		reports, err := report.Decode([]byte(strings.TrimSuffix(body, "'")))
		if err != nil || len(reports) != 1 || reports[0].Violation == nil || reports[0].Violation.BlockedURL != "https://images.example/test.png" {
			t.Errorf("%s: the body of the command decodes to %+v, %v", target, reports, err)
		}
	}
}
