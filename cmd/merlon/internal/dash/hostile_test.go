package dash_test

import (
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

// seedHostile stores one issue for each text, with the text in every field, and drops under it.
func (r *rig) seedHostile() {
	r.t.Helper()
	var b store.Batch
	for _, s := range hostile {
		h := store.Hit{Site: s, Directive: s, Class: s, Blocked: s, Sample: s, Route: s}
		r.hit(h, 1, report.Enforce)
		h.Directive, h.Class = "img-src", "origin"
		r.hit(h, 1, report.ReportOnly)
		b.Drop(s, s, r.clock.Now(), 1)
	}
	r.commit(&b)
}

func TestHostileTextIsInert(t *testing.T) {
	r := newRig(t)
	r.seedHostile()
	cookie := r.logIn()
	list := r.page("/", 200, cookie)
	targets := []string{"/", "/drops"}
	for _, a := range find(list, "a.headline") {
		targets = append(targets, attr(a, "href"))
	}
	if len(targets) != 2+2*len(hostile) {
		t.Fatalf("%d pages, want one for each issue", len(targets))
	}
	for _, target := range targets {
		doc := r.page(target, 200, cookie)
		checkInert(t, target, doc)
	}
	for _, s := range hostile {
		if got := texts(list, "td.what code"); !containsCut(got, s) {
			t.Errorf("the list does not show %q as text", s)
		}
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
		if slices.Contains([]string{"script", "style", "base", "iframe", "object", "embed", "svg", "b"}, n.Data) {
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
		if n.Data == "title" || n.Data == "code" || n.Data == "option" {
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
	doc := r.page("/", 200, r.logIn())
	wantText(t, doc, "td.what details summary code", long[:90]+"…")
	wantText(t, doc, "td.what details code", long)
}
