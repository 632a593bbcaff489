package store_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// crowded returns a store whose site may have 40 issues and has 20 that nobody confirmed: from now on it is careful. It keeps 4 of the 40 for
// directives that run code.
func crowded(t *testing.T) (*store.Store, string) {
	t.Helper()
	s, path := open(t)
	s.SetMaxIssues(40)
	for i := range 20 {
		commit(t, s, from(uint64(i+1), hit(fmt.Sprintf("https://first%d.example", i))))
	}
	return s, path
}

// from is the hit as that network sends it.
func from(network uint64, h store.Hit) store.Hit {
	h.Network = network
	return h
}

// script is a hit of a directive that runs code.
func script(blocked string, at time.Time) store.Hit {
	h := hit(blocked)
	h.Directive, h.At = "script-src-elem", at
	h.Fingerprint.Sum[0] ^= 1
	return h
}

// has reports whether the issue has a row of its own.
func has(t *testing.T, s *store.Store, blocked string) bool {
	t.Helper()
	for _, i := range issues(t, s, store.Query{Limit: 5000}) {
		if i.Blocked == blocked {
			return true
		}
	}
	return false
}

// checkSums holds the issues of a database against its exact counters, and the parts of each issue against the whole.
func checkSums(t *testing.T, path string) {
	t.Helper()
	for what, n := range map[string]int{
		"site, type, directive or class whose issues do not sum up to the counters": query[int](t, path, `SELECT count(*) FROM (
			SELECT site, type, directive, class, sum(enforced) AS e, sum(reported) AS r, sum(unknown) AS u FROM issues GROUP BY 1, 2, 3, 4
			EXCEPT SELECT site, type, directive, class, coalesce(sum(count) FILTER (WHERE disposition = 'enforce'), 0),
			coalesce(sum(count) FILTER (WHERE disposition = 'report'), 0), coalesce(sum(count) FILTER (WHERE disposition = 'unknown'), 0)
			FROM counters GROUP BY 1, 2, 3, 4)`),
		"reports without an issue": query[int](t, path, "SELECT (SELECT coalesce(sum(count), 0) FROM counters) - (SELECT coalesce(sum(enforced + reported + unknown), 0) FROM issues)"),
		"issues whose timeline does not sum up": query[int](t, path, `SELECT count(*) FROM issues WHERE enforced + reported + unknown <>
			(SELECT sum(enforced + reported + unknown) FROM timeline WHERE issue = issues.id)`),
		"rows of issues that are gone": query[int](t, path, "SELECT count(*) FROM pragma_foreign_key_check"),
		"issues whose routes do not sum up": query[int](t, path, `SELECT count(*) FROM issues WHERE enforced + reported + unknown <>
			(SELECT sum(count) FROM facets WHERE issue = issues.id AND kind = 'route')`),
		"issues with too many facets": query[int](t, path, fmt.Sprintf("SELECT count(*) FROM (SELECT count(*) AS n FROM facets GROUP BY issue, kind) WHERE n > %d", store.MaxFacets+1)),
	} {
		if n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}

func TestConfirmedGetRows(t *testing.T) {
	s, path := crowded(t)
	once, twice, views := hit("https://once.example"), hit("https://twice.example"), hit("https://views.example")
	commit(t, s, from(100, once))
	commit(t, s, from(100, once)) // the same network once more
	commit(t, s, from(100, twice))
	commit(t, s, from(101, twice))
	for view := range uint64(2) {
		views.View = 200 + view
		commit(t, s, from(100, views))
	}
	commit(t, s, from(100, hit("https://together.example")), from(101, hit("https://together.example")))
	for blocked, want := range map[string]bool{once.Blocked: false, twice.Blocked: true, views.Blocked: true, "https://together.example": true} {
		if got := has(t, s, blocked); got != want {
			t.Errorf("%s has a row: %t, want %t", blocked, got, want)
		}
	}
	for _, i := range issues(t, s, store.Query{}) {
		if i.Blocked == twice.Blocked && (i.Networks != 2 || !i.Confirmed() || i.Total() != 1) {
			t.Errorf("%s: %d networks, %d reports; want both networks, and the report that came last", i.Blocked, i.Networks, i.Total())
		}
	}
	checkSums(t, path)
}

// An issue that few see waits long enough for the second one, whatever comes in between.
func TestWaitingIsLong(t *testing.T) {
	s, path := crowded(t)
	rare := hit("https://rare.example")
	commit(t, s, from(100, rare))
	var b store.Batch
	for i := range uint64(40_000) {
		b.Add(from(1000+i, hit(fmt.Sprintf("https://flood%d.example", i))))
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	commit(t, s, from(101, rare))
	if !has(t, s, rare.Blocked) {
		t.Error("40,000 others have driven it out")
	}
	if rows := query[int](t, path, "SELECT count(*) FROM issues"); rows != 22 {
		t.Errorf("%d rows, want 20, the rare one and the other ones' sum", rows)
	}
	checkSums(t, path)
}

func TestNewIssuesAreBudgeted(t *testing.T) {
	s, _ := crowded(t)
	asked := map[uint64]int{}
	for range 2 {
		for _, network := range []uint64{7, 8, 9} {
			b := store.Batch{MayAdd: func(witness uint64) bool { asked[witness]++; return witness != 8 }}
			for _, n := range []uint64{7, 8, 9} {
				if n == network {
					b.Add(from(n, hit("https://late.example")))
				}
			}
			if err := s.Commit(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
		}
		if !has(t, s, "https://late.example") {
			t.Error("seen by two that may, and no row")
		}
	}
	if asked[7] != 1 || asked[8] != 1 || asked[9] != 1 {
		t.Errorf("asked %v, want each network once: then the issue is known", asked)
	}
}

func TestLane(t *testing.T) {
	s, path := crowded(t)
	name := func(i int) string { return fmt.Sprintf("https://script%d.example", i) }
	for i := range 6 {
		commit(t, s, from(50+uint64(i), script(name(i), noon)))
	}
	for i := range 6 {
		if got := has(t, s, name(i)); got != (i < 4) {
			t.Errorf("%s has a row: %t; want the first four", name(i), got)
		}
	}
	commit(t, s, from(70, script("https://later.example", noon.Add(store.LaneStay))))
	if !has(t, s, "https://later.example") || has(t, s, name(0)) {
		t.Error("the oldest of the lane did not make room after its time")
	}
	// One that is confirmed leaves the lane, and another one has its place.
	commit(t, s, from(71, script(name(1), noon)))
	commit(t, s, from(72, script("https://next.example", noon)))
	if !has(t, s, name(1)) || !has(t, s, "https://next.example") {
		t.Error("a confirmed issue takes a place in the lane")
	}
	if rows := query[int](t, path, "SELECT count(*) FROM issues WHERE NOT folded"); rows != 25 {
		t.Errorf("%d rows, want 20, 4 in the lane and the confirmed one", rows)
	}
	checkSums(t, path)
}

// What two networks have seen stays, whatever single ones invent, and what somebody decided about stays in any case.
func TestWhatStays(t *testing.T) {
	s, path := crowded(t)
	db, err := sql.Open("sqlite", strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace("file:"+path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE issues SET state = 'ignored' WHERE blocked = 'https://first3.example'"); err != nil {
		t.Fatal(err)
	}
	for i := range 16 {
		confirmed := hit(fmt.Sprintf("https://good%d.example", i))
		commit(t, s, from(1, confirmed), from(2, confirmed))
	}
	for i := range 500 {
		junk := hit(fmt.Sprintf("https://junk%d.example", i))
		commit(t, s, from(uint64(1000+i), junk), from(uint64(2000+i), script(junk.Blocked, noon.Add(time.Duration(i)*time.Minute))))
	}
	for i := range 16 {
		if blocked := fmt.Sprintf("https://good%d.example", i); !has(t, s, blocked) {
			t.Errorf("%s is gone", blocked)
		}
	}
	for i := range 30 { // these are worth more than those that only one has seen
		late := hit(fmt.Sprintf("https://late%d.example", i))
		commit(t, s, from(1, late), from(2, late))
	}
	if !has(t, s, "https://first3.example") {
		t.Error("what somebody has decided about is gone")
	}
	if has(t, s, "https://first4.example") {
		t.Error("an issue that one network saw did not go for one that two have seen")
	}
	if !has(t, s, "https://late18.example") || has(t, s, "https://late19.example") {
		t.Error("want room for 19 of the late: 36 outside of the lane, one is decided about, 16 are as good")
	}
	more := hit("https://three.example")
	commit(t, s, from(1, more), from(2, more), from(3, more))
	if !has(t, s, more.Blocked) {
		t.Error("what three have seen has no row")
	}
	if rows := query[int](t, path, "SELECT count(*) FROM issues WHERE NOT folded"); rows != 40 {
		t.Errorf("%d rows, want the cap", rows)
	}
	checkSums(t, path)
}

// A failed commit leaves the memory of what has a row as the file is.
func TestAdmissionAfterFailure(t *testing.T) {
	s, path := crowded(t)
	lock, err := sql.Open("sqlite", strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace("file:"+path))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, err := lock.Exec("CREATE TRIGGER full BEFORE INSERT ON samples BEGIN SELECT RAISE(ABORT, 'no more'); END"); err != nil {
		t.Fatal(err)
	}
	confirmed := hit("https://a.example")
	confirmed.Body = func() string { return "{}" }
	var b store.Batch
	b.Add(from(1, confirmed))
	b.Add(from(2, confirmed))
	if err := s.Commit(t.Context(), &b); err == nil {
		t.Fatal("the trigger did not fire")
	}
	if _, err := lock.Exec("DROP TRIGGER full"); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), &b); err != nil || !has(t, s, confirmed.Blocked) {
		t.Errorf("the same batch once more: %v", err)
	}
	checkSums(t, path)
}

// Whatever comes in whatever order, over new openings too: issues and "other" sum up to the exact counters, and rows stay under the cap.
func TestCountsAreExact(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { countsAreExact(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func countsAreExact(t *testing.T, r *rand.Rand) {
	path := filepath.Join(t.TempDir(), "reports.db")
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { s.Close() }()
	total := 0
	for round := range 40 {
		s.SetMaxIssues(30)
		b := store.Batch{MayAdd: func(uint64) bool { return r.IntN(10) > 0 }}
		for range r.IntN(60) {
			b.Add(randomHit(r, noon.Add(time.Duration(round)*7*time.Minute)))
			total++
		}
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if r.IntN(8) == 0 {
			s.Close()
			if s, err = store.Open(t.Context(), path); err != nil {
				t.Fatal(err)
			}
		}
	}
	checkSums(t, path)
	if n := query[int](t, path, "SELECT sum(count) FROM counters"); n != total {
		t.Errorf("the counters have %d of %d", n, total)
	}
	if n := query[int](t, path, "SELECT max(n) FROM (SELECT count(*) AS n FROM issues WHERE NOT folded GROUP BY site)"); n > 30 {
		t.Errorf("%d issues of one site", n)
	}
}

// randomHit is one of some hundred issues of two sites, a few of them frequent.
func randomHit(r *rand.Rand, at time.Time) store.Hit {
	id := min(r.IntN(150), r.IntN(150))
	directive := []string{"img-src", "script-src-elem", "font-src"}[id%3]
	sum := sha256.Sum256([]byte{byte(id)})
	return store.Hit{
		Site: []string{"shop", "blog"}[r.IntN(2)], Fingerprint: store.Fingerprint{Version: 1, Sum: [16]byte(sum[:])}, Type: report.TypeViolation,
		Directive: directive, Class: []string{"origin", "scheme"}[id%2], Blocked: fmt.Sprint(id), At: at,
		Verdict: []store.Verdict{store.Actionable, store.Noise, store.SelfContradicting}[r.IntN(3)], Disposition: report.Disposition(r.IntN(3)),
		Route: fmt.Sprintf("/%d", r.IntN(50)), Browser: fmt.Sprint(r.IntN(3)), Network: r.Uint64N(5), View: max(0, r.Uint64N(20)-10) % 11,
	}
}

// One site more lowers what each may have.
func TestManySites(t *testing.T) {
	s, path := open(t)
	s.SetMaxAllIssues(1000)
	var b store.Batch
	for site := range 100 {
		for i := range 12 {
			h := hit(fmt.Sprintf("https://h%d.example", i))
			h.Site = fmt.Sprint("site", site)
			b.Add(from(uint64(i+1), h))
		}
	}
	if err := s.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	rows := query[int](t, path, "SELECT count(*) FROM issues WHERE NOT folded")
	if rows < 500 || rows > 800 {
		t.Errorf("%d rows, want half of 10 for each site, and some more of the first", rows)
	}
	checkSums(t, path)
}

// Page views are cheap for one network: it cannot bring more issues with them than it may without.
func TestViewsAreBudgetedByNetwork(t *testing.T) {
	s, path := crowded(t)
	const network = 71
	left := 6
	may := func(witness uint64) bool {
		if witness == network {
			left--
			return left >= 0
		}
		return true
	}
	for i := range 100 {
		for view := range uint64(2) {
			b := store.Batch{MayAdd: may}
			h := from(network, hit(fmt.Sprintf("https://late%d.example", i)))
			h.View = 1000*uint64(i) + 2*view + 1
			b.Add(h)
			if err := s.Commit(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := query[int](t, path, "SELECT count(*) FROM issues WHERE views = 2"); n != 2 {
		t.Errorf("one network that may witness 6 times brought %d issues with two page views each, want 2", n)
	}
	b := store.Batch{MayAdd: may}
	for view := range uint64(2) { // of clients whose network is not known
		h := hit("https://unknown.example")
		h.View = 2*view + 1
		b.Add(h)
	}
	if err := s.Commit(t.Context(), &b); err != nil || !has(t, s, "https://unknown.example") {
		t.Errorf("two page views from nowhere: %v, and no row", err)
	}
}
