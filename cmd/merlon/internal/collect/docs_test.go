package collect_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
)

// The table of noise rules in the documentation is that of the program.
func TestRulesInDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/reports.md")
	if err != nil {
		t.Fatal(err)
	}
	const head = "| rule | why it is noise | known from, looked at |\n| --- | --- | --- |\n"
	_, rest, ok := strings.Cut(string(text), head)
	if !ok {
		t.Fatalf("no table begins with %q", head)
	}
	got, _, _ := strings.Cut(rest, "\n\n")
	var want []string
	for _, r := range collect.Rules() {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s, %s |", r.String(), strings.ReplaceAll(r.Reason, "|", `\|`), r.From, r.Since))
	}
	if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(got), "\n")); diff != "" {
		t.Errorf("docs/reports.md, -want +got:\n%s", diff)
	}
}
