package collect_test

import (
	"fmt"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/report"
)

// What was worked out for other reports changes nothing: a site that has seen all of them before sorts a report as one that has seen none.
func TestRemembered(t *testing.T) {
	site := collect.Site{Name: "shop", Hosts: []string{"shop.example", "other.example"}}
	used := collect.NewSorter(site)
	r := postRequest("https://shop.example/r?d=e")
	contradictions := 0
	for round := range 2 {
		for _, body := range combinations() {
			reports, err := report.Decode([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			got, _ := used.Hits(r, reports, noon)
			want, _ := collect.NewSorter(site).Hits(r, reports, noon)
			if len(got) != 1 || len(want) != 1 {
				t.Fatalf("%s: %d and %d hits, want one", body, len(got), len(want))
			}
			if got[0].Body() != want[0].Body() || got[0].Fingerprint != want[0].Fingerprint || got[0].Verdict != want[0].Verdict {
				t.Errorf("round %d, %s:\n got %s\nwant %s", round, body, got[0].Body(), want[0].Body())
			}
			if got[0].Verdict == "self-contradicting" {
				contradictions++
			}
		}
	}
	if contradictions == 0 {
		t.Error("no report contradicts itself")
	}
}

// combinations are reports that differ in what a policy is asked about, and in what it is not.
func combinations() (bodies []string) {
	for _, document := range []string{"https://shop.example/a?1", "https://shop.example/b?2", "https://other.example/a", "http://shop.example/a"} {
		for _, directive := range []string{"img-src", "script-src-elem", "form-action", "sandbox"} {
			for _, policy := range []string{"default-src 'self'", "default-src https://cdn.example/a", "img-src *; script-src 'strict-dynamic' *; form-action 'self'"} {
				for _, blocked := range []string{"https://cdn.example/a", "https://cdn.example/b", "https://cdn.example/a?q#f", "https://shop.example/x", "data", "inline", "eval"} {
					bodies = append(bodies, fmt.Sprintf(`{"csp-report":{"document-uri":%q,"effective-directive":%q,"original-policy":%q,"blocked-uri":%q}}`,
						document, directive, policy, blocked))
				}
			}
		}
	}
	return bodies
}
