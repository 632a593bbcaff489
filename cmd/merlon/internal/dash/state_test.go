package dash_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

func TestState(t *testing.T) {
	r := newRig(t)
	r.hit(store.Hit{Directive: "img-src"}, 1, report.Enforce)
	cookie := r.logIn()
	r.clock.Advance(time.Hour)
	form := url.Values{"state": {"ignored"}, "until": {"2026-03-31"}, "note": {" until the\r\n <b>relaunch</b> "}}
	res := r.do("POST", "/issues/1/state", form, cookie)
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/issues/1#state" {
		t.Fatalf("POST: %d to %q, want 303 to the issue", res.StatusCode, res.Header.Get("Location"))
	}
	issue, err := r.store.Issue(t.Context(), 1)
	until := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	if err != nil || issue.State != store.Ignored || !issue.StateUntil.Equal(until) || issue.StateNote != "until the <b>relaunch</b>" || !issue.StateAt.Equal(r.clock.Now()) {
		t.Errorf("stored: %v until %v, %q at %v, %v", issue.State, issue.StateUntil, issue.StateNote, issue.StateAt, err)
	}
	doc := r.page("/issues/1", 200, cookie)
	wantText(t, doc, "section p", "Ignored until 2026-03-31 set just now 2026-03-24 13:00")
	wantText(t, doc, "blockquote p", "until the <b>relaunch</b>")
	wantText(t, r.page("/issues?state=ignored", 200, cookie), "p.total", "1 issue")
	wantText(t, r.page("/issues", 200, cookie), "p.total", "0 issues")
	r.clock.Advance(8 * 24 * time.Hour)
	doc = r.page("/issues/1", 200, r.logIn())
	wantText(t, doc, "section p", "It was ignored until 2026-03-31. That day has come, so it is new again.")
}

func TestStateMistakes(t *testing.T) {
	r := newRig(t)
	r.hit(store.Hit{Directive: "img-src"}, 1, report.Enforce)
	cookie := r.logIn()
	tests := []struct{ state, until, note, want string }{
		{"", "", "", "Choose one of the four states."},
		{"NEW", "", "", "Choose one of the four states."},
		{"ignored", "31.3.2026", "", "Write the day as year-month-day, for example 2027-01-31."},
		{"ignored", "12026-03-31", "", "Write the day as year-month-day, for example 2027-01-31."},
		{"ignored", "2026-03-24", "", "The day is over. Choose one that is still to come, or leave it empty."},
		{"new", "", strings.Repeat("é", 251), "The note is too long. Keep it under 500 characters."},
		{"new", "", "\xff", "The note is not plain text."},
		{"new", "", "a\x00b", "The note is not plain text."},
	}
	for _, tt := range tests {
		form := url.Values{"state": {tt.state}, "until": {tt.until}, "note": {tt.note}}
		res := r.do("POST", "/issues/1/state", form, cookie)
		if res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d, want 422", form, res.StatusCode)
			continue
		}
		doc := parse(t, res)
		wantText(t, doc, "p.error", tt.want)
		if got := attr(find(doc, "form.decide input")[4], "value"); got != tt.until {
			t.Errorf("%q: the form comes back with the day %q", form, got)
		}
	}
	if issue, err := r.store.Issue(t.Context(), 1); err != nil || !issue.StateAt.IsZero() {
		t.Errorf("a mistake changed the state: %+v, %v", issue, err)
	}
}

func TestStateIsProtected(t *testing.T) {
	r := newRig(t)
	r.hit(store.Hit{Directive: "img-src"}, 1, report.Enforce)
	cookie := r.logIn()
	form := url.Values{"state": {"accepted"}}
	foreign := newRequest("POST", "/issues/1/state", form)
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	large := url.Values{"state": {"accepted"}, "note": {strings.Repeat("x", 20<<10)}}
	for name, tt := range map[string]struct {
		res  *http.Response
		want int
	}{
		"without a log-in":    {r.do("POST", "/issues/1/state", form, nil), http.StatusSeeOther},
		"from another site":   {r.send(foreign, cookie), http.StatusForbidden},
		"too large":           {r.do("POST", "/issues/1/state", large, cookie), http.StatusBadRequest},
		"of no issue":         {r.do("POST", "/issues/9/state", form, cookie), http.StatusNotFound},
		"of no number":        {r.do("POST", "/issues/x/state", form, cookie), http.StatusNotFound},
		"a mistake, no issue": {r.do("POST", "/issues/9/state", url.Values{}, cookie), http.StatusNotFound},
	} {
		if tt.res.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", name, tt.res.StatusCode, tt.want)
		}
	}
	if issue, err := r.store.Issue(t.Context(), 1); err != nil || !issue.StateAt.IsZero() {
		t.Errorf("the state was changed: %+v, %v", issue, err)
	}
}
