package gateway_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

var lastYear = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// A page that a client has stored is confirmed where it is of the form that is in force, and with nothing that would change
// the policy that is stored with it.
func TestStoredPages(t *testing.T) {
	for _, mode := range []func(*gateway.Site){withPlaceholder, injecting} {
		for _, weak := range []string{"", "?weak=W/"} {
			var asked atomic.Pointer[http.Header]
			addr := serve(t, merlon.Strict(), shelf(&asked), mode)
			url := "http://" + addr + "/" + weak
			res, _, _ := ask(t, "GET", url)
			tag := res.Header.Get("ETag")
			if !strings.HasPrefix(tag, `W/"v,1-merlon-`) {
				t.Fatalf("the tag is %s", tag)
			}
			res, body, _ := ask(t, "GET", url, "If-None-Match", `"other", `+tag, "Accept", "text/html")
			if h := res.Header; res.StatusCode != 304 || body != "" || h.Get("ETag") != tag || nonceOf(h) != "" || h.Get("Content-Security-Policy") != "" || h.Get("Last-Modified") != "" {
				t.Errorf("%d %v", res.StatusCode, h)
			}
			if got := (*asked.Load()).Get("If-None-Match"); got != strings.TrimPrefix(weak, "?weak=")+`"v,1"` {
				t.Errorf("the application was asked for %s", got)
			}

			other := serve(t, merlon.Compat(), shelf(&asked), mode, func(s *gateway.Site) { // another configuration
				c := merlon.Strict()
				c.CSP += "; connect-src 'none'"
				s.Guard, _ = merlon.New(c)
			})
			for _, headers := range [][]string{
				{"If-None-Match", tag, "If-Modified-Since", lastYear.Format(http.TimeFormat)},
				{"If-None-Match", tag, "Accept", "text/html"},
			} {
				if res, body, _ := ask(t, "GET", "http://"+other+"/"+weak, headers...); res.StatusCode != 200 || body == "" {
					t.Errorf("under another policy: %d %v", res.StatusCode, res.Header)
				}
			}
		}
	}
}

// A page that is stored with what the application let in is not confirmed once it may not loosen any more.
func TestStoredPagesOfLooserTimes(t *testing.T) {
	var asked atomic.Pointer[http.Header]
	loose := serve(t, merlon.Strict(), shelf(&asked), withPlaceholder, func(s *gateway.Site) { s.MayLoosen = true })
	tight := serve(t, merlon.Strict(), shelf(&asked), withPlaceholder)
	res, _, _ := ask(t, "GET", "http://"+loose)
	tag := res.Header.Get("ETag")
	for addr, want := range map[string]int{loose: 304, tight: 200} {
		if res, _, _ := ask(t, "GET", "http://"+addr, "If-None-Match", tag); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", tag, res.StatusCode, want)
		}
	}
}

// A page from before there was a gateway has no policy, and is not confirmed to a browser that would show it.
func TestPagesFromBefore(t *testing.T) {
	var asked atomic.Pointer[http.Header]
	addr := serve(t, merlon.Strict(), shelf(&asked), injecting)
	for _, shows := range [][]string{{"Accept", "text/html,*/*;q=0.8"}, {"Sec-Fetch-Dest", "iframe"}} {
		for _, condition := range [][]string{{"If-None-Match", `"v,1"`}, {"If-None-Match", "*"}, {"If-Modified-Since", lastYear.Format(http.TimeFormat)}, {"Range", "bytes=0-3"}} {
			if res, body, _ := ask(t, "GET", "http://"+addr, append(shows, condition...)...); res.StatusCode != 200 || len(body) < 100 {
				t.Errorf("%q %q: %d", shows, condition, res.StatusCode)
			}
		}
	}
}

// What is no page keeps its tags, dates and ranges in mode inject.
func TestConditionsOfOtherBodies(t *testing.T) {
	var asked atomic.Pointer[http.Header]
	addr := serve(t, merlon.Strict(), shelf(&asked), injecting)
	for _, tt := range []struct {
		headers []string
		status  int
	}{
		{nil, 200}, {[]string{"If-None-Match", `"v,1"`}, 304}, {[]string{"If-None-Match", `"x", W/"v,1"`}, 304}, {[]string{"If-None-Match", `"x"`}, 200},
		{[]string{"If-Modified-Since", lastYear.Format(http.TimeFormat)}, 304}, {[]string{"Range", "bytes=1-2"}, 206}, {[]string{"Range", "bytes=9-"}, 416},
		{[]string{"Range", "bytes=1-2", "If-Range", `"v,1"`}, 206}, {[]string{"Range", "bytes=1-2", "If-Range", `"x"`}, 200}, {[]string{"If-Match", `"x"`}, 412}, {[]string{"If-Match", `"v,1"`}, 200},
	} {
		res, body, _ := ask(t, "GET", "http://"+addr+"/a.css", tt.headers...)
		if res.StatusCode != tt.status || res.StatusCode != 416 && res.Header.Get("ETag") != `"v,1"` || res.StatusCode == 206 && body != "{}" || res.StatusCode == 200 && (body != "p{}" || res.Header.Get("Accept-Ranges") != "bytes") {
			t.Errorf("%q: %d %v %q, want %d", tt.headers, res.StatusCode, res.Header, body, tt.status)
		}
	}
	// A range of a page goes out as it is: nobody shows a part, and nothing in it is secret.
	if res, body, _ := ask(t, "GET", "http://"+addr+"/", "Range", "bytes=0-8"); res.StatusCode != 206 || body != "<!doctype" {
		t.Errorf("a part of a page: %d %q", res.StatusCode, body)
	}
}

// A client that changes what it read can say which version that was, also where the tag is ours.
func TestIfMatch(t *testing.T) {
	var asked atomic.Pointer[http.Header]
	addr := serve(t, merlon.Strict(), shelf(&asked), withPlaceholder)
	res, _, _ := ask(t, "GET", "http://"+addr)
	tag := res.Header.Get("ETag")
	for sent, want := range map[string]string{tag: `"v,1"`, `"x", ` + tag: `"x", "v,1"`, `W/"v,1-merlon-s00000000"`: `W/"v,1-merlon-s00000000"`, "*": "*", `"x"`: `"x"`} {
		ask(t, "PUT", "http://"+addr, "If-Match", sent)
		if got := (*asked.Load()).Get("If-Match"); got != want {
			t.Errorf("If-Match: %s becomes %s, want %s", sent, got, want)
		}
	}
}

// A condition of a request that changes something goes on, whatever else the client accepts: without it, what another has written is
// lost.
func TestConditionsOfChanges(t *testing.T) {
	var asked atomic.Pointer[http.Header]
	for _, mode := range []func(*gateway.Site){withPlaceholder, injecting} {
		addr := serve(t, merlon.Strict(), shelf(&asked), mode)
		res, _, _ := ask(t, "GET", "http://"+addr)
		tag := res.Header.Get("ETag")
		for sent, want := range map[string]string{"*": "*", `"v,1"`: `"v,1"`, tag: `"v,1"`, `"x", ` + tag: `"x", "v,1"`} {
			ask(t, "PUT", "http://"+addr, "If-None-Match", sent, "Accept", "text/html, */*;q=.2")
			if got := (*asked.Load()).Get("If-None-Match"); got != want {
				t.Errorf("If-None-Match: %s becomes %s, want %s", sent, got, want)
			}
		}
	}
}

// shelf is an application that has one page and one style sheet, and knows their tags and dates.
func shelf(asked *atomic.Pointer[http.Header]) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := r.Header.Clone()
		asked.Store(&h)
		kind, text := "text/html; charset=utf-8", page
		if r.URL.Path == "/a.css" {
			kind, text = "text/css", "p{}"
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("ETag", r.URL.Query().Get("weak")+`"v,1"`)
		http.ServeContent(w, r, "", lastYear, strings.NewReader(text))
	}
}
