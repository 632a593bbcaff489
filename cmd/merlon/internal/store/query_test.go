package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// seedQueries stores five issues that differ in all that a Query asks for. They are named by the host that was blocked.
func seedQueries(t *testing.T) *store.Store {
	t.Helper()
	s, _ := open(t)
	a, b, c, d, e := hit("https://a.example"), hit("https://b.example"), hit("https://c.example"), hit("https://d.example"), hit("https://e.example")
	a.Directive, a.Route, a.Sample = "script-src", "/a_b", "alert(1)"
	b.Directive, b.Verdict, b.Rule = "script-src-elem", store.Noise, "scheme@1"
	c.Directive, c.Source = "script-src-attr", "/js/App.js:10"
	d.Site, d.Type = "blog", "deprecation"
	b.At, c.At, d.At, e.At = noon.Add(time.Hour), noon.Add(2*time.Hour), noon.Add(3*time.Hour), noon.Add(4*time.Hour)
	var hits []store.Hit
	for i := range 3 { // c has the greatest reach, e the most reports
		c.Network = uint64(i + 1)
		hits = append(hits, c, e, e)
	}
	a.View, a.Disposition = 7, report.ReportOnly
	commit(t, s, append(hits, a, b, d)...)
	for blocked, decision := range map[string]store.Decision{
		"https://a.example": {State: store.Ignored, Until: noon.Add(time.Hour), At: noon},
		"https://c.example": {State: store.Accepted, At: noon},
	} {
		found := issues(t, s, store.Query{Text: blocked})
		if err := s.SetState(t.Context(), found[0].ID, decision); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// names joins the hosts' first letters.
func names(issues []store.Issue) string {
	var text strings.Builder
	for _, i := range issues {
		text.WriteString(strings.TrimPrefix(i.Blocked, "https://")[:1])
	}
	return text.String()
}

func TestQuery(t *testing.T) {
	s := seedQueries(t)
	early, late := noon, noon.Add(time.Hour)
	tests := []struct {
		q    store.Query
		want string
	}{
		{store.Query{}, "edcba"},
		{store.Query{Sort: store.ByFirstSeen}, "edcba"},
		{store.Query{Sort: store.ByReach, Site: "shop", Limit: 2}, "ca"},
		{store.Query{Sort: store.ByCount, Limit: 2}, "ec"},
		{store.Query{Type: "deprecation"}, "d"},
		{store.Query{Directive: "script-src"}, "cba"},
		{store.Query{Directive: "script-src-elem"}, "cba"},
		{store.Query{Directive: "script"}, ""},
		{store.Query{Verdict: store.Noise}, "b"},
		{store.Query{Verdict: store.Actionable, Site: "shop"}, "eca"},
		{store.Query{State: store.New, Now: early}, "edb"},
		{store.Query{State: store.New, Now: late}, "edba"},
		{store.Query{State: store.Ignored, Now: early}, "a"},
		{store.Query{State: store.Ignored, Now: late}, ""},
		{store.Query{State: store.Ignored}, ""}, // now, which is later
		{store.Query{State: store.Accepted}, "c"},
		{store.Query{Text: "B.EXAMPLE"}, "b"},
		{store.Query{Text: "alert("}, "a"},
		{store.Query{Text: "/a_b"}, "a"},
		{store.Query{Text: "js/app.js"}, "c"},
		{store.Query{Text: "a%b"}, ""},
		{store.Query{Text: "_.example"}, ""},
		{store.Query{Text: `\`}, ""},
		{store.Query{Text: strings.Repeat("x", 1<<20)}, ""},
		{store.Query{Since: noon.Add(3 * time.Hour)}, "ed"},
		{store.Query{FirstFrom: noon.Add(4 * time.Hour)}, "e"},
	}
	for _, test := range tests {
		got := issues(t, s, test.q)
		if names(got) != test.want {
			t.Errorf("Issues(%+v) = %s, want %s", test.q, names(got), test.want)
		}
		n, err := s.Count(t.Context(), test.q)
		if test.q.Limit == 0 && (n != int64(len(test.want)) || err != nil) {
			t.Errorf("Count(%+v) = %d, %v; want %d", test.q, n, err, len(test.want))
		}
	}
}

// Each order can be read in parts, and the parts make the whole.
func TestCursor(t *testing.T) {
	s := seedQueries(t)
	for _, sort := range []store.Sort{store.ByLastSeen, store.ByReach, store.ByCount, store.ByFirstSeen} {
		whole := issues(t, s, store.Query{Sort: sort})
		var parts []store.Issue
		q := store.Query{Sort: sort, Limit: 2}
		for {
			part := issues(t, s, q)
			if len(part) == 0 {
				break
			}
			parts = append(parts, part...)
			next, err := store.ParseCursor(q.Cursor(part[len(part)-1]).String())
			if err != nil {
				t.Fatal(err)
			}
			q.After = next
		}
		if diff := cmp.Diff(whole, parts); diff != "" || len(whole) != 5 {
			t.Errorf("sorted by %q (-whole +parts):\n%s", sort, diff)
		}
	}
	for _, text := range []string{"x", "1", "1.", "1.2.3", "1.x", "99999999999999999999.1", "-"} {
		if c, err := store.ParseCursor(text); err == nil {
			t.Errorf("ParseCursor(%q) = %v", text, c)
		}
	}
	if c, err := store.ParseCursor(""); c != (store.Cursor{}) || err != nil || c.String() != "" {
		t.Errorf("the beginning: %v, %v", c, err)
	}
}

func TestSetState(t *testing.T) {
	s, _ := open(t)
	commit(t, s, hit("https://a.example"))
	good := store.Decision{State: store.Ignored, Until: noon.Add(time.Hour), Note: "a sale\nuntil one", At: noon}
	if err := s.SetState(t.Context(), 1, good); err != nil {
		t.Fatal(err)
	}
	got, err := s.Issue(t.Context(), 1)
	if err != nil || got.State != store.Ignored || !got.StateUntil.Equal(good.Until) || got.StateNote != good.Note || !got.StateAt.Equal(noon) {
		t.Errorf("after SetState: %+v, %v", got, err)
	}
	if now, then := got.Effective(noon), got.Effective(good.Until); now != store.Ignored || then != store.New {
		t.Errorf("effective %s, at its end %s", now, then)
	}
	if err := s.SetState(t.Context(), 2, good); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of no issue: %v", err)
	}
	bad := store.Decision{State: "gone", Until: noon, Note: strings.Repeat("\x00", 501)}
	err = s.SetState(t.Context(), 1, bad)
	for _, part := range []string{`state "gone": use new`, "until: only", "note: 501 bytes", "control characters", "at: name"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%+v: %v, want a mistake with %q", bad, err, part)
		}
	}
	past := good
	past.Until = noon
	if err := s.SetState(t.Context(), 1, past); err == nil || !strings.Contains(err.Error(), "time to come") {
		t.Errorf("ignored until now: %v", err)
	}
}

func TestDetails(t *testing.T) {
	s, _ := open(t)
	for i := range 40 {
		h := hit("https://a.example")
		h.Browser, h.Policy, h.At = fmt.Sprintf("Firefox %d", i%35), "p1", noon.Add(time.Duration(i)*2*time.Minute)
		h.Body = func() string { return fmt.Sprintf(`{"n":%d}`, i) }
		commit(t, s, h)
	}
	var b store.Batch
	b.Policy("shop", "p1", "img-src 'self'", noon)
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	facets, err := s.Facets(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]int64{}
	for i, f := range facets {
		sums[f.Kind] += f.Count
		if i > 0 && facets[i-1].Kind == f.Kind && f.Value != "" && facets[i-1].Count < f.Count {
			t.Errorf("facet %+v stands after %+v", f, facets[i-1])
		}
	}
	if diff := cmp.Diff(map[string]int64{"browser": 40, "policy": 40, "route": 40, "verdict": 40}, sums); diff != "" {
		t.Errorf("sums of the facets (-want +got):\n%s", diff)
	}
	if last := facets[32]; last.Kind != "browser" || last.Value != "" {
		t.Errorf("the last browser is %+v, want the sum of those beyond", last)
	}
	samples, err := s.Samples(t.Context(), 1)
	if err != nil || len(samples) != store.MaxSamples || samples[0].Body != `{"n":39}` || samples[9].Body != `{"n":0}` || !samples[9].At.Equal(noon) {
		t.Errorf("samples: %+v, %v", samples, err)
	}
	policy, err := s.Policy(t.Context(), "shop", "p1")
	if want := (store.Policy{Site: "shop", Hash: "p1", Text: "img-src 'self'", FirstSeen: noon}); policy != want || err != nil {
		t.Errorf("Policy = %+v, %v; want %+v", policy, err, want)
	}
	if _, err := s.Policy(t.Context(), "blog", "p1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Policy of another site: %v", err)
	}
}

func TestTimelines(t *testing.T) {
	s, _ := open(t)
	at := func(hours int, blocked string, d report.Disposition) store.Hit {
		h := hit(blocked)
		h.At, h.Disposition = noon.Add(time.Duration(hours)*time.Hour), d
		return h
	}
	commit(t, s, at(0, "a", report.Enforce), at(1, "a", report.ReportOnly), at(1, "b", report.Enforce), at(24, "a", report.DispositionUnknown),
		at(24, "c", report.Enforce))
	hour, day := noon.Truncate(time.Hour), noon.Truncate(24*time.Hour)
	a := issues(t, s, store.Query{Text: "a", Limit: 5})
	id := a[slices.IndexFunc(a, func(i store.Issue) bool { return i.Blocked == "a" })].ID

	hourly := store.Span{Since: noon, Step: time.Hour}
	got, err := s.Timeline(t.Context(), id, hourly)
	want := []store.Point{{At: hour, Enforced: 1}, {At: hour.Add(time.Hour), Reported: 1}, {At: hour.Add(24 * time.Hour), Unknown: 1}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Timeline: %v (-want +got):\n%s", err, diff)
	}
	for _, site := range []string{"shop", ""} {
		got, err = s.SiteTimeline(t.Context(), site, store.Span{})
		want = []store.Point{{At: day, Enforced: 2, Reported: 1}, {At: day.Add(24 * time.Hour), Enforced: 1, Unknown: 1}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("SiteTimeline of %q: %v (-want +got):\n%s", site, err, diff)
		}
	}
}
