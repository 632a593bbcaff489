package dash

import (
	"errors"
	"net/http"
	"sync"
	"time"
)

const (
	maxFailures   = 10 // wrong tokens, by everybody together, per failureWindow
	failureWindow = time.Minute
	maxLoginBody  = 4 << 10
)

// limiter counts wrong tokens over a sliding window, of everybody together: an attacker has many addresses. A right token is
// never refused, or anybody could keep the owner out; at 160 bits nobody gets there by trying.
type limiter struct {
	now func() time.Time

	mu    sync.Mutex
	times []time.Time // of the last wrong tokens, oldest first, never more than maxFailures
}

func newLimiter(now func() time.Time) *limiter { return &limiter{now: now} }

// fail books a wrong token and reports whether it is still within the limit.
func (l *limiter) fail() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for len(l.times) > 0 && now.Sub(l.times[0]) >= failureWindow {
		l.times = l.times[1:]
	}
	if len(l.times) >= maxFailures {
		return false
	}
	l.times = append(l.times, now)
	return true
}

type loginView struct{ Refused bool }

func (d *Dashboard) loginForm(w http.ResponseWriter, r *http.Request) error {
	if d.loggedIn(r) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	return d.render(w, r, view{Name: "login", Title: "Log in", Body: loginView{}})
}

// login reads the token from the body alone: what stands in a URL ends up in histories and logs.
func (d *Dashboard) login(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxLoginBody)
	if err := r.ParseForm(); err != nil {
		return statusError(http.StatusBadRequest)
	}
	err := d.tokens.Use(r.PostForm.Get("token"))
	if errors.Is(err, ErrToken) && !d.failures.fail() {
		w.Header().Set("Retry-After", "60")
		return statusError(http.StatusTooManyRequests)
	}
	if errors.Is(err, ErrToken) {
		d.log.Warn("dashboard log-in refused", "error", err)
		return d.render(w, r, view{Name: "login", Title: "Log in", Status: http.StatusForbidden, Body: loginView{Refused: true}})
	}
	if err != nil {
		d.log.Error("no token for the next log-in", "error", err)
	}
	d.sessions.end(d.sessionID(r))
	d.setSession(w, r, d.sessions.begin(), int(sessionLife/time.Second))
	d.log.Info("dashboard log-in")
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (d *Dashboard) logout(w http.ResponseWriter, r *http.Request) error {
	d.sessions.end(d.sessionID(r))
	d.setSession(w, r, "", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}
