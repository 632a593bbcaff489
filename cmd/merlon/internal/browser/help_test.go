package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
)

// testLimit is far more than any test here takes; it turns a hang into a failure that says where.
const testLimit = time.Minute

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testLimit)
	t.Cleanup(cancel)
	return ctx
}

// start starts a browser that ends with the test.
func start(t *testing.T, o browser.Options) *browser.Browser {
	t.Helper()
	o.Path = need.Chromium(t)
	b, err := browser.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}

func open(t *testing.T, b *browser.Browser) *browser.Page {
	t.Helper()
	p, err := b.NewPage(within(t))
	if err != nil {
		t.Fatalf("NewPage: %v", err)
	}
	return p
}

// show opens a new page at url, in a browser that ends with the test.
func show(t *testing.T, url string) *browser.Page {
	t.Helper()
	p := open(t, start(t, browser.Options{}))
	if err := p.Navigate(within(t), url); err != nil {
		t.Fatal(err)
	}
	return p
}

// reply is a page of a test's site, with header fields in pairs.
type reply struct {
	html   string
	header []string
}

// serve serves pages by path. An unknown path, the favicon's too, is a 404.
func serve(t *testing.T, pages map[string]reply) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for i := 0; i+1 < len(page.header); i += 2 {
			w.Header().Add(page.header[i], page.header[i+1])
		}
		fmt.Fprint(w, "<!doctype html><title>t</title>", page.html)
	}))
	t.Cleanup(srv.Close)
	return srv
}

// crossSite is the server's URL by its other name: another site for the browser.
func crossSite(srv *httptest.Server) string {
	return strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
}

func eval[T any](t *testing.T, p *browser.Page, expression string) T {
	t.Helper()
	var v T
	if err := p.Eval(within(t), expression, &v); err != nil {
		t.Fatalf("Eval(%q): %v", expression, err)
	}
	return v
}

func dirIsEmpty(t *testing.T, dir string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil || len(list) > 0 {
		t.Errorf("left in the profile's place: %v, %v; want nothing", list, err)
	}
}

// living lists the processes that are in the process group, or name dir in their command
// line: the browser's crash handlers leave the group.
func living(t *testing.T, group int, dir string) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc, which only Linux has")
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		stat, _ := os.ReadFile("/proc/" + e.Name() + "/stat")
		args, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		_, rest, ok := strings.Cut(string(stat), ") ") // state ppid pgrp
		f := strings.Fields(rest)
		if !ok || len(f) < 3 || f[0] == "Z" { // a zombie waits for its parent, which is init
			continue
		}
		if f[2] == strconv.Itoa(group) || strings.Contains(string(args), dir) {
			found = append(found, e.Name()+" "+strings.ReplaceAll(string(args), "\x00", " "))
		}
	}
	return found
}

// allGone waits until none is living. Who was killed is not gone at once.
func allGone(t *testing.T, group int, dir string) {
	t.Helper()
	eventually(t, func() []string { return living(t, group, dir) })
}

// eventually fails when something is left for ten seconds.
func eventually(t *testing.T, left func() []string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(10 * time.Second)
	for range tick.C {
		list := left()
		if len(list) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left:\n%.2000s", strings.Join(list, "\n"))
		}
	}
}
