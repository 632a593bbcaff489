package dash_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
)

func TestLogIn(t *testing.T) {
	r := newRig(t)
	res := r.do("GET", "/", nil, nil)
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || got != "/login" {
		t.Fatalf("GET / without a session: %d to %q, want 303 to /login", res.StatusCode, got)
	}
	form := r.page("/login", 200, nil)
	if inputs := find(form, "form input"); len(inputs) != 1 || attr(inputs[0], "name") != "token" || attr(find(form, "form")[0], "method") != "post" {
		t.Error("the log-in page has no form that posts a token")
	}
	cookie := r.logIn()
	if got := texts(r.page("/", 200, cookie), "h1"); len(got) != 1 || got[0] != "Overview" {
		t.Errorf("after the log-in: h1 %q, want Overview", got)
	}
	if res := r.do("GET", "/login", nil, cookie); res.Header.Get("Location") != "/" {
		t.Errorf("GET /login with a session: %d, want a redirect to /", res.StatusCode)
	}
}

func TestSessionCookie(t *testing.T) {
	r := newRig(t)
	c := r.logIn()
	if c.Name != dash.DefaultCookieName || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode ||
		c.Path != "/" || c.Domain != "" || c.MaxAge != 12*3600 || c.Secure {
		t.Errorf("cookie over http: %+v", c)
	}
	if len(c.Value) < 43 {
		t.Errorf("session id %q is shorter than 256 bits", c.Value)
	}
	req := newRequest("POST", "/login", url.Values{"token": {r.fileToken()}})
	req.URL.Scheme, req.TLS = "https", tlsState()
	if got := r.send(req, nil).Cookies(); len(got) != 1 || !got[0].Secure {
		t.Errorf("cookies over TLS: %v, want one that is Secure", got)
	}
	named := newRig(t, func(c *dash.Config) { c.CookieName = "demo" })
	if got := named.logIn(); got.Name != "demo" {
		t.Errorf("cookie name %q, want demo", got.Name)
	}
}

func TestTokenOfTheURLIsIgnored(t *testing.T) {
	r := newRig(t)
	target := "/login?token=" + url.QueryEscape(r.token)
	if res := r.do("GET", target, nil, nil); len(res.Cookies()) != 0 {
		t.Error("GET with the token in the URL logged in")
	}
	if res := r.do("POST", target, url.Values{}, nil); res.StatusCode != http.StatusForbidden {
		t.Errorf("POST with the token in the URL: %d, want 403", res.StatusCode)
	}
	r.logIn() // still unused
}

func TestWrongTokenIsExplained(t *testing.T) {
	r := newRig(t)
	res := r.do("POST", "/login", url.Values{"token": {"<script>alert(1)</script>"}}, nil)
	if res.StatusCode != http.StatusForbidden || len(res.Cookies()) != 0 {
		t.Fatalf("wrong token: %d, cookies %v, want 403 and none", res.StatusCode, res.Cookies())
	}
	wantText(t, parse(t, res), "p.error", "That token does not work. Each one works once, and a restart makes a new one.")
}

func TestLogInForms(t *testing.T) {
	r := newRig(t)
	for name, body := range map[string]string{"too large": "token=" + strings.Repeat("A", 1<<20), "not a form": "token=%zz"} {
		req := newRequest("POST", "/login", url.Values{})
		req.Body = readCloser(body)
		if res := r.send(req, nil); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", name, res.StatusCode)
		}
	}
}

func TestBruteForceLimit(t *testing.T) {
	r := newRig(t)
	wrong := url.Values{"token": {"AAAA"}}
	for i := range 10 {
		if res := r.do("POST", "/login", wrong, nil); res.StatusCode != http.StatusForbidden {
			t.Fatalf("try %d: %d, want 403", i+1, res.StatusCode)
		}
		r.clock.Advance(time.Second)
	}
	res := r.do("POST", "/login", wrong, nil)
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "60" {
		t.Fatalf("try 11: %d, Retry-After %q, want 429 and 60", res.StatusCode, res.Header.Get("Retry-After"))
	}
	wantText(t, parse(t, res), "h1", "Too Many Requests")
	r.logIn()                         // nobody can keep the owner out
	r.clock.Advance(50 * time.Second) // the first try is a minute old, the second is not
	for _, want := range []int{http.StatusForbidden, http.StatusTooManyRequests} {
		if res := r.do("POST", "/login", wrong, nil); res.StatusCode != want {
			t.Errorf("a minute after the first try: %d, want %d", res.StatusCode, want)
		}
	}
}

func TestBruteForceLimitHoldsInParallel(t *testing.T) {
	r := newRig(t)
	var mu sync.Mutex
	count := map[int]int{}
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			res := r.do("POST", "/login", url.Values{"token": {"AAAA"}}, nil)
			mu.Lock()
			defer mu.Unlock()
			count[res.StatusCode]++
		})
	}
	wg.Wait()
	if count[http.StatusForbidden] != 10 || count[http.StatusTooManyRequests] != 30 {
		t.Errorf("40 parallel tries: %v, want 10 times 403 and 30 times 429", count)
	}
}

func TestRightTokensAreNotLimited(t *testing.T) {
	r := newRig(t)
	for range 30 {
		r.logIn()
	}
}

func TestSessionEndsByTime(t *testing.T) {
	r := newRig(t)
	cookie := r.logIn()
	r.clock.Advance(12*time.Hour - time.Second)
	r.page("/", 200, cookie)
	r.clock.Advance(time.Second)
	if res := r.do("GET", "/", nil, cookie); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after 12 hours: %d, want 303 to the log-in", res.StatusCode)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	r := newRig(t)
	first := r.logIn()
	r.clock.Advance(time.Second)
	second := r.logIn()
	for range 63 {
		r.logIn()
	}
	if res := r.do("GET", "/", nil, first); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the oldest of 65 sessions: %d, want it ended", res.StatusCode)
	}
	r.page("/", 200, second)
}

func TestLogOut(t *testing.T) {
	r := newRig(t)
	cookie, other := r.logIn(), r.logIn()
	if res := r.do("GET", "/logout", nil, cookie); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET /logout: %d, want 405", res.StatusCode)
	}
	r.page("/", 200, cookie)
	res := r.do("POST", "/logout", url.Values{}, cookie)
	if got := res.Cookies(); len(got) != 1 || got[0].MaxAge != -1 || got[0].Value != "" {
		t.Errorf("log-out sets %v, want the cookie removed", got)
	}
	if res := r.do("GET", "/", nil, cookie); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after the log-out: %d, want 303", res.StatusCode)
	}
	r.page("/", 200, other)
}

// A new log-in ends the session that the browser had, and never takes over an id that it sent.
func TestLogInChangesTheSession(t *testing.T) {
	r := newRig(t)
	old := r.logIn()
	res := r.do("POST", "/login", url.Values{"token": {r.fileToken()}}, old)
	if got := res.Cookies(); len(got) != 1 || got[0].Value == old.Value {
		t.Fatalf("second log-in: cookies %v, want a new id", got)
	}
	if res := r.do("GET", "/", nil, old); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the old session: %d, want it ended", res.StatusCode)
	}
}

func TestForeignOriginsCannotPost(t *testing.T) {
	r := newRig(t)
	cookie := r.logIn()
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://attacker.example"} {
		for _, path := range []string{"/login", "/logout"} {
			req := newRequest("POST", path, url.Values{"token": {r.fileToken()}})
			req.Header.Set(header, value)
			res := r.send(req, cookie)
			if res.StatusCode != http.StatusForbidden || len(res.Cookies()) != 0 {
				t.Errorf("POST %s with %s: %s: %d, cookies %v, want 403 and none", path, header, value, res.StatusCode, res.Cookies())
			}
		}
	}
	r.page("/", 200, cookie)
	r.logIn() // the token was not spent
}
