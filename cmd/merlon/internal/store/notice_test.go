package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func TestNotices(t *testing.T) {
	s, path := open(t)
	at := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	on := store.Notice{Site: "shop", Kind: "jump", Subject: "issue-1", State: store.Firing, Since: at, Fired: at, Issue: 1, What: "w", Why: "y", Pending: []string{"webhook", "email"}}
	over := store.Notice{Site: "shop", Kind: "silence", State: store.Resolved, Since: at.Add(-time.Hour), SentAt: at, Fired: at.Add(-2 * time.Hour), Pending: []string{}}
	waits := over
	waits.Kind, waits.Pending = "other-share", []string{"email"}
	waits.SentAt = time.Time{}
	save := func(forget time.Time, notices ...store.Notice) {
		t.Helper()
		if err := s.SaveNotices(t.Context(), notices, forget); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want ...store.Notice) {
		t.Helper()
		got, err := s.Notices(t.Context())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	}
	save(at.Add(-day), on, over, waits)
	want(on, waits, over)
	on.State, on.Since, on.Pending = store.Resolved, at.Add(time.Minute), []string{}
	save(at, on)
	want(on, waits) // one that somebody has yet to hear of is not forgotten
	r, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.SaveNotices(t.Context(), []store.Notice{on}, at); err == nil {
		t.Error("a reader stores alerts")
	}
}

const day = 24 * time.Hour
