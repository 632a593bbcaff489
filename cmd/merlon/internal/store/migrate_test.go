package store_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// schemas are those that have been in use, each with a database in testdata that the code of then wrote.
var schemas = []int{1, 2}

// restore makes the database of an old schema.
func restore(t *testing.T, schema int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("testdata/schema%d.sql", schema))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "old.db")
	run(t, path, string(text))
	return path
}

// checkOld says what is missing of what the databases in testdata have in common.
func checkOld(s *store.Store, t *testing.T) error {
	all := issues(t, s, store.Query{})
	var total, pages int64
	for _, i := range all {
		total += i.Total()
		for _, p := range i.Pages {
			pages += p.Count
		}
	}
	totals, err := s.Totals(t.Context(), "")
	if want := (store.Totals{Enforced: 198, Reported: 78, Unknown: 78, Dropped: 21}); totals != want || err != nil {
		return fmt.Errorf("totals %+v, %v; want %+v", totals, err, want)
	}
	if len(all) != 13 || total != 354 || pages != 354 {
		return fmt.Errorf("%d issues with %d reports on pages with %d; want 13, 354 and 354", len(all), total, pages)
	}
	sites, err := s.Sites(t.Context())
	if want := []string{"blog", "old", "shop"}; !slices.Equal(sites, want) || err != nil {
		return fmt.Errorf("sites %q, %v; want %q", sites, err, want)
	}
	return nil
}

func TestMigrationLosesNothing(t *testing.T) {
	for _, schema := range schemas {
		t.Run(fmt.Sprint(schema), func(t *testing.T) {
			path := restore(t, schema)
			s, err := store.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := checkOld(s, t); err != nil {
				t.Error(err)
			}
			checkOldIssue(t, s, schema)
			if mode := query[int](t, path, "PRAGMA auto_vacuum"); mode != 2 {
				t.Errorf("auto_vacuum = %d, so that the file never shrinks; want 2", mode)
			}
			if found := query[int](t, path, "SELECT count(*) FROM pragma_foreign_key_check"); found != 0 {
				t.Errorf("%d rows hang on issues that are not there", found)
			}
			old := hit("https://many.example")
			commit(t, s, old)
			if got := issues(t, s, store.Query{Text: old.Blocked}); len(got) != 1 || got[0].Total() != 121 {
				t.Errorf("a report of an old issue went elsewhere: %+v", got)
			}
		})
	}
}

func checkOldIssue(t *testing.T, s *store.Store, schema int) {
	t.Helper()
	i := issues(t, s, store.Query{Text: "https://cdn4.example"})[0]
	i.ID, i.Networks, i.Views, i.Attested, i.Rule = 0, 0, 0, 0, ""
	want := store.Issue{
		Site: "shop", Type: "csp-violation", Directive: "img-src", Class: "origin", Blocked: "https://cdn4.example", FirstSeen: noon, LastSeen: noon.Add(8 * time.Hour),
		Enforced: 5, Reported: 5, Unknown: 5, Pages: []store.Page{{Route: "/shop/0", Count: 15}}, Verdict: store.Actionable, State: store.New,
	}
	if schema > 1 {
		want.Verdict = store.Noise
	}
	if diff := cmp.Diff(want, i); diff != "" {
		t.Errorf("an issue (-want +got):\n%s", diff)
	}
	policy, err := s.Policy(t.Context(), "shop", "4f1c")
	if schema > 1 && (policy.Text != "img-src 'self'" || err != nil) {
		t.Errorf("policy %+v, %v", policy, err)
	}
}

// A migration may end at any page that it writes, as by a loss of power. The write-ahead log, cut after each of them, is what it
// leaves.
func TestMigrationInterrupted(t *testing.T) {
	const header, frame = 32, 24 + 4096
	for _, schema := range schemas {
		path := restore(t, schema)
		run(t, path, "PRAGMA journal_mode = WAL")
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		log, err := os.ReadFile(path + "-wal")
		s.Close()
		if err != nil || len(log) < header+20*frame {
			t.Fatalf("a log of %d bytes, %v: shows nothing", len(log), err)
		}
		for n := 0; header+n*frame <= len(log); n++ {
			openCut(t, schema, before, log[:header+n*frame])
		}
		t.Logf("schema %d: opened after each of %d pages", schema, (len(log)-header)/frame)
	}
}

func openCut(t *testing.T, schema int, file, log []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cut.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"-wal", log, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatalf("schema %d, a log of %d bytes: %v", schema, len(log), err)
	}
	defer s.Close()
	if err := checkOld(s, t); err != nil {
		t.Fatalf("schema %d, a log of %d bytes: %v", schema, len(log), err)
	}
}

// A migration that fails leaves the file as it was.
func TestMigrationFails(t *testing.T) {
	path := restore(t, 1)
	run(t, path, "PRAGMA journal_mode = WAL; CREATE TABLE digests (x)") // in the way of schema 2, which has made other tables by then
	for range 2 {
		s, err := store.Open(t.Context(), path)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "migrating to schema 2") {
			t.Fatalf("Open: %v", err)
		}
	}
	if version := query[int](t, path, "PRAGMA user_version"); version != 1 {
		t.Errorf("schema %d after a migration that failed", version)
	}
	run(t, path, "DROP TABLE digests")
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := checkOld(s, t); err != nil {
		t.Error(err)
	}
}

func TestOpenFindsDamage(t *testing.T) {
	s, path := open(t)
	var hits []store.Hit
	for i := range 200 {
		hits = append(hits, hit(fmt.Sprintf("https://%d.example", i)))
	}
	commit(t, s, hits...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096 * 4; i < len(file); i += 4096 { // the head of each page from the fifth on
		copy(file[i:], bytes.Repeat([]byte{0xff}, 16))
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged, err := store.Open(t.Context(), path)
	checkOpen(t, "Open", path, damaged, err, "the file is damaged: restore a copy or move it away")
	if after, _ := os.ReadFile(path); !bytes.Equal(after, file) {
		t.Error("Open changed a damaged file")
	}
}
