package metrics_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/metrics"
)

// scrape returns what Prometheus would read: the value of each series by its name and labels.
func scrape(t *testing.T, m *metrics.Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("/metrics: %d", w.Code)
	}
	series := map[string]string{}
	for line := range strings.SplitSeq(w.Body.String(), "\n") {
		if name, value, ok := strings.Cut(line, "} "); ok && !strings.HasPrefix(line, "#") {
			series[name+"}"] = value
		} else if name, value, ok := strings.Cut(line, " "); ok && !strings.HasPrefix(line, "#") {
			series[name] = value
		}
	}
	return series
}

func wantSeries(t *testing.T, got map[string]string, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got["merlon_"+name] != value {
			t.Errorf("merlon_%s is %q, want %q", name, got["merlon_"+name], value)
		}
	}
}

// serve passes requests through a record to h, and counts them.
func serve(m *metrics.Metrics, h http.HandlerFunc, requests ...*http.Request) {
	handler := &access.Handler{Next: h, Ended: m.Ended}
	for _, r := range requests {
		func() {
			defer func() { recover() }() // what net/http does
			handler.ServeHTTP(httptest.NewRecorder(), r)
		}()
	}
}

func TestRequests(t *testing.T) {
	inFlight := int64(7)
	m := metrics.New(metrics.Build{Version: "v1", Commit: "abc"}, func() int64 { return inFlight })
	request := func(method, target string) *http.Request { return httptest.NewRequest(method, target, nil) }
	serve(m, func(w http.ResponseWriter, r *http.Request) {
		rec := access.Of(r.Context())
		if r.URL.Path == "/stranger" {
			w.WriteHeader(421)
			return
		}
		rec.ForSite("shop", 0)
		switch r.URL.Path {
		case "/slow":
			rec.Asked(2*time.Second, false)
		case "/down":
			rec.Asked(time.Second, true)
			w.WriteHeader(502)
		case "/page":
			rec.RewrotePage(access.Page{Rewritten: true, Nonced: 3, Scrubbed: 2, GaveUp: true})
		case "/broken":
			io.WriteString(w, "half")
			panic(http.ErrAbortHandler)
		case "/odd":
			w.WriteHeader(999)
		}
		io.WriteString(w, "four")
	}, request("GET", "/"), request("GET", "/slow"), request("GET", "/down"), request("BREW", "/"), request("X", "/"), request("GET", "/page"),
		request("GET", "/broken"), request("GET", "/odd"), request("GET", "/stranger"))
	wantSeries(t, scrape(t, m), map[string]string{
		`requests_total{method="GET",site="shop",status="2xx"}`:   "4",
		`requests_total{method="GET",site="shop",status="5xx"}`:   "1",
		`requests_total{method="GET",site="shop",status="none"}`:  "1",
		`requests_total{method="other",site="shop",status="2xx"}`: "2",
		`requests_total{method="GET",site="none",status="4xx"}`:   "1",
		`requests_total{method="PUT",site="shop",status="2xx"}`:   "",
		`response_bytes_total{site="shop"}`:                       "32",
		`request_duration_seconds_count{site="shop"}`:             "8",
		`upstream_duration_seconds_count{site="shop"}`:            "2",
		`upstream_duration_seconds_bucket{site="shop",le="1"}`:    "1",
		`upstream_duration_seconds_bucket{site="shop",le="2.5"}`:  "2",
		`upstream_errors_total{site="shop"}`:                      "1",
		`rewritten_responses_total{site="shop"}`:                  "1",
		`rewritten_elements_total{site="shop"}`:                   "3",
		`scrubbed_placeholders_total{site="shop"}`:                "2",
		`unclear_pages_total{site="shop"}`:                        "1",
		`aborted_responses_total`:                                 "1",
		`panics_total`:                                            "0",
		`requests_in_flight`:                                      "7",
	})
}

// What a client chooses makes no series.
func TestCardinality(t *testing.T) {
	m := metrics.New(metrics.Build{}, func() int64 { return 0 })
	ok := func(http.ResponseWriter, *http.Request) {}
	serve(m, ok, httptest.NewRequest("GET", "/", nil), httptest.NewRequest("X", "/", nil))
	before := len(scrape(t, m))
	for i := range 100 {
		r := httptest.NewRequest(fmt.Sprintf("M%d", i), fmt.Sprintf("http://h%d.example/%d?q=%d", i, i, i), nil)
		r.Header.Set("User-Agent", fmt.Sprint(i))
		serve(m, ok, r)
	}
	if after := len(scrape(t, m)); after != before {
		t.Errorf("a hundred clients made %d series of %d", after, before)
	}
}

func TestHooks(t *testing.T) {
	m := metrics.New(metrics.Build{}, func() int64 { return 0 })
	config := merlon.Strict()
	config.Routes = []merlon.RouteConfig{{Match: "GET /widget/", Frame: merlon.Frame{"https://partner.example"}, Reason: "contract"}}
	guard, err := merlon.NewHooked(config, m.Hooks("shop"))
	if err != nil {
		t.Fatal(err)
	}
	var records []*access.Record
	h := &access.Handler{Ended: func(r *access.Record) { records = append(records, r) }, Next: guard.Proxy(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/style":
			w.Header().Set("Content-Type", "text/css")
		case "/old":
			w.Header().Set("X-Frame-Options", "ALLOW-FROM https://a.example")
		}
	}))}
	for _, target := range []string{"/", "/style", "/old", "/widget/x"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", target, nil))
	}
	wantSeries(t, scrape(t, m), map[string]string{
		`protected_responses_total{document="yes",route="base",site="shop"}`:         "2",
		`protected_responses_total{document="no",route="base",site="shop"}`:          "1",
		`protected_responses_total{document="yes",route="GET /widget/",site="shop"}`: "1",
		`nonces_total{site="shop"}`:                        "3",
		`misuse_total{kind="ignored-framing",site="shop"}`: "1",
	})
	if last := records[3]; last.Route != "GET /widget/" || !last.Nonce || records[1].Nonce {
		t.Errorf("the records: %+v and %+v", records[1], last)
	}
}

func TestProcess(t *testing.T) {
	m := metrics.New(metrics.Build{Version: "v1", Commit: "abc"}, func() int64 { return 0 })
	m.Reloaded(nil)
	m.Reloaded(errors.New("a mistake"))
	m.Reports("shop", 3)
	m.Dropped("shop", "not-json", 2)
	state := m.Connections("public")
	for _, s := range []http.ConnState{http.StateNew, http.StateNew, http.StateNew, http.StateActive, http.StateIdle, http.StateClosed, http.StateHijacked} {
		state(nil, s)
	}
	got := scrape(t, m)
	wantSeries(t, got, map[string]string{
		`reloads_total{result="ok"}`:                           "1",
		`reloads_total{result="refused"}`:                      "1",
		`reports_total{site="shop"}`:                           "3",
		`reports_dropped_total{reason="not-json",site="shop"}`: "2",
		`open_connections{listener="public"}`:                  "1",
	})
	for _, name := range []string{"go_goroutines", "merlon_last_reload_success_timestamp_seconds"} {
		if got[name] == "" || got[name] == "0" {
			t.Errorf("%s is %q", name, got[name])
		}
	}
	found := false
	for name := range got {
		found = found || strings.HasPrefix(name, "merlon_build_info{") && strings.Contains(name, `version="v1"`) && strings.Contains(name, `commit="abc"`)
	}
	if !found {
		t.Error("no merlon_build_info with the version and the commit")
	}
}

// Scraping while requests and reloads go on is clean under the race detector, and no request is lost.
func TestConcurrentUse(t *testing.T) {
	m := metrics.New(metrics.Build{}, func() int64 { return 0 })
	var working sync.WaitGroup
	for range 4 {
		working.Go(func() {
			for range 250 {
				serve(m, func(_ http.ResponseWriter, r *http.Request) { access.Of(r.Context()).ForSite("shop", 0) }, httptest.NewRequest("GET", "/", nil))
			}
		})
	}
	for range 20 {
		m.Reloaded(nil)
		scrape(t, m)
	}
	working.Wait()
	wantSeries(t, scrape(t, m), map[string]string{`requests_total{method="GET",site="shop",status="2xx"}`: "1000"})
}

func TestEndedAllocatesNothing(t *testing.T) {
	m := metrics.New(metrics.Build{}, func() int64 { return 0 })
	for name, n := range map[string]float64{"a record": perRequest(nil), "a record that is counted": perRequest(m.Ended)} {
		if n != 2 {
			t.Errorf("%s: %v allocations for a request, want 2", name, n)
		}
	}
}

func perRequest(ended func(*access.Record)) float64 {
	h := &access.Handler{Next: site, Ended: ended}
	r := httptest.NewRequest("GET", "/", nil)
	return testing.AllocsPerRun(100, func() { h.ServeHTTP(sink{}, r) })
}

type siteHandler struct{}

func (siteHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := access.Of(r.Context())
	rec.ForSite("shop", 0)
	rec.Asked(time.Millisecond, false)
	w.WriteHeader(200)
}

var site siteHandler

type sink struct{}

func (sink) Header() http.Header         { return nil }
func (sink) Write(b []byte) (int, error) { return len(b), nil }
func (sink) WriteHeader(int)             {}

func BenchmarkRequest(b *testing.B) {
	m := metrics.New(metrics.Build{}, func() int64 { return 0 })
	r := httptest.NewRequest("GET", "/", nil)
	for name, ended := range map[string]func(*access.Record){"record": nil, "counted": m.Ended} {
		b.Run(name, func(b *testing.B) {
			h := &access.Handler{Next: site, Ended: ended}
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(sink{}, r)
			}
		})
	}
}
