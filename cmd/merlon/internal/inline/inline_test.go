package inline_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/inline"
	"github.com/merlon-sec/merlon/csp"
)

const page = `<!doctype html><script>a()</script><script src=/a.js integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JHhwq1? md5-x"></script>
<script src=/b.js></script><script type="application/ld+json">{}</script><script type=module>b()</script><script type=TEXT/JAVASCRIPT>c()</script>
<script></script><style>p{}</style><noscript><style>q{}</style></noscript><template><script>d()</script></template>
<a href=" javascript:e() " style="color:red" onclick="f()">x</a><svg><script>g()</script></svg><script language=vbscript>h()</script><script language=x>i()</script>`

func parse(t *testing.T, text string) []inline.Code {
	t.Helper()
	code, err := inline.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestParse(t *testing.T) {
	var got []string
	for _, c := range parse(t, page) {
		got = append(got, []string{"script", "data", "style", "handler", "attr", "url", "integrity"}[c.Kind]+" "+c.Where+" "+c.Text[:min(len(c.Text), 14)])
	}
	want := []string{"script <script> a()", "integrity <script integrity> sha384-oqVuAfX", "data <script> {}", "script <script> b()", "script <script> c()", "style <style> p{}",
		"script <script> d()", "url <a href> javascript:e()", "handler <a onclick> f()", "attr <a style> color:red", "script <script> g()", "script <script> h()", "data <script> i()"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := inline.Parse(strings.NewReader("<script>'\xe4'</script>")); err == nil {
		t.Error("a page in another encoding than UTF-8 is taken")
	}
}

func hash(text string) string { return strings.Trim(csp.HashOf("sha256", text), "'") }

func TestPage(t *testing.T) {
	code := parse(t, "<script>a()</script><script>a()</script><style>p{}</style><p onclick=b() style=c>"+`<a href=javascript:d()>`)
	scripts, styles := inline.NewPage(code, false).Sources()
	if diff := cmp.Diff([][]string{{csp.HashOf("sha256", "a()")}, {csp.HashOf("sha256", "p{}")}}, [][]string{scripts, styles}); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	scripts, styles = inline.NewPage(code, true).Sources()
	if len(scripts) != 4 || len(styles) != 3 || scripts[3] != "'unsafe-hashes'" || styles[2] != "'unsafe-hashes'" {
		t.Errorf("with handlers: %q, %q", scripts, styles)
	}
}

func TestManifest(t *testing.T) {
	m := inline.Manifest{Pages: map[string]inline.Page{"/": inline.NewPage(parse(t, page), true), "/none": {}}}
	name := filepath.Join(t.TempDir(), "hashes.json")
	if err := m.Write(name); err != nil {
		t.Fatal(err)
	}
	read, err := inline.Read(name)
	if diff := cmp.Diff(m, read); err != nil || diff != "" {
		t.Errorf("%v, -written +read:\n%s", err, diff)
	}
	if left, _ := os.ReadDir(filepath.Dir(name)); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
	for _, text := range []string{"", "{}", `[]`, `{"schema":"merlon/hashes","version":2,"pages":{}}`, `{"schema":"merlon/policy","version":1}`, `{"schema":"merlon/hashes","version":1,"pages":{"/":{"script":[]}}}`,
		`{"schema":"merlon/hashes","version":1,"pages":{"a":{}}}`, `{"schema":"merlon/hashes","version":1,"pages":{"/":{"scripts":["'unsafe-inline'"]}}}`,
		`{"schema":"merlon/hashes","version":1,"pages":{"/":{"scripts":["` + hash("x") + `; img-src *"]}}}`, `{"schema":"merlon/hashes","version":1,"pages":{"/":{"styles":["sha256-x"]}}}`} {
		if _, err := inline.Decode([]byte(text)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	var many inline.Page
	for range 200 {
		many.Scripts = append(many.Scripts, hash(strings.Repeat("x", len(many.Scripts))))
	}
	if err := (inline.Manifest{Pages: map[string]inline.Page{"/": many}}).Write(name); err == nil || !strings.Contains(err.Error(), "over the limit of 6144 for a header") {
		t.Errorf("a page with 200 scripts: %v", err)
	}
}

func TestDifferences(t *testing.T) {
	before := inline.Manifest{Pages: map[string]inline.Page{"/a": {Scripts: []string{hash("1"), hash("2")}}, "/b": {Styles: []string{hash("3")}}}}
	after := inline.Manifest{Pages: map[string]inline.Page{"/a": {Scripts: []string{hash("2"), hash("4")}}, "/c": {Handlers: []string{hash("5")}}}}
	want := []inline.Difference{{"/a", "script", hash("1"), true}, {"/a", "script", hash("4"), false}, {"/b", "style", hash("3"), true}, {"/c", "handler", hash("5"), false}}
	if diff := cmp.Diff(want, inline.Differences(before, after)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
