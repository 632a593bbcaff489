package store_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// fullScan matches the plan of a statement that reads a whole table. To walk along an index in its order, up to a limit, is none;
// neither is the list of sites or the rows that the statement itself has found. All hours of a site are as bad as a whole table.
var fullScan = regexp.MustCompile(`SCAN (issues|facets|samples|timeline|counters|drops|policies|documents|canaries|alerts|t|b|d|f)($| USING COVERING INDEX sqlite_autoindex)|` +
	`SEARCH (counters|timeline|drops|documents) USING [A-Z ]*PRIMARY KEY [(]site=[?][)]`)

// Each page view is answered by indexes, so that a page takes as long with a full database as with an empty one.
func TestQuestionsUseIndexes(t *testing.T) {
	s, path := open(t)
	commit(t, s, hit("https://a.example"))
	db, err := sql.Open("sqlite", uri(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, asked := range store.AskedPerView("shop", 1, noon) {
		for _, step := range plan(t, db, asked) {
			if fullScan.MatchString(step) {
				t.Errorf("%s: %s", asked.Name, step)
			}
		}
	}
	whole := plan(t, db, store.Asked{Name: "control", Text: "SELECT count(*) FROM samples WHERE body = ''"})
	if len(whole) != 1 || !fullScan.MatchString(whole[0]) {
		t.Errorf("the plan of a full scan is %q, which this test does not see", whole)
	}
}

func plan(t *testing.T, db *sql.DB, asked store.Asked) (steps []string) {
	t.Helper()
	rows, err := db.Query("EXPLAIN QUERY PLAN "+asked.Text, asked.Args...)
	if err != nil {
		t.Fatalf("%s: %v", asked.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if len(steps) == 0 {
		t.Fatal(fmt.Errorf("%s: no plan: %w", asked.Name, rows.Err()))
	}
	return steps
}
