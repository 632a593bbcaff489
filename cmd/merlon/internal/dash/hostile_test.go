package dash_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// hostile is text that must come out as text, whichever field of a report it stands in.
var hostile = []string{
	`<script>document.title="owned"</script>`,
	`"><img src=x onerror="document.title='owned'">`,
	`' autofocus onfocus=alert(1) x='`,
	`javascript:alert(1)`,
	`https://attacker.example/%22%3E%3Cscript%3E`,
	`</code></td></table></details></option></select><svg onload=alert(1)>`,
	`{{.Issues}} {{template "layout.html"}} ${7*7}`,
	"<!-- \u202e --> \u200b <base href=//attacker.example>",
	`data:text/html,` + strings.Repeat("<b>A</b>", 60),
}

// seedHostile stores one issue for each text, with the text in every field, and drops, canaries and decisions with it.
func (r *rig) seedHostile() {
	r.t.Helper()
	var b store.Batch
	for i, s := range hostile {
		h := store.Hit{Site: s, Directive: s, Class: s, Blocked: s, Sample: s, Route: s, Verdict: store.Noise, Rule: s,
			Browser: s, Policy: s, Source: s, App: s, Body: func() string { return s }}
		r.hit(h, 1, report.Enforce)
		h.Directive, h.Class, h.Verdict, h.Rule, h.Body = "img-src", "origin", "", "", body(s, "img-src", s, s)
		r.hit(h, 1, report.ReportOnly)
		b.Drop(s, s, r.clock.Now(), 1)
		b.Policy(s, s, "img-src "+s, r.clock.Now())
		b.Canaries(s, s, r.clock.Now(), 2, 1)
		b.Documents(s, s, s, r.clock.Now(), 3)
		r.decide(int64(2*i+1), store.Decision{State: store.Accepted, Note: visibleLine(s)})
	}
	r.commit(&b)
}

func (r *rig) decide(id int64, d store.Decision) {
	r.t.Helper()
	d.At = r.clock.Now()
	if err := r.store.SetState(r.t.Context(), id, d); err != nil {
		r.t.Fatal(err)
	}
}

// visibleLine is a note that the store takes: of one line, and not longer than notes are.
func visibleLine(s string) string { return s[:min(len(s), store.MaxNote)] }

func TestHostileTextIsInert(t *testing.T) {
	r := newRig(t)
	r.seedHostile()
	cookie := r.logIn()
	list := r.page("/issues?state=all", 200, cookie)
	targets := []string{"/", "/drops", "/issues?state=all"}
	for _, a := range find(list, "a.headline") {
		targets = append(targets, attr(a, "href"))
	}
	if len(targets) != 3+2*len(hostile) {
		t.Fatalf("%d pages, want one for each issue", len(targets))
	}
	for _, s := range hostile {
		q := url.QueryEscape(s)
		targets = append(targets, "/?site="+q, "/issues?state=all&site="+q, "/issues?site="+q+"&type="+q+"&directive="+q+"&verdict="+q+"&state="+q+"&text="+q+"&sort="+q+"&after="+q)
	}
	for _, target := range targets {
		checkInert(t, target, r.page(target, 200, cookie))
	}
	for _, s := range hostile {
		if got := texts(list, "td.what code"); !containsCut(got, s) {
			t.Errorf("the list does not show %q as text", s)
		}
		sent := r.do("POST", "/issues/1/state", url.Values{"state": {s}, "until": {s}, "note": {s}}, cookie)
		if sent.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("state %q: %d, want 422", s, sent.StatusCode)
		}
		checkInert(t, "the form for "+s, parse(t, sent))
	}
}

// checkInert fails if the page holds an element, attribute or link that none of our templates has.
func checkInert(t *testing.T, target string, doc *html.Node) {
	t.Helper()
	for n := range doc.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("%s: comment %q", target, n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "svg" && !slices.Contains([]string{"spark", "share"}, attr(n, "class")) && attr(n, "role") != "img" {
			t.Errorf("%s: an svg that is no chart", target)
		}
		if slices.Contains([]string{"script", "style", "base", "iframe", "object", "embed", "image", "b", "animate", "set", "foreignobject", "use"}, n.Data) {
			t.Errorf("%s: element %s", target, n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" || a.Key == "formaction" {
				t.Errorf("%s: attribute %s=%q on %s", target, a.Key, a.Val, n.Data)
			}
			link := a.Key == "href" || a.Key == "src" || a.Key == "action"
			if local := strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//"); link && !local && a.Val != "#main" {
				t.Errorf("%s: %s leads to %q", target, n.Data, a.Val)
			}
		}
		if n.Data == "title" || n.Data == "code" || n.Data == "option" || n.Data == "h2" || n.Data == "li" {
			if got := text(n); strings.ContainsAny(got, "\u202e\u200b") {
				t.Errorf("%s: invisible characters in %q", target, got)
			}
		}
	}
}

// containsCut reports whether a text is shown: its invisible characters spelled out, its spaces as HTML joins them.
func containsCut(shown []string, s string) bool {
	s = strings.NewReplacer("\u202e", `\u202e`, "\u200b", `\u200b`).Replace(s)
	return slices.Contains(shown, strings.Join(strings.Fields(s), " "))
}

func TestLongValuesAreFolded(t *testing.T) {
	r := newRig(t)
	long := "https://cdn.example/" + strings.Repeat("a", 500)
	r.hit(store.Hit{Directive: "script-src", Class: "eval", Blocked: long}, 1, report.Enforce)
	doc := r.page("/issues", 200, r.logIn())
	wantText(t, doc, "td.what details summary code", long[:90]+"…")
	wantText(t, doc, "td.what details code", long)
}
