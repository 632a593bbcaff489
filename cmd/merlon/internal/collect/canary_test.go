package collect_test

import (
	"database/sql"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
)

// canaries returns the rows, a line each: browser sent received.
func (f *fixture) canaries() (lines []string) {
	f.t.Helper()
	db, err := sql.Open("sqlite", f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT browser || ' ' || sum(sent) || ' ' || sum(received) FROM canaries GROUP BY browser ORDER BY browser")
	if err != nil {
		f.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			f.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}

const (
	chromiumAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
	edgeAgent     = chromiumAgent + " Edg/150.0.0.0"
	firefoxAgent  = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
	safariAgent   = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15"
)

// Reports of canaries are counted once each, and are neither issues nor reports.
func TestCanaryReports(t *testing.T) {
	f := start(t, collect.Config{})
	h := f.collector.Handler(collect.Site{Name: "shop", Hosts: []string{"shop.example"}, Canary: ours})
	for _, c := range []struct{ query, agent string }{
		{"c=ours1", chromiumAgent}, {"c=ours1", chromiumAgent}, {"c=ours2", chromiumAgent}, {"c=ours3", edgeAgent}, {"c=ours4", firefoxAgent}, {"c=ours5", safariAgent},
		{"c=ours6", "curl"}, {"c=theirs", chromiumAgent},
	} {
		r := httptest.NewRequest("POST", "/.merlon/r?"+c.query, strings.NewReader(legacy("")))
		r.Header.Set("User-Agent", c.agent)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 204 {
			t.Errorf("%s: %d, want 204", c.query, w.Code)
		}
	}
	if got, want := f.canaries(), []string{"Chrome 0 2", "Edge 0 1", "Firefox 0 1", "Safari 0 1", "other 0 1"}; !slices.Equal(got, want) {
		t.Errorf("canaries: %q, want %q", got, want)
	}
	if got := f.lines(); len(got) > 0 {
		t.Errorf("issues: %q", got)
	}
	if diff := cmp.Diff(map[string]int64{"canary": 1}, f.drops()); diff != "" {
		t.Error(diff)
	}
}

// Where no canaries are put into pages, none is believed.
func TestCanaryReportWithoutCanaries(t *testing.T) {
	f := start(t, collect.Config{})
	if w := f.post(shop, "https://shop.example/r?c=ours", legacy("")); w.Code != 204 {
		t.Errorf("%d, want 204", w.Code)
	}
	if got := f.canaries(); len(got) > 0 {
		t.Errorf("canaries: %q", got)
	}
	if diff := cmp.Diff(map[string]int64{"canary": 1}, f.drops()); diff != "" {
		t.Error(diff)
	}
}

func TestCanariesSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, collect.Config{})
		tallies := collect.NewTallies(f.collector)
		tallies.CanarySent("shop", chromiumAgent)
		tallies.CanarySent("shop", chromiumAgent)
		tallies.CanarySent("shop", firefoxAgent)
		time.Sleep(5*time.Second + 10*time.Millisecond)
		synctest.Wait()
		want := []string{"Chrome 2 0", "Firefox 1 0"}
		if got := f.canaries(); !slices.Equal(got, want) {
			t.Errorf("canaries: %q, want %q", got, want)
		}
		if err := tallies.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if got := f.canaries(); !slices.Equal(got, want) {
			t.Errorf("at the end: %q, want %q", got, want)
		}
		f.stop()
	})
}
