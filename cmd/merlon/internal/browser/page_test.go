package browser_test

import (
	"bytes"
	"context"
	"errors"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
)

func TestNavigate(t *testing.T) {
	srv := serve(t, map[string]reply{
		"/":     {html: `<img src="/slow.png"><script>addEventListener('load', () => document.title = 'loaded')</script>`},
		"/hop":  {html: `<script>location = '/end'</script>`},
		"/end":  {html: `<h1>end</h1>`},
		"/void": {header: []string{"Content-Disposition", "attachment"}},
	})
	refused := httptest.NewServer(nil)
	refused.Close()
	p := open(t, start(t, browser.Options{}))
	for _, test := range []struct{ url, err, path string }{
		{srv.URL + "/", "", "/"},
		{srv.URL + "/#part", "", "/"}, // within the document
		{srv.URL + "/hop", "", ""},
		{srv.URL + "/missing", "", "/missing"}, // a 404 with a body is a document
		{srv.URL + "/void", "net::ERR_ABORTED", ""},
		{refused.URL, "net::ERR_CONNECTION_REFUSED", ""},
		{"http://host.example/", "net::ERR_NAME_NOT_RESOLVED", ""}, // not among Options.Hosts
		{"nonsense", "invalid URL", ""},
	} {
		err := p.Navigate(within(t), test.url)
		if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("Navigate(%q): %v; want error %q", test.url, err, test.err)
		}
		if test.path == "" {
			continue
		}
		if got := eval[string](t, p, "location.pathname + ' ' + document.readyState"); got != test.path+" complete" {
			t.Errorf("after Navigate(%q): %q, want %q", test.url, got, test.path+" complete")
		}
	}
}

func TestNavigateGivenUp(t *testing.T) {
	site := target(t)
	p := open(t, start(t, browser.Options{}))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for range 2 { // in the middle, then with a context that has ended before
		if err := p.Navigate(ctx, site.URL+"/stall"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Navigate to a server that does not answer: %v; want the deadline", err)
		}
	}
	if err := p.Navigate(within(t), site.URL+"/open"); err != nil {
		t.Errorf("Navigate after one that was given up: %v", err)
	}
}

func TestCertErrors(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = discard()
	srv.StartTLS()
	t.Cleanup(srv.Close)
	for _, ignore := range []bool{false, true} {
		p := open(t, start(t, browser.Options{IgnoreCertErrors: ignore}))
		err := p.Navigate(within(t), srv.URL)
		if ignore != (err == nil) || !ignore && !strings.Contains(err.Error(), "net::ERR_CERT_AUTHORITY_INVALID") {
			t.Errorf("Navigate with IgnoreCertErrors %v: %v", ignore, err)
		}
	}
}

func TestEval(t *testing.T) {
	p := open(t, start(t, browser.Options{}))
	type point struct{ X, Y int }
	if got := eval[point](t, p, "new Promise(done => setTimeout(() => done({x: 1, y: 2}), 5))"); got != (point{1, 2}) {
		t.Errorf("a promise of an object: %v", got)
	}
	if got := eval[*int](t, p, "undefined"); got != nil {
		t.Errorf("undefined: %v, want nil", got)
	}
	if got := eval[string](t, p, "'a\\u2028\U0001f600'"); got != "a\u2028\U0001f600" {
		t.Errorf("text: %q", got)
	}
	for expression, want := range map[string]string{
		"throw new RangeError('too far')":          "RangeError: too far",
		"(() => { throw new Error('too far') })()": "Error: too far",
		"1 +":                                 "SyntaxError",
		"Promise.reject(new TypeError('no'))": "TypeError: no",
		"(() => { throw 'text' })()":          "text",
		"NaN":                                 "NaN is not JSON",
		"document.body.appendChild(document.createElement('p')).ownerDocument.defaultView": "", // circular
	} {
		var v any
		err := p.Eval(within(t), expression, &v)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Eval(%q): %v, %v; want an error with %q", expression, v, err, want)
		}
	}
}

func TestWait(t *testing.T) {
	srv := serve(t, map[string]reply{
		"/":     {html: `<script>setTimeout(() => location = '/next', 50)</script>`},
		"/next": {html: `<script>setTimeout(() => document.body.id = 'late', 50)</script><p>`, header: []string{"Content-Security-Policy", "script-src 'unsafe-inline'"}},
	})
	p := show(t, srv.URL)
	// An exception until there is a body, a navigation meanwhile, a comment at the end, and no 'unsafe-eval'.
	if err := p.Wait(within(t), "location.pathname == '/next' && document.querySelector('#late').tagName == 'BODY' // so"); err != nil {
		t.Error(err)
	}
	if err := p.Wait(within(t), "1 +"); err == nil || !strings.Contains(err.Error(), "SyntaxError") {
		t.Errorf("Wait with a mistake: %v; want a SyntaxError", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	err := p.Wait(ctx, "nothing.here")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "nothing is not defined") {
		t.Errorf("Wait in vain: %v; want the deadline and the last exception", err)
	}
}

func TestWaitLoadError(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	srv := serve(t, map[string]reply{"/": {html: `<a href="` + gone.URL + `/x">go</a>`}})
	p, ctx := show(t, srv.URL), within(t)
	err := p.WaitLoad(ctx, func() error { return p.ClickOn(ctx, "a") })
	if err == nil || !strings.Contains(err.Error(), gone.URL+"/x: net::ERR_CONNECTION_REFUSED") {
		t.Errorf("WaitLoad of a link to nowhere: %v; want ERR_CONNECTION_REFUSED", err)
	}
	mine := errors.New("mine")
	if err := p.WaitLoad(ctx, func() error { return mine }); !errors.Is(err, mine) {
		t.Errorf("WaitLoad whose action fails: %v", err)
	}
}

func TestDialogs(t *testing.T) {
	srv := serve(t, map[string]reply{
		"/":      {html: `<a href="/popup" target=_blank rel=opener>open</a>`},
		"/popup": {html: `<script>alert('from the popup')</script>`},
	})
	p, ctx := show(t, srv.URL), within(t)
	got := eval[[]any](t, p, "[alert('one'), confirm('two'), prompt('three', 'four')]")
	if diff := cmp.Diff([]any{nil, true, "four"}, got); diff != "" {
		t.Errorf("answers of dialogs (-want +got):\n%s", diff)
	}
	url := srv.URL + "/"
	want := []browser.Dialog{{Type: "alert", Text: "one", URL: url}, {Type: "confirm", Text: "two", URL: url}, {Type: "prompt", Text: "three", URL: url}}
	if diff := cmp.Diff(want, p.Dialogs()); diff != "" {
		t.Errorf("Dialogs (-want +got):\n%s", diff)
	}
	if err := p.ClickOn(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if err := p.WaitPopups(ctx, 1); err != nil {
		t.Fatal(err)
	}
	popup := p.Popups()[0]
	if err := popup.Wait(ctx, "location.pathname == '/popup' && document.readyState == 'complete'"); err != nil {
		t.Fatal(err)
	}
	if list := popup.Dialogs(); len(list) != 1 || list[0].Text != "from the popup" {
		t.Errorf("dialogs of the popup: %v", list)
	}
	eval[int](t, p, "1") // the opener goes on
}

func TestConsole(t *testing.T) {
	srv := serve(t, map[string]reply{"/": {
		html:   `<script nonce=n>console.warn('careful', 3, null, {a: 1}); setTimeout(() => { throw new Error('late') })</script><script>alert(1)</script><img src=/none.png>`,
		header: []string{"Content-Security-Policy", "script-src 'nonce-n'"},
	}})
	p := show(t, srv.URL)
	url := srv.URL + "/"
	for _, want := range []browser.Entry{
		{Source: "console", Level: "warning", Text: "careful 3 null Object", URL: url},
		{Source: "exception", Level: "error", Text: "Error: late", URL: url},
		{Source: "security", Level: "error", Text: "script-src 'nonce-n'", URL: url},
		{Source: "network", Level: "error", Text: "404", URL: url + "none.png"},
	} {
		waitEntry(t, p, want)
	}
	if list := p.Dialogs(); len(list) != 0 {
		t.Errorf("the script that the CSP forbids ran: %v", list)
	}
	p.Forget()
	if list := p.Console(); len(list) != 0 {
		t.Errorf("Console after Forget: %v", list)
	}
}

// waitEntry waits for an entry that has all of want, and its text as a part.
func waitEntry(t *testing.T, p *browser.Page, want browser.Entry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := p.WaitConsole(ctx, func(e browser.Entry) bool {
		part := strings.Contains(e.Text, want.Text)
		e.Text = want.Text
		return part && e == want
	}); err != nil {
		t.Errorf("no entry like %+v: %v, in %+v", want, err, p.Console())
	}
}

func TestResponses(t *testing.T) {
	srv := serve(t, map[string]reply{
		"/": {
			html:   `<link rel=stylesheet href=/no.css><script src=/s.js></script><img src=/hop><img src=http://localhost:1/>`,
			header: []string{"X-Two", "a", "X-Two", "b", "Content-Security-Policy", "img-src 'self'"},
		},
		"/s.js": {html: `1`, header: []string{"Content-Type", "text/javascript"}},
	})
	p := show(t, srv.URL)
	type line struct {
		url, kind string
		status    int
		err, why  string
	}
	got := map[line]http.Header{}
	for _, r := range p.Responses() {
		got[line{r.URL, r.Type, r.Status, r.ErrorText, r.BlockedReason}] = r.Header
	}
	document := line{srv.URL + "/", "Document", 200, "", ""}
	for _, want := range []line{
		document,
		{srv.URL + "/no.css", "Stylesheet", 0, "net::ERR_ABORTED", ""}, // a 404 as text is no stylesheet
		{srv.URL + "/s.js", "Script", 200, "", ""},
		{srv.URL + "/hop", "Image", 404, "", ""},
		{"http://localhost:1/", "Image", 0, "", "csp"},
	} {
		if _, ok := got[want]; !ok {
			t.Errorf("no response %v in %v", want, got)
		}
	}
	if diff := cmp.Diff([]string{"a", "b"}, got[document].Values("X-Two")); diff != "" {
		t.Errorf("X-Two (-want +got):\n%s", diff)
	}
}

func TestScreenshot(t *testing.T) {
	srv := serve(t, map[string]reply{"/": {html: `<style>body { margin: 0; background: #123456 } p { width: 100px; height: 50px; margin: 0; background: #fedcba }</style><p>`}})
	p := open(t, start(t, browser.Options{Width: 640, Height: 480}))
	open(t, p.Browser()) // the page is in the background now
	if err := p.Navigate(within(t), srv.URL); err != nil {
		t.Fatal(err)
	}
	shot, err := p.Screenshot(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if file := os.Getenv("MERLON_TEST_SCREENSHOT"); file != "" {
		os.WriteFile(file, shot, 0o600)
	}
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatalf("Screenshot: %v", err)
	}
	if size := img.Bounds().Size(); size.X != 640 || size.Y != 480 {
		t.Errorf("size %v, want 640 by 480", size)
	}
	for _, test := range []struct {
		x, y int
		want color.NRGBA
	}{{50, 25, color.NRGBA{0xfe, 0xdc, 0xba, 0xff}}, {630, 470, color.NRGBA{0x12, 0x34, 0x56, 0xff}}} {
		if got := color.NRGBAModel.Convert(img.At(test.x, test.y)); got != test.want {
			t.Errorf("pixel %d,%d: %v, want %v", test.x, test.y, got, test.want)
		}
	}
}
