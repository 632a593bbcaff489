package collect_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
)

const reportsPage = "../../../../docs/reports.md"

// The table of noise rules says what the rules say.
func TestDocumentedRules(t *testing.T) {
	page, err := os.ReadFile(reportsPage)
	if err != nil {
		if os.Getenv("MERLON_TEST_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skip("this is no checkout of the repository: ", err)
	}
	var want strings.Builder
	for _, r := range collect.Rules() {
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", &r, r.Reason, r.From, r.Since)
	}
	_, table, _ := strings.Cut(string(page), "\n| rule | what it knows | known from | looked at |\n| --- | --- | --- | --- |\n")
	if table, _, _ = strings.Cut(table, "\n\n"); table+"\n" != want.String() {
		t.Errorf("the table of docs/reports.md is\n%s\n\nwant\n%s", table, want.String())
	}
}
