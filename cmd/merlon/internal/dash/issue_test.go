package dash_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

func TestOneIssue(t *testing.T) {
	r := newRig(t)
	r.realistic()
	cookie := r.logIn()
	framed := r.page("/issues/4", 200, cookie)
	wantText(t, framed, "h1", "Framing attempt")
	wantText(t, framed, "p.lead", "The browser refused to show your page inside a frame of another page: https://attacker.example")
	wantText(t, framed, "dd code", "https://attacker.example")
	wantText(t, framed, "dd", "about 15 attested page views from about 12 networks of clients")
	image := r.page("/issues/1", 200, cookie)
	wantText(t, image, "p.lead", "With this policy enforced, the browser would refuse to load an image: https://images.example")
	wantText(t, image, "section.facts p", "Some browsers do not say whether the policy was enforced.")
	wantText(t, image, "dd", "https://images.example another origin")
	wantText(t, image, "dd", "1 234 1 200 report-only 34 not said 20.6 per 1 000 page views")
}

// Where code has no sample, and of eval, the thing that is counted is a place: nobody shall take it for what was blocked.
func TestPlaces(t *testing.T) {
	r := newRig(t)
	r.hit(store.Hit{Directive: "script-src", Class: "eval", Blocked: "/item/*", Sample: "1+1"}, 1, report.Enforce)
	r.hit(store.Hit{Directive: "style-src-elem", Class: "inline", Blocked: "inline", Sample: "h1{}"}, 1, report.Enforce)
	r.hit(store.Hit{Directive: "script-src", Class: "eval", Blocked: store.FoldedBlocked}, 1, report.Enforce)
	cookie := r.logIn()
	eval := r.page("/issues/1", 200, cookie)
	wantText(t, eval, "p.lead", "The browser refused to run text as code with eval, new Function or a timer, in /item/*")
	wantText(t, eval, "dd", "text run as code, in /item/*")
	wantText(t, r.page("/issues", 200, cookie), "td.what div", "in /item/*")
	wantText(t, r.page("/", 200, cookie), "ul.brief div", "script-src in /item/* 1+1")
}

func TestThingWords(t *testing.T) {
	for _, c := range []struct{ class, blocked, want string }{
		{"eval", "/item/*", "eval, in /item/*"},
		{"inline", "inline", "inline"},
		{"inline", "", "inline"},
		{"eval", store.FoldedBlocked, "other"},
		{"origin", "https://a.example", "https://a.example"},
	} {
		if got := dash.ThingWords(store.Issue{Class: c.class, Blocked: c.blocked}); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.class, c.blocked, got, c.want)
		}
	}
}

func TestFacets(t *testing.T) {
	r := newRig(t)
	r.realistic()
	doc := r.page("/issues/1", 200, r.logIn())
	want := map[string]string{
		"On which pages":                      "[[/ 1 200 97 %] [/products/{id} 34 3 %]]",
		"In which browsers":                   "[[firefox 146 1 200 97 %] [chrome 142 34 3 %]]",
		"In which version of the application": "[[v41 1 234 100 %]]",
		"With which verdict":                  "[[actionable 1 234 100 %]]",
	}
	sections := find(doc, "section.facet")
	if len(sections) != len(want) {
		t.Errorf("%d facets, want %d", len(sections), len(want))
	}
	for _, s := range sections {
		title := texts(s, "h2")[0]
		if got := fmt.Sprint(rows(s, "table")); got != want[title] {
			t.Errorf("%s: %s, want %s", title, got, want[title])
		}
	}
}

func TestManyFacetsAreFolded(t *testing.T) {
	r := newRig(t)
	for i := range store.MaxFacets + 5 {
		r.hit(store.Hit{Directive: "img-src", Route: fmt.Sprintf("/%d", i)}, 1, report.Enforce)
	}
	doc := r.page("/issues/1", 200, r.logIn())
	pages := find(doc, "section.facet")[0]
	wantText(t, pages, "summary", "25 more")
	folded := rows(pages, "details")
	if last := folded[len(folded)-1]; !slices.Equal(last, []string{"all other pages together", "5", "14 %"}) {
		t.Errorf("the last row is %q", last)
	}
}

// The newest sample that names a policy is tried again with the engine of package csp.
func TestExplanation(t *testing.T) {
	contradicting := "img-src https://images.example"
	tests := []struct {
		name, policy      string
		hit               store.Hit
		document, blocked string
		want, row         string
	}{
		{"the directive itself", "img-src 'self' data:", store.Hit{Directive: "img-src", Class: "origin", Blocked: "https://images.example"},
			"https://shop.example/", "https://images.example/cat.png", "img-src decides:", "[data: the scheme is https]"},
		{"a fallback", "default-src 'self'", store.Hit{Directive: "script-src-elem", Class: "inline", Blocked: "inline"},
			"https://shop.example/", "inline", "The policy has no script-src-elem and no script-src, so default-src decides:", "['self' does not cover inline code]"},
		{"a nonce", "script-src 'nonce-*' 'strict-dynamic'", store.Hit{Directive: "script-src-elem", Class: "origin", Blocked: "https://cdn.example"},
			"https://shop.example/", "https://cdn.example/a.js", "The policy has no script-src-elem, so script-src decides:",
			"['strict-dynamic' the element came with the page, and was not made by a script]"},
		{"a bare scheme", "font-src 'self'", store.Hit{Directive: "font-src", Class: "scheme", Blocked: "data:"},
			"https://shop.example/", "data", "font-src decides:", "['self' the page is of https://shop.example]"},
		{"a frame", "frame-ancestors 'self'", store.Hit{Directive: "frame-ancestors", Class: "frame-ancestors", Blocked: "https://attacker.example"},
			"https://shop.example/", "", "frame-ancestors decides:", ""},
		{"a contradiction", contradicting, store.Hit{Directive: "img-src", Class: "origin", Blocked: "https://images.example", Verdict: store.SelfContradicting},
			"https://shop.example/", "https://images.example/", "The report contradicts itself. By the policy that it names, this is allowed through https://images.example. That can mean:", ""},
		{"no such directive", "img-src 'self'", store.Hit{Directive: "form-action", Class: "origin", Blocked: "https://pay.example"},
			"https://shop.example/", "https://pay.example/", "No directive of the reported policy decides about form-action.", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			tt.hit.Body = body(tt.document, tt.hit.Directive, tt.blocked, "p")
			var b store.Batch
			b.Policy("shop.example", "p", tt.policy, r.clock.Now())
			b.Add(r.complete(tt.hit))
			r.commit(&b)
			doc := r.page("/issues/1", 200, r.logIn())
			wantText(t, doc, "section.explanation p", tt.want)
			if got := fmt.Sprint(rows(doc, "section.explanation table")); !strings.Contains(got, tt.row) {
				t.Errorf("reasons %s, want one to be %s", got, tt.row)
			}
			wantText(t, doc, "section.explanation details code", tt.policy)
		})
	}
}

func TestNoExplanationWithoutAPolicy(t *testing.T) {
	for name, sample := range map[string]string{
		"no sample": "", "not JSON": "{", "another schema": `{"schema":9,"policy":"p","directive":"img-src"}`, "an unknown policy": `{"schema":1,"policy":"q","directive":"img-src"}`,
	} {
		r := newRig(t)
		h := store.Hit{Directive: "img-src"}
		if sample != "" {
			h.Body = func() string { return sample }
		}
		r.hit(h, 1, report.Enforce)
		if doc := r.page("/issues/1", 200, r.logIn()); len(find(doc, "section.explanation")) != 0 {
			t.Errorf("%s: there is an explanation", name)
		}
	}
}

func TestSamples(t *testing.T) {
	r := newRig(t)
	for i := range 14 {
		r.hit(store.Hit{Directive: "img-src", Body: func() string { return fmt.Sprintf(`{"n":%d,"text":"<b>\u202e"}`, i) }}, 1, report.Enforce)
		r.clock.Advance(2 * time.Minute)
	}
	samples := texts(r.page("/issues/1", 200, r.logIn()), "details.raw pre code")
	if len(samples) == 0 || len(samples) > store.MaxSamples {
		t.Fatalf("%d samples, want some and at most %d", len(samples), store.MaxSamples)
	}
	if want := `{ "n": 13, "text": "<b>\u202e" }`; samples[0] != want {
		t.Errorf("the newest sample is %q, want %q", samples[0], want)
	}
}

// An issue of the last days has a timeline by the hour, an older one by the day.
func TestTimeline(t *testing.T) {
	r := newRig(t)
	r.hit(store.Hit{Directive: "img-src"}, 3, report.Enforce)
	cookie := r.logIn()
	if got := fmt.Sprint(rows(r.page("/issues/1", 200, cookie), "details.twin")); got != "[[24 Mar 12:00 3 0 0]]" {
		t.Errorf("by the hour: %s", got)
	}
	r.clock.Advance(10 * 24 * time.Hour)
	r.hit(store.Hit{Directive: "img-src"}, 2, report.ReportOnly)
	doc := r.page("/issues/1", 200, r.logIn())
	if got := fmt.Sprint(rows(doc, "details.twin")); got != "[[3 Apr 2026 0 2 0] [24 Mar 2026 3 0 0]]" {
		t.Errorf("by the day: %s", got)
	}
	if got := texts(doc, "div.dates span"); len(got) != 6 || got[0] != "5 Mar" {
		t.Errorf("dates %q, want six from 5 Mar on", got)
	}
}

// Reports that are about no policy say what they are about.
func TestOtherReportTypes(t *testing.T) {
	r := newRig(t)
	h := r.complete(store.Hit{Directive: "deprecation", Class: "deprecation", Blocked: "UnloadHandler"})
	h.Type = "deprecation"
	var b store.Batch
	b.Add(h)
	r.commit(&b)
	doc := r.page("/issues/1", 200, r.logIn())
	wantText(t, doc, "h1", "Something that browsers will remove")
	wantText(t, doc, "p.lead", "A page uses a feature that browsers are about to take away. UnloadHandler")
	if got := texts(doc, "span.split"); got[0] != "" {
		t.Errorf("a deprecation is enforced or not: %q", got)
	}
}
