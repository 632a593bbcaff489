package upkeep_test

import (
	"bytes"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/upkeep"
)

// fixture is a database with an issue of a tag, in a bubble of its own time.
type fixture struct {
	t      *testing.T
	store  *store.Store
	path   string
	upkeep *upkeep.Upkeep
	log    *bytes.Buffer
}

func within(t *testing.T, f func(*fixture)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "merlon.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var b store.Batch
		b.Add(store.Hit{Site: "shop", Type: "csp-violation", Directive: "img-src", Class: "origin", Blocked: "https://a.tags.example", At: time.Now(), Verdict: store.Actionable,
			Route: "/", Body: func() string { return "{}" }})
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		u := upkeep.New(upkeep.Config{Store: s, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		defer u.Close()
		f(&fixture{t, s, path, u, &log})
	})
}

// label is that of the issue.
func (f *fixture) label() string {
	f.t.Helper()
	issues, err := f.store.Issues(f.t.Context(), store.Query{})
	if err != nil || len(issues) != 1 {
		f.t.Fatal(issues, err)
	}
	return strings.TrimSpace(string(issues[0].Verdict) + " " + issues[0].Rule)
}

func (f *fixture) samples() (n int) {
	f.t.Helper()
	db, err := sql.Open("sqlite", f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM samples").Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// What the policy file says of noise holds for issues that are there already, and no longer when it says so no longer.
func TestRelabels(t *testing.T) {
	within(t, func(f *fixture) {
		tags := collect.Site{Name: "shop", Noise: []collect.Rule{{ID: "tags", Reason: "ours", Blocked: []string{"*.tags.example"}}}}
		for _, step := range []struct {
			site collect.Site
			want string
			logs int // in all
		}{
			{collect.Site{Name: "shop"}, "actionable", 0}, {tags, "noise own/tags@", 1}, {tags, "noise own/tags@", 1}, {collect.Site{Name: "blog"}, "noise own/tags@", 1},
			{collect.Site{Name: "shop"}, "actionable", 2},
		} {
			f.upkeep.Set(upkeep.Task{Sites: []collect.Site{step.site}})
			synctest.Wait()
			if got := f.label(); !strings.HasPrefix(got, step.want) {
				t.Errorf("with %v: %s, want %s", step.site.Noise, got, step.want)
			}
			if n := strings.Count(f.log.String(), "got other labels"); n != step.logs {
				t.Errorf("with %v: %d lines, want %d:\n%s", step.site.Noise, n, step.logs, f.log)
			}
		}
	})
}

// Samples go after their time, some minutes after the start and then each hour.
func TestMaintains(t *testing.T) {
	within(t, func(f *fixture) {
		f.upkeep.Set(upkeep.Task{Retention: store.Retention{Samples: 90 * time.Minute}})
		for _, step := range []struct {
			after   time.Duration
			runs, n int
		}{{4 * time.Minute, 0, 1}, {2 * time.Minute, 1, 1}, {time.Hour, 2, 1}, {time.Hour, 3, 0}} {
			time.Sleep(step.after)
			synctest.Wait()
			if got := strings.Count(f.log.String(), "was maintained"); got != step.runs || f.samples() != step.n {
				t.Errorf("after %s more: %d runs and %d samples, want %d and %d\n%s", step.after, got, f.samples(), step.runs, step.n, f.log)
			}
		}
	})
}

// A mistake that stays is told once.
func TestTellsOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "merlon.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		reader, err := store.OpenReader(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		for _, c := range []struct {
			store *store.Store
			want  int
		}{{s, 0}, {reader, 1}} {
			var log bytes.Buffer
			u := upkeep.New(upkeep.Config{Store: c.store, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			time.Sleep(3 * time.Hour)
			u.Close()
			if got := strings.Count(log.String(), "level=ERROR"); got != c.want || c.want > 0 && !strings.Contains(log.String(), "opened for reading") {
				t.Errorf("%d errors, want %d:\n%s", got, c.want, &log)
			}
		}
	})
}
