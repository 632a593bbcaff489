package collect_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

const (
	attackBatch = 40 // reports in a POST of the attacker's
	realIssues  = 20
	realEvery   = 8 * time.Second // another client sees each real issue
	realFor     = time.Minute     // and it is to be listed after that
	attackers   = 64              // POSTs at a time
)

// attack is a flood of made-up reports with real ones in between. Its time is that of the collector's clock: the flood comes at a
// given rate, whatever the machine can do.
type attack struct {
	*fixture
	clock  *clock
	rate   int // hostile reports a second
	server *httptest.Server
	jobs   chan job

	sent, stored, refused, unread atomic.Int64 // reports
	peak                          atomic.Uint64
}

// job is one POST.
type job struct {
	body string // "": that of the strategy and seed
	addr string
	kind int
	seed uint64
	http bool
}

// Distinct hostile reports by the million cost a fixed amount of memory and rows, falsify no sum, and do not hide what is real.
func TestCardinalityAttack(t *testing.T) {
	total, rate := 100_000, 1000
	switch {
	case need.Everything() && raced:
		runUnraced(t)
		return
	case need.Everything():
		total, rate = 10_000_000, 20_000
	case raced: // what is slow, ten times
		total, rate = 20_000, 200
	}
	began := time.Now()
	a := &attack{clock: newClock(), rate: rate, jobs: make(chan job)}
	a.fixture = start(t, collect.Config{
		Now: a.clock.now, Stored: func(_ string, n int) { a.stored.Add(int64(n)) }, Dropped: a.dropped,
	})
	a.server = httptest.NewServer(a.collector.Handler(behindProxy))
	defer a.server.Close()
	var wg sync.WaitGroup
	for range attackers {
		wg.Go(a.work)
	}
	listed := a.run(total)
	close(a.jobs)
	wg.Wait()
	a.stop()

	if listed < realIssues-1 {
		t.Errorf("%d of %d real issues were listed within %v", listed, realIssues, realFor)
	}
	counted, _ := reopened(t, a.path)
	if want := a.stored.Load(); counted != want {
		t.Errorf("the counters have %d of %d", counted, want)
	}
	if got := a.stored.Load() + a.refused.Load() + a.unread.Load(); got != a.sent.Load() {
		t.Errorf("%d of %d reports are accounted for", got, a.sent.Load())
	}
	a.checkRows()
	a.print(total, listed, time.Since(began))
}

// runUnraced runs the test once more without the race detector, under which it would take an hour.
func runUnraced(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "test", "-race=false", "-count=1", "-timeout=40m", "-v", "-run=^"+t.Name()+"$", ".")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("without the race detector: %v", err)
	}
}

func (a *attack) dropped(_, reason string, n int64) {
	if reason == "client-budget" && n == 1 { // a body that was not read
		a.unread.Add(attackBatch)
		return
	}
	a.refused.Add(n)
}

// run sends hostile reports with real ones before, in between and after, and returns how many of the real issues had a row in time.
func (a *attack) run(total int) (listed int) {
	flood := time.Duration(total) * time.Second / time.Duration(a.rate)
	begin := a.clock.now()
	tick := time.Duration(attackBatch) * time.Second / time.Duration(a.rate)
	next := make([]time.Time, realIssues)
	first := make([]time.Time, realIssues)
	for i := range next { // 7 begin before the flood, 7 in it, 6 behind it
		at := begin.Add(-realEvery)
		if i >= 14 {
			at = begin.Add(flood)
		} else if i >= 7 {
			at = begin.Add((flood - realFor) * time.Duration(i-6) / 8)
		}
		next[i], first[i] = at, at
	}
	a.clock.add(-realEvery)
	for n, end := 0, begin.Add(flood+realFor+2*realEvery); a.clock.now().Before(end); {
		now := a.clock.now()
		for i := range next {
			if now.Before(next[i]) {
				continue
			}
			a.jobs <- realJob(i, next[i].Sub(first[i]))
			if next[i] = next[i].Add(realEvery); next[i].Sub(first[i]) > realFor && next[i].Sub(first[i]) <= realFor+realEvery {
				listed += min(1, a.query(fmt.Sprintf("SELECT count(*) FROM issues WHERE blocked = 'https://real%d.example'", i)))
			}
		}
		if !now.Before(begin) && n < total/attackBatch {
			for _, j := range hostileJobs(n) {
				a.jobs <- j
			}
			a.measure(n)
			n++
		}
		a.clock.add(tick)
	}
	return listed
}

// realJob is a report of a real issue, each time of another client.
func realJob(i int, after time.Duration) job {
	directive := []string{"img-src", "script-src-elem", "connect-src", "font-src"}[i%4]
	body := legacy(fmt.Sprintf(`,"blocked-uri":"https://real%d.example/x.js","effective-directive":%q`, i, directive))
	return job{body: body, addr: fmt.Sprintf("203.%d.%d.7", i, after/realEvery)}
}

const kinds = 6

// hostileJobs returns the n-th batch of the attacker. Every tenth comes from one of few networks, the others from as many as there are. Of one kind, each
// batch comes once more from another network, some hundred reports later.
func hostileJobs(n int) []job {
	seed := uint64(n)
	j := job{kind: n % kinds, seed: seed, http: n%100 == 0}
	switch {
	case n%10 == 9:
		j.addr = fmt.Sprintf("198.51.%d.%d", n/10%16, n%250)
	default:
		j.addr = somewhere(seed)
	}
	if j.kind != kinds-1 {
		return []job{j}
	}
	if n/kinds%2 == 1 { // what the one before had
		j.seed -= kinds
	}
	again := j
	again.addr = somewhere(^seed)
	if n/kinds%2 == 1 {
		return []job{again}
	}
	return []job{j}
}

// somewhere is an address in one of 16 million networks.
func somewhere(seed uint64) string {
	n := rand.New(rand.NewPCG(seed, 7)).Uint32()
	return fmt.Sprintf("%d.%d.%d.9", 1+n>>24%9, n>>16&0xff, n>>8&0xff)
}

func (a *attack) work() {
	h := a.collector.Handler(behindProxy)
	for j := range a.jobs {
		if j.body == "" {
			j.body = hostileBody(j.kind, j.seed)
			a.sent.Add(attackBatch)
		} else {
			a.sent.Add(1)
		}
		if code := a.send(h, j); code != 204 {
			a.t.Errorf("status %d", code)
		}
	}
}

func (a *attack) send(h http.Handler, j job) int {
	if !j.http {
		r := httptest.NewRequest("POST", "https://shop.example/r", strings.NewReader(j.body))
		r.Header.Set("X-Forwarded-For", j.addr)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	r, err := http.NewRequest("POST", a.server.URL, strings.NewReader(j.body))
	if err != nil {
		a.t.Error(err)
		return 0
	}
	r.Header.Set("X-Forwarded-For", j.addr)
	res, err := a.server.Client().Do(r)
	if err != nil {
		a.t.Error(err)
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// hostileBody is a batch of distinct reports: of hosts, samples, routes, directives, policies, or hosts that a second network reports too.
func hostileBody(kind int, seed uint64) string {
	var b strings.Builder
	b.WriteString("[")
	for i := range attackBatch {
		if i > 0 {
			b.WriteString(",")
		}
		id := fmt.Sprintf("%x", rand.New(rand.NewPCG(seed, uint64(i))).Uint64())
		document, directive, blocked, sample, policy := "https://shop.example/", "img-src", "https://h"+id+".example/a", "", "default-src 'self'"
		switch kind {
		case 1:
			directive, blocked, sample = "script-src-elem", "inline", "f_"+strings.Map(letter, id)+"()"
		case 2:
			document, blocked = document+strings.Map(letter, id), "data"
		case 3:
			directive = "x" + id + "-src"
		case 4:
			policy += " https://" + id + ".example"
		case 5:
			directive = "script-src-elem"
		}
		fmt.Fprintf(&b, `{"type":"csp-violation","age":0,"url":%q,"user_agent":"A","body":{"documentURL":%q,"effectiveDirective":%q,"blockedURL":%q,`+
			`"sample":%q,"originalPolicy":%q,"disposition":"enforce"}}`, document, document, directive, blocked, sample, policy)
	}
	b.WriteString("]")
	return b.String()
}

// letter turns digits into letters, which no cleaning takes out.
func letter(r rune) rune {
	if r <= '9' {
		return r - '0' + 'g'
	}
	return r
}

// measure notes the memory from time to time.
func (a *attack) measure(n int) {
	if n%500 != 0 {
		return
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	a.peak.Store(max(a.peak.Load(), m.HeapInuse+m.StackInuse))
}

// checkRows holds each table against what it may have.
func (a *attack) checkRows() {
	a.t.Helper()
	issues := a.query("SELECT count(*) FROM issues")
	for what, most := range map[string]int{
		"issues WHERE NOT folded": store.MaxIssues,
		"issues WHERE folded":     31 * 9,
		"counters":                31 * 9 * 3,
		"policies":                store.MaxPolicies,
		"samples":                 issues * store.MaxSamples,
		"facets":                  issues * 6 * (store.MaxFacets + 1),
		"timeline":                issues * 2, // hours
		"drops":                   20,
		"digests":                 200_000,
	} {
		if n := a.query("SELECT count(*) FROM " + what); n > most {
			a.t.Errorf("%d rows in %s, want at most %d", n, what, most)
		}
	}
	if sum, want := a.query("SELECT sum(enforced + reported + unknown) FROM issues"), a.query("SELECT sum(count) FROM counters"); sum != want {
		a.t.Errorf("issues sum up to %d, counters to %d", sum, want)
	}
	if heap := a.peak.Load(); heap > 300<<20 {
		a.t.Errorf("%d MiB of memory", heap>>20)
	}
	if rss := resident(); rss > 300<<10 && !raced {
		a.t.Errorf("%d KiB resident", rss)
	}
}

func (a *attack) print(total, listed int, took time.Duration) {
	a.t.Logf("%d hostile reports in %v, %.0f a second; stored %d, over a network's budget %d; real issues listed in time: %d of %d",
		total, took.Round(time.Second), float64(total)/took.Seconds(), a.stored.Load(), a.refused.Load()+a.unread.Load(), listed, realIssues)
	a.t.Logf("heap and stacks at most %d MiB, resident at most %d MiB, generator included", a.peak.Load()>>20, resident()>>10)
	still := a.query("SELECT count(*) FROM issues WHERE blocked LIKE 'https://real%.example'")
	info, err := os.Stat(a.path)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Logf("at the end %d real issues have rows, the file has %d MiB", still, info.Size()>>20)
	for _, table := range []string{"issues", "issues WHERE folded", "facets", "timeline", "samples", "counters", "drops", "policies", "digests"} {
		a.t.Logf("  %-20s %7d rows", table, a.query("SELECT count(*) FROM "+table))
	}
}

// resident is the most memory that this process ever had, in KiB; 0 where the system does not say.
func resident() (kib int) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib
		}
	}
	return 0
}

// reopened returns what the exact counters and the drops of a database say.
func reopened(t *testing.T, path string) (counted, dropped int64) {
	t.Helper()
	s, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	totals, err := s.Totals(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return totals.Enforced + totals.Reported + totals.Unknown, totals.Dropped
}
