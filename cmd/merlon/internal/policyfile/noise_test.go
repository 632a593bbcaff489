package policyfile_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

func TestNoise(t *testing.T) {
	const site = "version: 1\nupstream: http://127.0.0.1:8000\nnoise:\n"
	f, err := policyfile.Parse("m", []byte(site+`  - {id: tags, blocked: "*.tags.example/x/*", directive: [script-src-elem, img-src], reason: the shop does without it}
  - {id: toolbar, sample: "(function toolbar(", page: /cart*, agent: OldTool/, source: [/static/*.js, "data:"], reason: an old tool}
`))
	want := []policyfile.NoiseRule{
		{ID: "tags", Reason: "the shop does without it", Blocked: []string{"*.tags.example/x/*"}, Directive: []string{"script-src-elem", "img-src"}},
		{ID: "toolbar", Reason: "an old tool", Sample: []string{"(function toolbar("}, Page: []string{"/cart*"}, Agent: []string{"OldTool/"}, Source: []string{"/static/*.js", "data:"}},
	}
	if err != nil || !reflect.DeepEqual(f.Sites[0].Noise, want) {
		t.Fatalf("%v; the rules\n%+v, want\n%+v", err, f, want)
	}
	rule := func(keys string) string { return "  - {id: a, reason: words, " + keys + "}\n" }
	for _, c := range []struct{ text, want string }{
		{"  x\n", "noise is a list"},
		{"  []\n", "noise is a list"},
		{"  - x\n", "it takes the keys id, reason, blocked"},
		{"  - {id: A, blocked: x.example, reason: words}\n", "m:4:6: noise[0].id"},
		{"  - {blocked: x.example, reason: words}\n", "the id of a rule"},
		{"  - {id: a, blocked: x.example}\n", "say why"},
		{"  - {id: a, blocked: x.example, reason: 12}\n", "say why"},
		{"  - {id: a, reason: words}\n", "a rule for every report"},
		{rule(`blocked: "*"`), "a rule for every report"},
		{rule("blocked: []"), "a text, or a list"},
		{rule("blocked: 7"), "noise[0].blocked"},
		{rule("blocked: https://x.example"), "write cdn.example"},
		{rule(`blocked: "x example"`), "no host"},
		{rule("page: cart"), "begins with a slash"},
		{rule("directive: Script-Src"), "no name of a directive"},
		{rule("regexp: a"), "unknown key"},
		{rule("sample: " + strings.Repeat("x", 201)), "no text of 1 to 200 bytes"},
		{rule("sample: x") + rule("sample: y"), "has this id already"},
		{rule("agent: [" + strings.Repeat("x, ", 31) + "x]"), "more than 30 words"},
		{strings.Repeat(rule("sample: x"), 101), "1 to 100 rules"},
	} {
		if _, err := policyfile.Parse("m", []byte(site+c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80s: %v, want %q", c.text, err, c.want)
		}
	}
	many := site
	for i := range 100 {
		many += fmt.Sprintf("  - {id: r%d, sample: x%d, reason: words}\n", i, i)
	}
	if _, err := policyfile.Parse("m", []byte(many)); err != nil {
		t.Error(err)
	}
}

// The example of the guide is a file that works.
func TestDocumentedNoise(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/reports.md")
	if err != nil {
		if os.Getenv("MERLON_TEST_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skip("this is no checkout of the repository: ", err)
	}
	_, example, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	f, err := policyfile.Parse("m", []byte("version: 1\nupstream: http://127.0.0.1:8000\n"+example))
	if err != nil || len(f.Sites[0].Noise) != 2 {
		t.Errorf("%v; the example\n%s", err, example)
	}
}
