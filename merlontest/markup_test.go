package merlontest_test

import (
	"html"
	"reflect"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/merlontest"
)

var markups = []struct {
	page string
	want []string // name, attributes as a=b, "twice" and the text, joined by "|"
}{
	{``, nil},
	{`<script>1</script>`, []string{"script|1"}},
	{`<SCRIPT Src=/a.js NONCE='x'></SCRIPT >`, []string{"script|src=/a.js|nonce=x|"}},
	{`<style nonce="a&#43;b">p{}</style/>`, []string{"style|nonce=a+b|p{}"}},
	{`<link rel=stylesheet href=a/>`, []string{"link|rel=stylesheet|href=a/|"}},
	{`<script/nonce=x/async>`, []string{"script|nonce=x/async|"}},
	{`<script/async/nonce="x"defer>1`, []string{"script|async=|nonce=x|defer=|1"}},
	{`<script a=1 A=2></script>`, []string{"script|a=1|twice|"}},
	{`<script =x = y>`, []string{"script|=x=y|"}},
	{"<script\nnonce\n=\nx\n></script>", []string{"script|nonce=x|"}},
	{`<script nonce=>1</script>`, []string{"script|nonce=|1"}},
	{`<script nonce="x`, nil},
	{`<script`, nil},
	{`<scripts></scripts><p script>`, nil},
	{`< script><3 a<b</ script><link>`, []string{"link|"}},
	{`<p title="<script>"><p title='<style>'><p title=<link>`, nil},
	{`</p title="><script>"><link>`, []string{"link|"}},
	{`<!-- <script> --><link>`, []string{"link|"}},
	{`<!-- <script> --!><link>`, []string{"link|"}},
	{`<!--><link><!---><link>`, []string{"link|", "link|"}},
	{`<!--><link> -->`, []string{"link|"}},
	{`<!----!><link>`, []string{"link|"}},
	{`<!--!><link>-->`, nil},
	{`<!-- <script>`, nil},
	{`<!doctype html><link><?php ">" ?><link></ ><link>`, []string{"link|", "link|", "link|"}},
	{`<script>"</scripts>" '<link>' "</script" </script><link>`, []string{`script|"</scripts>" '<link>' "</script" `, "link|"}},
	{`<script><!-- <script> </script> --></script><link>`, []string{"script|<!-- <script> </script> -->", "link|"}},
	{`<script><!-- </script><link>`, []string{"script|<!-- ", "link|"}},
	{`<script><!--><script></script><link>`, []string{"script|<!--><script>", "link|"}},
	{`<style><!-- <style> </style> --></style><link>`, []string{"style|<!-- <style> ", "link|"}},
	{`<textarea><link></textarea><title><link></title><iframe><link></iframe><link>`, []string{"link|"}},
	{`<noscript><link></noscript>`, []string{"link|"}},
	{`<link><plaintext><link></plaintext><link>`, []string{"link|"}},
}

func TestMarkup(t *testing.T) {
	for _, tc := range markups {
		var got []string
		for _, e := range merlontest.Scan(tc.page) {
			parts := []string{e.Name}
			for _, a := range e.Attributes {
				parts = append(parts, a[0]+"="+a[1])
			}
			if e.Duplicate {
				parts = append(parts, "twice")
			}
			got = append(got, strings.Join(append(parts, e.Text), "|"))
		}
		if !reflect.DeepEqual(got, tc.want) {
			t.Errorf("the elements of %s are\n%q, want\n%q", tc.page, got, tc.want)
		}
	}
}

// What was found and printed again is found again, and nothing is found in a comment.
func FuzzMarkup(f *testing.F) {
	for _, tc := range markups {
		f.Add(tc.page)
	}
	f.Fuzz(func(t *testing.T, page string) {
		found := merlontest.Scan(page)
		var b strings.Builder
		for i := range found {
			found[i].Duplicate = false
			if strings.Contains(found[i].Text, "<!--") { // a script that the end of the page closed cannot be closed by a tag
				found[i].Text = ""
			}
			b.WriteString(print(found[i]))
		}
		if again := merlontest.Scan(b.String()); !reflect.DeepEqual(again, found) {
			t.Errorf("the elements of %q are\n%+v, and of these printed\n%+v", page, found, again)
		}
		if hidden := merlontest.Scan("<!-- " + strings.ReplaceAll(page, "--", "") + " -->"); hidden != nil {
			t.Errorf("%+v in a comment", hidden)
		}
	})
}

func print(e merlontest.Scanned) string {
	var b strings.Builder
	b.WriteString("<" + e.Name)
	for _, a := range e.Attributes {
		b.WriteString(" " + a[0] + `="` + html.EscapeString(a[1]) + `"`)
	}
	b.WriteString(">" + e.Text)
	if e.Name != "link" {
		b.WriteString("</" + e.Name + ">")
	}
	return b.String()
}
