package browser_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
)

func discard() *log.Logger { return log.New(io.Discard, "", 0) }

// target is a site to be framed. It counts as another site when called by its other name.
func target(t *testing.T) *httptest.Server {
	t.Helper()
	reset := func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	mux := http.NewServeMux()
	for path, header := range map[string][2]string{
		"/open":  {"X-None", "1"},
		"/deny":  {"X-Frame-Options", "DENY"},
		"/fa":    {"Content-Security-Policy", "frame-ancestors 'none'"},
		"/typo":  {"X-Frame-Options", "ALLOW-FROM https://a.example"},
		"/trial": {"Content-Security-Policy-Report-Only", "frame-ancestors 'none'"},
		"/save":  {"Content-Disposition", "attachment"},
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header[0], header[1])
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<button onclick='fetch(`/clicked?`+event.isTrusted)' style='position: fixed; inset: 0; width: 100%'>Pay</button>")
		})
	}
	mux.HandleFunc("/hop", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Frame-Options", "DENY") // on a redirect it means nothing
		http.Redirect(w, r, r.URL.RawQuery, http.StatusFound)
	})
	mux.HandleFunc("/reset", reset)
	mux.HandleFunc("/stall", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	srv := httptest.NewUnstartedServer(mux)
	srv.Config.ErrorLog = discard()
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

func TestFrameOutcomes(t *testing.T) {
	b := start(t, browser.Options{})
	victim := crossSite(target(t))
	const blocked = "net::ERR_BLOCKED_BY_RESPONSE"
	type want = browser.Attempt
	for _, test := range []struct {
		name, html, csp string
		want            want
	}{
		{"open", `<iframe src="%s/open">`, "", want{URL: "/open", Outcome: browser.Framed, Status: 200}},
		{"XFO DENY", `<iframe src="%s/deny">`, "", want{URL: "/deny", Outcome: browser.Blocked, ErrorText: blocked, BlockedReason: "other", Status: 200}},
		{"frame-ancestors none", `<iframe src="%s/fa">`, "", want{URL: "/fa", Outcome: browser.Blocked, ErrorText: blocked, BlockedReason: "other", Status: 200}},
		{"XFO ALLOW-FROM", `<iframe src="%s/typo">`, "", want{URL: "/typo", Outcome: browser.Framed, Status: 200}},
		{"report only", `<iframe src="%s/trial">`, "", want{URL: "/trial", Outcome: browser.Framed, Status: 200}},
		{"sandboxed", `<iframe sandbox=allow-scripts src="%s/deny">`, "", want{URL: "/deny", Outcome: browser.Blocked, ErrorText: blocked, BlockedReason: "other", Status: 200}},
		{"object", `<object data="%s/deny"></object>`, "", want{URL: "/deny", Outcome: browser.Blocked, ErrorText: blocked, BlockedReason: "other", Status: 200}},
		{"embed", `<embed src="%s/open">`, "", want{URL: "/open", Outcome: browser.Framed, Status: 200}},
		{"redirect to open", `<iframe src="%s/hop?/open">`, "", want{URL: "/open", Outcome: browser.Framed, Status: 200}},
		{"redirect to deny", `<iframe src="%s/hop?/deny">`, "", want{URL: "/deny", Outcome: browser.Blocked, ErrorText: blocked, BlockedReason: "other", Status: 200}},
		{"inside srcdoc", `<iframe srcdoc="<iframe src='%s/fa'>"></iframe>`, "", want{URL: "/fa", Outcome: browser.Blocked, ErrorText: blocked, BlockedReason: "other", Status: 200}},
		{"not found", `<iframe src="%s/none">`, "", want{URL: "/none", Outcome: browser.Framed, Status: 404}},
		{"download", `<iframe src="%s/save">`, "", want{URL: "/save", Outcome: browser.Failed, ErrorText: "net::ERR_ABORTED", Status: 200}},
		{"reset", `<iframe src="%s/reset">`, "", want{URL: "/reset", Outcome: browser.Failed, ErrorText: "net::ERR_EMPTY_RESPONSE"}},
		{"the framing page's CSP", `<iframe src="%s/open">`, "frame-src 'none'", want{URL: "/open", Outcome: browser.Failed, ErrorText: "net::ERR_BLOCKED_BY_CSP"}},
		{"removed while it waits", `<iframe src="%[1]s/stall"></iframe><script>setTimeout(() => document.querySelector("iframe").remove(), 50)</script>`, "", want{URL: "/stall", Outcome: browser.Failed, ErrorText: "net::ERR_ABORTED"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			attacker := serve(t, map[string]reply{"/": {html: fmt.Sprintf(test.html, victim), header: []string{"Content-Security-Policy", test.csp}}})
			p := open(t, b)
			if err := p.Navigate(within(t), attacker.URL); err != nil {
				t.Fatal(err)
			}
			list, err := p.WaitFrames(within(t), 1)
			if err != nil || len(list) != 1 {
				t.Fatalf("WaitFrames: %+v, %v; want one", list, err)
			}
			test.want.URL = victim + test.want.URL
			opts := cmp.Options{cmpopts.IgnoreUnexported(browser.Attempt{}), cmpopts.IgnoreFields(browser.Attempt{}, "Frame", "Header")}
			if diff := cmp.Diff(test.want, list[0], opts); diff != "" {
				t.Errorf("attempt (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFrameRecord(t *testing.T) {
	victim := crossSite(target(t))
	attacker := serve(t, map[string]reply{"/": {html: `<iframe src="` + victim + `/deny"></iframe>`}})
	p, ctx := show(t, attacker.URL), within(t)
	list, err := p.WaitFrames(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := list[0].Header.Get("X-Frame-Options"); got != "DENY" {
		t.Errorf("the blocked answer's X-Frame-Options: %q, want DENY", got)
	}
	waitEntry(t, p, browser.Entry{Source: "other", Level: "error", Text: "Refused to display '" + victim, URL: "chrome-error://chromewebdata/"})
	eval[any](t, p, "document.querySelector('iframe').src = '"+victim+"/open'") // the same frame again
	if list, err = p.WaitFrames(ctx, 2); err != nil || list[1].Outcome != browser.Framed || list[0].Frame != list[1].Frame {
		t.Errorf("after a second navigation: %+v, %v; want framed, in the same frame", list, err)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if list, err = p.WaitFrames(short, 3); !errors.Is(err, context.DeadlineExceeded) || len(list) != 2 {
		t.Errorf("WaitFrames for too many: %d, %v; want 2 and the deadline", len(list), err)
	}
}

// TestClickInFrame is clickjacking: a click at a point of the attacker's page lands, trusted,
// in a page of another site below a layer that lets clicks through.
func TestClickInFrame(t *testing.T) {
	victim := crossSite(target(t))
	attacker := serve(t, map[string]reply{"/": {html: `<iframe src="` + victim + `/open" style="position: absolute; left: 200px; top: 100px; width: 200px; height: 100px; border: 0; opacity: .01"></iframe>
		<b style="position: absolute; left: 220px; top: 130px; pointer-events: none">Win a prize</b>`}})
	p, ctx := show(t, attacker.URL), within(t)
	if err := p.EvalFrame(ctx, victim, "addEventListener('click', e => window.seen = [e.isTrusted, e.clientX, e.clientY, e.target.textContent])", nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Click(ctx, 250, 140); err != nil {
		t.Fatal(err)
	}
	var seen []any
	if err := p.EvalFrame(ctx, victim, "window.seen", &seen); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{true, 50.0, 40.0, "Pay"}, seen); diff != "" {
		t.Errorf("the click in the frame (-want +got):\n%s", diff)
	}
	if got := eval[bool](t, p, "(() => { try { return !!frames[0].document } catch { return false } })()"); got {
		t.Error("the frame is not of another origin: the test shows nothing")
	}
	if err := p.EvalFrame(ctx, "/deny", "1", nil); err == nil || !strings.Contains(err.Error(), "no child frame") {
		t.Errorf("EvalFrame of no frame: %v", err)
	}
}
