package store_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func TestBackup(t *testing.T) {
	s, path := open(t)
	for i := range 50 {
		commit(t, s, hit(fmt.Sprintf("https://%d.example", i)))
	}
	r, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for name, from := range map[string]*store.Store{"it's a co?py%20.db": s, "by a reader.db": r} {
		to := filepath.Join(t.TempDir(), name)
		if err := from.Backup(t.Context(), to); err != nil {
			t.Fatal(err)
		}
		commit(t, s, hit("https://later.example"))
		info, err := os.Stat(to)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", name, info, err)
		}
		backup, err := store.Open(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		defer backup.Close()
		if got := issues(t, backup, store.Query{Text: "https://7.example"}); len(got) != 1 {
			t.Errorf("%s: an issue is there %d times", name, len(got))
		}
		checkSums(t, to)
		content, _ := os.ReadFile(to)
		if err := s.Backup(t.Context(), to); err == nil || !strings.Contains(err.Error(), "there already: choose another name") {
			t.Errorf("over a file: %v", err)
		}
		if after, _ := os.ReadFile(to); !bytes.Equal(after, content) {
			t.Error("a backup was overwritten")
		}
	}
}

func TestBackupFails(t *testing.T) {
	s, _ := open(t)
	commit(t, s, hit("https://a.example"))
	to := filepath.Join(t.TempDir(), "copy.db")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Backup(ctx, to); err == nil {
		t.Error("a backup went on after its context ended")
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a part of a backup is left")
	}
	if err := s.Backup(t.Context(), filepath.Join(t.TempDir(), "none", "copy.db")); err == nil || !strings.Contains(err.Error(), "no such file or directory") {
		t.Errorf("into no directory: %v", err)
	}
}

// formulas are what spreadsheets run, or ran.
var formulas = []string{`=1+1`, `+1`, `-1`, `@SUM(A1)`, "\t=1", "\r=1", ` =1`, "\u00a0=1", `＝1`, `|calc`, `=cmd|' /C calc'!A0`, `%0A=1`}

func TestExport(t *testing.T) {
	s, _ := open(t)
	blocked := append([]string{"https://a.example", `a "quoted", text`, "two\nlines"}, formulas...)
	for i := range 600 { // more than one part
		blocked = append(blocked, fmt.Sprintf("https://%d.example", i))
	}
	var hits []store.Hit
	for _, b := range blocked {
		h := hit(b)
		h.Sample, h.Route = b, "/"+b
		hits = append(hits, h)
	}
	elsewhere := hit("https://a.example")
	elsewhere.Site = "blog"
	commit(t, s, append(hits, elsewhere)...)
	want := map[string]bool{}
	for _, b := range blocked {
		want[b] = true
	}
	if diff := cmp.Diff(want, exportedJSON(t, s)); diff != "" {
		t.Errorf("JSON lines (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, exportedCSV(t, s)); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	if err := s.Export(t.Context(), new(bytes.Buffer), "xls", store.Query{}); err == nil || !strings.Contains(err.Error(), "use jsonl or csv") {
		t.Errorf("another format: %v", err)
	}
}

func exportedJSON(t *testing.T, s *store.Store) map[string]bool {
	t.Helper()
	var out bytes.Buffer
	if err := s.Export(t.Context(), &out, store.JSONLines, store.Query{Site: "shop"}); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		var i struct {
			Version, Enforced int
			Blocked           string
			Facets            []struct{ Kind, Value string }
		}
		if err := json.Unmarshal([]byte(line), &i); err != nil || i.Version != 1 || i.Enforced != 1 || len(i.Facets) != 2 || i.Facets[0].Value != "/"+i.Blocked {
			t.Fatalf("%s: %+v, %v", line, i, err)
		}
		got[i.Blocked] = true
	}
	return got
}

func exportedCSV(t *testing.T, s *store.Store) map[string]bool {
	t.Helper()
	var out bytes.Buffer
	if err := s.Export(t.Context(), &out, store.CSV, store.Query{Site: "shop"}); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, r := range records[1:] {
		for n, field := range r {
			if start := strings.TrimSpace(field); start != "" && strings.ContainsAny(start[:1], "=+-@|") || strings.HasPrefix(start, "＝") {
				t.Errorf("field %s is a formula: %q", records[0][n], field)
			}
		}
		got[strings.TrimPrefix(r[5], "'")] = true
	}
	if header := strings.Join(records[0], " "); !strings.HasPrefix(header, "id site type directive class blocked sample") {
		t.Errorf("header: %s", header)
	}
	return got
}
