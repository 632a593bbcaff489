package collect_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// ledger is what the senders know: which marked reports went out, which of them were acknowledged, and which are to be sent again.
type ledger struct {
	mu          sync.Mutex
	last        int
	sent, acked map[int]bool
	open        []parcel
	again       int // batches that were sent again
}

func newLedger() *ledger { return &ledger{sent: map[int]bool{}, acked: map[int]bool{}} }

// parcel is a batch of marked reports that happened at the same time. Each mark makes an issue of its own.
type parcel struct {
	site string
	born time.Time
	ids  []int
}

// next returns a batch that is to be sent again, or a new one of so many reports.
func (l *ledger) next(site string, reports int) parcel {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.open); n > 0 {
		p := l.open[n-1]
		l.open = l.open[:n-1]
		l.again++
		return p
	}
	p := parcel{site: site, born: time.Now()}
	for range reports {
		l.last++
		l.sent[l.last] = true
		p.ids = append(p.ids, l.last)
	}
	return p
}

// settle notes what became of a batch.
func (l *ledger) settle(p parcel, acked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !acked {
		l.open = append(l.open, p)
		return
	}
	for _, id := range p.ids {
		l.acked[id] = true
	}
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// body is the batch as Chromium sends it now: the ages grow from one time to the next.
func (p parcel) body() string {
	var reports []string
	for _, id := range p.ids {
		one := strings.Trim(aged(fmt.Sprintf("https://r%d.example", id), time.Since(p.born)), "[]")
		reports = append(reports, strings.ReplaceAll(one, "shop.example", p.site))
	}
	return "[" + strings.Join(reports, ",") + "]"
}

// post sends the batch and reports whether it was acknowledged.
func (p parcel) post(client *http.Client, url string) bool {
	res, err := client.Post(url, "application/reports+json", strings.NewReader(p.body()))
	if err != nil {
		return false
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return res.StatusCode == http.StatusNoContent
}

// check holds the ledger against the database: acknowledged ⊆ counted ⊆ sent, and each mark at most once.
func (l *ledger) check(t *testing.T, path string) {
	t.Helper()
	s, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sites, err := s.Sites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counted := map[int]bool{}
	for _, site := range sites {
		issues, err := s.Issues(t.Context(), store.Query{Site: site, Limit: store.MaxIssues})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range issues {
			l.checkIssue(t, i, counted)
		}
	}
	for id := range l.acked {
		if !counted[id] {
			t.Errorf("report %d was acknowledged and is not counted", id)
		}
	}
	totals, err := s.Totals(t.Context(), "")
	if err != nil || totals.Enforced != int64(len(counted)) {
		t.Errorf("the exact counters say %d, %v; the issues %d", totals.Enforced, err, len(counted))
	}
	t.Logf("acknowledged %d ⊆ counted %d ⊆ sent %d; %d batches sent again", len(l.acked), len(counted), len(l.sent), l.again)
}

func (l *ledger) checkIssue(t *testing.T, i store.Issue, counted map[int]bool) {
	t.Helper()
	var id int
	if _, err := fmt.Sscanf(i.Blocked, "https://r%d.example", &id); err != nil || !l.sent[id] {
		t.Errorf("counted %q, which was not sent", i.Blocked)
	}
	if i.Total() != 1 || counted[id] {
		t.Errorf("report %d counted %d times, or with two issues", id, i.Total())
	}
	counted[id] = true
}
