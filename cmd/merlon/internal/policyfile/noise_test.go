package policyfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

func TestNoise(t *testing.T) {
	f, err := policyfile.Parse("m", []byte(`version: 1
upstream: http://127.0.0.1:8000
noise:
  - id: old-tag
    blocked: "*.Tags.example/Old/*"
    reason: goes in March
  - id: rest
    blocked: [inline, "data:"]
    source: /static/*.js
    sample: "window.tag*"
    page: [/cart, "/users/*"]
    directive: Script-Src*
    agent: "*Kiosk/*"
    reason: the kiosk's own code
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []policyfile.NoiseRule{
		{ID: "old-tag", Reason: "goes in March", Blocked: []string{"*.tags.example/Old/*"}},
		{ID: "rest", Reason: "the kiosk's own code", Blocked: []string{"inline", "data:"}, Sources: []string{"/static/*.js"}, Samples: []string{"window.tag"},
			Pages: []string{"/cart", "/users/*"}, Directives: []string{"script-src*"}, Agents: []string{"Kiosk/"}},
	}
	if diff := cmp.Diff(want, f.Sites[0].Noise); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNoiseMistakes(t *testing.T) {
	rule := func(keys string) string { return "[{id: a, reason: known, " + keys + "}]" }
	many := func(n int, f string) string {
		var out []string
		for i := range n {
			out = append(out, fmt.Sprintf(f, i))
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	for keys, want := range map[string]string{
		"x":  "m:3:1: noise",
		"[]": "noise is a list of rules",
		"{}": "noise is a list of rules",
		"[{id: A b, reason: known, blocked: a.example}]":       "m:3:10: noise[0].id",
		"[{reason: known, blocked: a.example}]":                "an id of up to 40",
		"[{id: a, blocked: a.example}]":                        "why this is noise",
		`[{id: a, reason: "---", blocked: a.example}]`:         "m:3:17: noise[0].reason",
		rule("blocked: https://a.example/x"):                   "write a.example/x",
		rule("blocked: /x"):                                    "told by its host",
		rule(`blocked: "*"`):                                   "fit every report",
		rule(`page: "**"`):                                     "fit every report",
		rule(`blocked: "a.example?b=c"`):                       "write a.example/?b=c",
		rule("source: zürich.example"):                         "as xn--",
		rule("blocked: ''"):                                    "fit every report",
		rule(`blocked: "a*b*c*d*e*f*.example"`):                "at most 5 stars",
		rule("blocked: [a.example, 5]"):                        "noise[0].blocked[1]",
		rule("blocked: []"):                                    "a list of up to 20",
		rule("blocked: {a: b}"):                                "this key takes texts",
		rule("blocked: " + many(21, "a%d.example")):            "a list of up to 20",
		rule("blocked: " + strings.Repeat("a", 201)):           "up to 200 bytes",
		rule(`sample: "a\u0007b"`):                             "can be shown",
		rule(`sample: "a*b"`):                                  "no star stands within",
		rule(`agent: "a*b"`):                                   "no star stands within",
		rule("page: checkout"):                                 "told by its path",
		rule(`page: "/a?b"`):                                   "told by its path",
		"[{id: a, reason: known}]":                             "would label every report",
		rule("scheme: data"):                                   "unknown key",
		rule("from: us, blocked: a.example"):                   "keys here: id, blocked, source, sample, page, directive, agent, reason",
		many(2, "{id: a, reason: known, blocked: a%d.e}"):      "another rule has this id",
		many(101, "{id: a%d, reason: known, blocked: a.e}"):    "at most 100 rules",
		many(33, "{id: a%[1]d, reason: known, agent: x%[1]d}"): "at most 32 agents",
		"[5]": "noise[0]",
	} {
		_, err := policyfile.Parse("m", []byte("version: 1\nupstream: http://127.0.0.1:8000\nnoise: "+keys+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "m:3:") {
			t.Errorf("%.120s: %v, want line 3 and %q", keys, err, want)
		}
	}
}
