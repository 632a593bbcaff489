package collect_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// behindProxy is shop behind a proxy that is trusted.
var behindProxy = collect.Site{Name: "shop", Hosts: shop.Hosts, Client: collect.Behind(func(*http.Request) bool { return true }, 1)}

// clock is a time that tests set. It has no monotonic part, so that budgets feel it go back.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 5, 4, 12, 30, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time      { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) add(d time.Duration) { c.at.Add(int64(d)) }

func TestBehind(t *testing.T) {
	trusted := func(r *http.Request) bool { return strings.HasPrefix(r.RemoteAddr, "10.") }
	for _, test := range []struct {
		peer, forwarded string
		hops            int
		want            string
	}{
		{"192.0.2.7:1000", "198.51.100.1", 1, "192.0.2.7"},
		{"10.0.0.1:1000", "198.51.100.1", 1, "198.51.100.1"},
		{"10.0.0.1:1000", "203.0.113.9, 198.51.100.1", 1, "198.51.100.1"},
		{"10.0.0.1:1000", "203.0.113.9, 198.51.100.1", 2, "203.0.113.9"},
		{"10.0.0.1:1000", "198.51.100.1", 2, ""},
		{"10.0.0.1:1000", "", 1, ""},
		{"10.0.0.1:1000", "unknown", 1, ""},
		{"10.0.0.1:1000", "198.51.100.1:4711", 1, "198.51.100.1"},
		{"10.0.0.1:1000", "[2001:db8::1]:4711", 1, "2001:db8::1"},
		{"10.0.0.1:1000", "[2001:db8::1]", 1, "2001:db8::1"},
		{"@", "198.51.100.1", 1, ""},
	} {
		r := &http.Request{RemoteAddr: test.peer, Header: http.Header{"X-Forwarded-For": {test.forwarded}}}
		want, _ := netip.ParseAddr(test.want)
		if got := collect.Behind(trusted, test.hops)(r); got != want {
			t.Errorf("%s with %q, %d hops: %v, want %q", test.peer, test.forwarded, test.hops, got, test.want)
		}
	}
}

// Each network has its own budget, however its addresses are written; who is behind a proxy that is not known has none.
func TestClientBudget(t *testing.T) {
	clock := newClock()
	f := start(t, collect.Config{Now: clock.now, Limits: collect.Limits{Reports: collect.Rate{N: 60, Per: time.Minute, Burst: 3}}})
	send := func(addr string) string {
		before := f.total()
		if w := f.post(behindProxy, "https://shop.example/r", legacy(""), "X-Forwarded-For", addr); w.Code != 204 {
			t.Errorf("from %s: %d", addr, w.Code)
		}
		return map[bool]string{true: "counted", false: "dropped"}[f.total() > before]
	}
	for _, test := range []struct {
		addr, want string
	}{
		{"192.0.2.1", "counted"}, {"192.0.2.77", "counted"}, {"::ffff:192.0.2.78", "counted"},
		{"192.0.2.1", "dropped"}, {"192.0.2.200", "dropped"}, {"64:ff9b::192.0.2.5", "dropped"},
		{"192.0.3.1", "counted"},
		{"2001:db8:1:2::1", "counted"}, {"2001:db8:1:3::1", "counted"}, {"2001:db8:1:ffff::1", "counted"}, {"2001:db8:1::9", "dropped"},
		{"2001:db8:2::9", "counted"},
		{"10.0.0.1", "counted"}, {"10.0.0.1", "counted"}, {"10.0.0.1", "counted"}, {"10.0.0.1", "counted"},
		{"127.0.0.1", "counted"}, {"127.0.0.1", "counted"}, {"::1", "counted"}, {"127.0.0.1", "counted"}, {"127.0.0.1", "counted"},
		{"unknown", "counted"}, {"unknown", "counted"}, {"unknown", "counted"}, {"unknown", "counted"},
	} {
		if got := send(test.addr); got != test.want {
			t.Errorf("from %s: %s, want %s", test.addr, got, test.want)
		}
	}
	clock.add(1100 * time.Millisecond)
	if first, second := send("192.0.2.1"), send("192.0.2.1"); first != "counted" || second != "dropped" {
		t.Errorf("a second later: %s, %s; want one more", first, second)
	}
	clock.add(-5 * time.Hour)
	send("192.0.2.1")
	clock.add(2 * time.Second)
	if got := send("192.0.2.1"); got != "counted" {
		t.Error("with a clock that went back, the budget is locked")
	}
	f.collector.SetLimits(collect.Limits{Reports: collect.Rate{N: -1}})
	for range 10 {
		if send("192.0.2.1") != "counted" {
			t.Error("dropped without a bound")
		}
	}
	if got := f.drops(); got["client-budget"] < 5 || len(got) != 1 {
		t.Errorf("drops %v", got)
	}
}

// total is how many reports the exact counters have.
func (f *fixture) total() int64 {
	f.t.Helper()
	totals, err := f.store.Totals(context.Background(), "")
	if err != nil {
		f.t.Fatal(err)
	}
	return totals.Enforced + totals.Reported + totals.Unknown
}

// Many networks take no more memory than few, and cost each other nothing but old debts.
func TestBudgetIsBounded(t *testing.T) {
	clock := newClock()
	b := collect.NewBudget(collect.Rate{N: 1, Per: time.Hour, Burst: 1}, clock.now())
	var last uint64
	for who := range uint64(1_000_000) {
		last = who*0x9e3779b97f4a7c15 | 1
		if !b.Spend(last, 1, clock.now()) {
			t.Fatal("a network that never sent anything has no budget")
		}
	}
	if b.Spend(last, 1, clock.now()) {
		t.Error("the last network is forgotten already")
	}
}

// aged is a batch of one violation that happened so long ago.
func aged(blocked string, age time.Duration) string {
	return fmt.Sprintf(`[{"type":"csp-violation","age":%d,"url":"https://shop.example/","user_agent":"x","body":{"documentURL":"https://shop.example/",`+
		`"effectiveDirective":"img-src","disposition":"enforce","blockedURL":%q}}]`, age.Milliseconds(), blocked)
}

func TestRepeatedBatch(t *testing.T) {
	clock := newClock()
	var secret atomic.Pointer[collect.Secret]
	secret.Store(&collect.Secret{Current: [32]byte{1}, Previous: [32]byte{0}})
	config := collect.Config{Now: clock.now, Secret: func() collect.Secret { return *secret.Load() }}
	f := start(t, config)
	const blocked = "https://cdn.example"
	step := func(what string, want int64, body string, header ...string) {
		t.Helper()
		before := f.total()
		if w := f.post(behindProxy, "https://shop.example/r", body, append([]string{"X-Forwarded-For", "192.0.2.1", "User-Agent", "A"}, header...)...); w.Code != 204 {
			t.Errorf("%s: status %d", what, w.Code)
		}
		if got := f.total() - before; got != want {
			t.Errorf("%s: counted %d, want %d", what, got, want)
		}
	}
	restart := func() {
		f.stop()
		var err error
		if f.store, err = store.Open(t.Context(), f.path); err != nil {
			t.Fatal(err)
		}
		config.Store = f.store
		if f.collector, err = collect.New(config); err != nil {
			t.Fatal(err)
		}
	}
	step("the first time", 1, aged(blocked, time.Second))
	step("at once again", 0, aged(blocked, time.Second))
	clock.add(90 * time.Second)
	step("after 90 s", 0, aged(blocked, 91*time.Second))
	step("a little off", 0, aged(blocked, 92*time.Second))
	step("the same again, which happened now", 1, aged(blocked, 0))
	step("another browser", 1, aged(blocked, 91*time.Second), "User-Agent", "B")
	step("a neighbour", 1, aged(blocked, 91*time.Second), "X-Forwarded-For", "192.0.2.2")
	step("another report", 1, aged(blocked+"2", 91*time.Second))
	step("with what is no report", 1, strings.Replace(aged(blocked+"4", time.Second), "[", "[null,", 1))
	clock.add(90 * time.Second)
	step("the same after 90 s", 0, strings.Replace(aged(blocked+"4", 91*time.Second), "[", "[null,", 1))
	step("a single report", 1, strings.Trim(aged(blocked+"3", 0), "[]"))
	step("a single report again", 1, strings.Trim(aged(blocked+"3", 0), "[]"))
	clock.add(5 * time.Minute)
	restart()
	step("after a new start", 0, aged(blocked, 391*time.Second))
	secret.Store(&collect.Secret{Current: [32]byte{2}, Previous: [32]byte{1}})
	step("after midnight", 0, aged(blocked, 391*time.Second))
	clock.add(25 * time.Minute)
	step("when Chromium has given up", 1, aged(blocked, 391*time.Second+25*time.Minute))
	clock.add(-3 * time.Hour)
	step("with a clock that went back", 1, aged(blocked, time.Second))
	step("that is the clock now", 0, aged(blocked, time.Second))
	clock.add(48 * time.Hour)
	step("with a clock that went on", 1, aged(blocked, time.Second))
	if n := f.query("SELECT count(*) FROM digests"); n != 1 {
		t.Errorf("%d digests are left, want the one of this time", n)
	}
	if got := f.drops(); got["repeated"] != 8 || got["not-a-report"] != 1 || len(got) != 2 {
		t.Errorf("drops %v, want 8 repeated and one that is no report", got)
	}
	if n := f.query("SELECT count(*) FROM issues WHERE enforced + reported + unknown = 0"); n != 0 {
		t.Errorf("%d issues without reports", n)
	}
}

func (f *fixture) query(text string) (n int) {
	f.t.Helper()
	db := f.open("")
	defer db.Close()
	if err := db.QueryRow(text).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// A batch that is sent again while its first copy waits shares the fate of that one, and one whose storing failed counts when it comes again.
func TestRepeatedBatchInFlight(t *testing.T) {
	f := start(t, collect.Config{})
	release := f.lock()
	first := f.collector.Round()
	body := aged("https://cdn.example", 0)
	var wg sync.WaitGroup
	codes := make(chan int, 3)
	post := func() {
		wg.Go(func() { codes <- f.post(shop, "https://shop.example/r", body).Code })
	}
	post()
	wait.Until(t, "the first copy is being stored", func() bool { return f.collector.Round() != first })
	post()
	post()
	release()
	wg.Wait()
	if a, b, c := <-codes, <-codes, <-codes; a != 204 || b != 204 || c != 204 || f.total() != 1 {
		t.Errorf("statuses %d, %d, %d; counted %d, want it once", a, b, c, f.total())
	}
	db := f.open("")
	defer db.Close()
	body = aged("https://img.example", 0)
	if _, err := db.Exec("CREATE TRIGGER full BEFORE INSERT ON counters BEGIN SELECT RAISE(ABORT, 'no more'); END"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if w := f.post(shop, "https://shop.example/r", body); w.Code != 503 {
			t.Errorf("status %d, want 503", w.Code)
		}
	}
	if _, err := db.Exec("DROP TRIGGER full"); err != nil {
		t.Fatal(err)
	}
	if w := f.post(shop, "https://shop.example/r", body); w.Code != 204 || f.total() != 2 {
		t.Errorf("status %d, counted %d; want it to count now", w.Code, f.total())
	}
	if got := f.drops(); got["repeated"] != 2 {
		t.Errorf("drops %v", got)
	}
}

// Behind a proxy that is not known everybody has its address. What it says tells people apart who report the same at the same time.
func TestRepeatedBehindUnknownProxy(t *testing.T) {
	f := start(t, collect.Config{})
	for i, addr := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.1"} {
		r := httptest.NewRequest("POST", "https://shop.example/r", strings.NewReader(aged("https://cdn.example", time.Second)))
		r.RemoteAddr = "127.0.0.1:9"
		r.Header.Set("X-Forwarded-For", addr)
		f.collector.Handler(shop).ServeHTTP(httptest.NewRecorder(), r)
		if got, want := f.total(), int64(min(i+1, 2)); got != want {
			t.Errorf("after %d: counted %d, want %d", i+1, got, want)
		}
	}
}

// The network in an issue is the client's, and different ones count.
func TestNetworks(t *testing.T) {
	f := start(t, collect.Config{})
	for _, addr := range []string{"192.0.2.1", "192.0.2.2", "198.51.100.1", "2001:db8::1", "2001:db8::2", "unknown"} {
		f.post(behindProxy, "https://shop.example/r", legacy(""), "X-Forwarded-For", addr)
	}
	peers := httptest.NewRequest("POST", "https://shop.example/r", strings.NewReader(legacy("")))
	peers.RemoteAddr = "203.0.113.5:99"
	f.collector.Handler(shop).ServeHTTP(httptest.NewRecorder(), peers)
	issues, err := f.store.Issues(t.Context(), store.Query{})
	if err != nil || len(issues) != 1 {
		t.Fatal(issues, err)
	}
	if diff := cmp.Diff(int64(4), issues[0].Networks); diff != "" {
		t.Errorf("networks (-want +got):\n%s", diff)
	}
}

// heldBody gives so many bytes, and then keeps its reader waiting.
type heldBody struct {
	left    int
	held    chan<- bool
	release <-chan struct{}
}

func (b *heldBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		b.held <- true
		<-b.release
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, strings.Repeat(" ", min(b.left, len(p))))
	b.left -= n
	return n, nil
}

// A network that sends bodies without an end holds what its budget pays for, and others are heard.
func TestOneNetworkCannotHoldTheMemory(t *testing.T) {
	f := start(t, collect.Config{MaxQueuedBytes: 2 << 20, Limits: collect.Limits{Reports: collect.Rate{N: 60, Per: time.Hour, Burst: 64}}})
	handler := f.collector.Handler(shop)
	var posts sync.WaitGroup
	defer posts.Wait()
	release := make(chan struct{})
	defer close(release)
	for range 4 {
		state := make(chan bool, 2)
		r := httptest.NewRequest("POST", "https://shop.example/r", &heldBody{left: 1<<20 - 1, held: state, release: release})
		posts.Go(func() {
			handler.ServeHTTP(httptest.NewRecorder(), r)
			state <- false
		})
		<-state // held or sent away
	}
	r := httptest.NewRequest("POST", "https://shop.example/r", strings.NewReader(legacy("")))
	r.RemoteAddr = "198.51.100.1:1000"
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != 204 || f.total() != 1 {
		t.Errorf("another network gets %d, and %d reports are counted; want 204 and 1", w.Code, f.total())
	}
}
