package report_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/merlon-sec/merlon/report"
)

// collector takes pushes as one does, and fails when it is told to.
type collector struct {
	t *testing.T

	mu     sync.Mutex
	ids    map[string]bool
	routes map[string]int64
	pushes int
	answer func(push int) (status int, stored bool)
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Authorization") != "Bearer secret" || r.Method != "POST" {
		c.t.Errorf("%s with Authorization %q: %v", r.Method, r.Header.Get("Authorization"), err)
	}
	counts, err := report.DecodeCounts(data)
	if err != nil {
		c.t.Errorf("%s: %v", data, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pushes++
	status, stored := http.StatusNoContent, true
	if c.answer != nil {
		status, stored = c.answer(c.pushes)
	}
	if stored && !c.ids[counts.ID] {
		c.ids[counts.ID] = true
		for _, d := range counts.Documents {
			c.routes[d.Route] += d.Count
		}
	}
	w.WriteHeader(status)
}

// on is how many documents were counted on the route.
func (c *collector) on(route string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.routes[route]
}

func newCollector(t *testing.T, answer func(int) (int, bool)) *collector {
	return &collector{t: t, ids: map[string]bool{}, routes: map[string]int64{}, answer: answer}
}

func newCounter(t *testing.T, config report.CounterConfig) *report.Counter {
	t.Helper()
	config.Token = "secret"
	c, err := report.NewCounter(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPush(t *testing.T) {
	c := newCollector(t, nil)
	srv := httptest.NewServer(c)
	defer srv.Close()
	counter := newCounter(t, report.CounterConfig{URL: srv.URL})
	if err := counter.Push(t.Context()); err != nil || c.pushes != 0 {
		t.Errorf("nothing was counted, and %d pushes sent: %v", c.pushes, err)
	}
	for range 3 {
		counter.Count(at(t, "/cart"), "p", 200)
	}
	if err := counter.Push(t.Context()); err != nil || c.routes["/cart"] != 3 || c.pushes != 1 {
		t.Errorf("%v after %d pushes: %v", c.routes, c.pushes, err)
	}
}

// An answer that is lost, and one that says no, are followed by the same push: whatever happens each document counts once.
func TestPushCountsOnce(t *testing.T) {
	c := newCollector(t, func(push int) (int, bool) {
		switch push {
		case 1:
			return http.StatusServiceUnavailable, false
		case 2:
			return http.StatusBadGateway, true // stored, and the answer got lost on its way
		}
		return http.StatusNoContent, true
	})
	srv := httptest.NewServer(c)
	defer srv.Close()
	counter := newCounter(t, report.CounterConfig{URL: srv.URL})
	for range 4 {
		counter.Count(at(t, "/cart"), "p", 200)
		_ = counter.Push(t.Context())
	}
	if c.routes["/cart"] != 4 || len(c.ids) != 3 || c.pushes != 5 {
		t.Errorf("of 4 documents %d were counted, in %d pushes with %d ids", c.routes["/cart"], c.pushes, len(c.ids))
	}
}

func TestPushFails(t *testing.T) {
	for status, want := range map[int]string{
		401: "another token", 404: "token_file", 308: "that it leads to", 400: "400 Bad Request", 503: "503",
	} {
		srv := httptest.NewServer(newCollector(t, func(int) (int, bool) { return status, false }))
		counter := newCounter(t, report.CounterConfig{URL: srv.URL})
		counter.Count(at(t, "/cart"), "p", 200)
		if err := counter.Push(t.Context()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d: %v, want %q", status, err, want)
		}
		srv.Close()
		if err := counter.Push(t.Context()); err == nil {
			t.Error("no error without a collector")
		}
	}
}

func TestNewCounterRefuses(t *testing.T) {
	for _, c := range []report.CounterConfig{
		{}, {URL: "collector.example", Token: "t"}, {URL: "ftp://collector.example/", Token: "t"}, {URL: "https:///x", Token: "t"},
		{URL: "https://collector.example/"}, {URL: "https://collector.example/", Token: "t\n"}, {URL: "https://collector.example/", Token: "t", Every: -1},
	} {
		if _, err := report.NewCounter(c); err == nil {
			t.Errorf("NewCounter(%+v) succeeds", c)
		}
	}
}

// transport answers without a network, so that time can be a test's.
type transport struct{ handler http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCollector(t, func(push int) (int, bool) {
			if push == 2 {
				return http.StatusServiceUnavailable, false
			}
			return http.StatusNoContent, true
		})
		var failed []error
		counter := newCounter(t, report.CounterConfig{URL: "https://collector.example/", Client: &http.Client{Transport: transport{c}},
			Failed: func(err error) { failed = append(failed, err) }})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- counter.Run(ctx) }()
		var got []string
		for range 4 {
			counter.Count(at(t, "/cart"), "p", 200)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			got = append(got, fmt.Sprint(c.on("/cart")))
		}
		counter.Count(at(t, "/cart"), "p", 200)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if want := "1 1 3 4"; strings.Join(got, " ") != want || c.on("/cart") != 5 || len(failed) != 1 {
			t.Errorf("every ten seconds %s, want %s; at the end %d, want 5; failed: %v", got, want, c.on("/cart"), failed)
		}
	})
}

func TestRunTellsOfItsLastPush(t *testing.T) {
	down := errors.New("down")
	counter := newCounter(t, report.CounterConfig{URL: "https://collector.example/", Client: &http.Client{Transport: broken{down}}})
	counter.Count(at(t, "/cart"), "p", 200)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := counter.Run(ctx); !errors.Is(err, down) {
		t.Errorf("Run: %v", err)
	}
}

type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }
