package dash_test

import (
	"fmt"
	"net/url"
	"sync"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func TestDrops(t *testing.T) {
	r := newRig(t)
	cookie := r.logIn()
	wantText(t, r.page("/drops", 200, cookie), "section p", "No report was dropped so far.")
	r.realistic()
	rows := find(r.page("/drops", 200, r.logIn()), "table.rows tbody tr")
	if len(rows) != 2 {
		t.Fatalf("%d rows, want 2", len(rows))
	}
	wantText(t, rows[0], "td span.count", "1 200")
	wantText(t, rows[0], "td strong", "About a page of another site")
	wantText(t, rows[1], "td strong", "Not JSON")
	wantText(t, rows[1], "td code", "not-json")
}

func withReportURL(c *dash.Config) { c.ReportURL = "http://shop.example:8080/.merlon/r" }

func TestNotice(t *testing.T) {
	r := newRig(t, func(c *dash.Config) { c.Notice = "only <here>" })
	wantText(t, r.page("/login", 200, nil), "p.notice", "only <here>")
}

func TestPagesInParallel(t *testing.T) {
	r := newRig(t)
	r.realistic()
	cookie := r.logIn()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for _, target := range []string{"/", "/issues", "/issues/1", "/drops", "/login", "/none"} {
				r.do("GET", target, nil, cookie)
			}
			r.do("POST", "/login", url.Values{"token": {fmt.Sprint(i)}}, nil)
		})
		wg.Go(func() {
			r.do("POST", "/issues/1/state", url.Values{"state": {"acknowledged"}}, cookie)
			r.do("POST", "/logout", url.Values{}, nil)
		})
	}
	wg.Wait()
	r.page("/", 200, cookie)
}

func TestEveryReasonHasWords(t *testing.T) {
	r := newRig(t)
	reasons := []string{"foreign", "not-json", "not-a-report", "too-large", "too-many", "too-deep", "incomplete", "preflight", "method", "client-budget", "repeated", "canary"}
	var b store.Batch
	for _, name := range append(reasons, "of a later version") {
		b.Drop("shop.example", name, r.clock.Now(), 1)
	}
	r.commit(&b)
	cookie := r.logIn()
	without := map[string]bool{}
	for _, row := range find(r.page("/drops", 200, cookie), "tbody tr") {
		if texts(row, "strong")[0] == "Another reason" {
			without[texts(row, "td.what code")[0]] = true
		}
	}
	if len(without) != 1 || !without["of a later version"] {
		t.Errorf("reasons without words: %v, want the unknown one alone", without)
	}
}
