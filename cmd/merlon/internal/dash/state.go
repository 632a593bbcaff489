package dash

import (
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

const (
	maxStateBody = 8 << 10
	dayFormat    = time.DateOnly
)

// stateForm is what the form for an issue's state shows: what is stored, or what was sent and is not right.
type stateForm struct {
	State   store.State
	Until   string // a day, or ""
	Note    string
	Choices []stateChoice
	Error   string
}

func formOf(i store.Issue, now time.Time) stateForm {
	f := stateForm{State: i.Effective(now), Note: i.StateNote, Choices: stateChoices()}
	if f.State == store.Ignored && !i.StateUntil.IsZero() {
		f.Until = i.StateUntil.UTC().Format(dayFormat)
	}
	return f
}

// The mistakes that a form can have, in the words that its reader sees.
const (
	noState  = "Choose one of the four states."
	noDay    = "Write the day as year-month-day, for example 2027-01-31."
	pastDay  = "The day is over. Choose one that is still to come, or leave it empty."
	longNote = "The note is too long. Keep it under 500 characters."
	notText  = "The note is not plain text."
)

// read takes the decision from what was sent, and returns the mistake in it, "" for none.
func (f *stateForm) read(sent url.Values, now time.Time) (d store.Decision, mistake string) {
	f.State, f.Until, f.Note = store.State(sent.Get("state")), sent.Get("until"), sent.Get("note")
	d.State, d.At, d.Note = f.State, now, strings.Join(strings.Fields(f.Note), " ")
	switch {
	case !isState(d.State):
		return d, noState
	case !utf8.ValidString(d.Note) || strings.ContainsFunc(d.Note, unicode.IsControl):
		f.Note = ""
		return d, notText
	case len(d.Note) > store.MaxNote:
		return d, longNote
	case d.State != store.Ignored || f.Until == "":
		return d, ""
	}
	var err error
	d.Until, err = time.Parse(dayFormat, f.Until)
	switch {
	case err != nil:
		return d, noDay
	case !d.Until.After(now):
		return d, pastDay
	}
	return d, ""
}

func isState(s store.State) bool {
	for _, c := range stateChoices() {
		if c.Value == s {
			return true
		}
	}
	return false
}

// setState takes the form. The answer to a good one is a redirect, so that a reload sends nothing again.
func (d *Dashboard) setState(w http.ResponseWriter, r *http.Request) error {
	id, err := issueID(r)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxStateBody)
	if err := r.ParseForm(); err != nil {
		return statusError(http.StatusBadRequest)
	}
	form := stateForm{Choices: stateChoices()}
	chosen, mistake := form.read(r.PostForm, d.now())
	if mistake != "" {
		form.Error = mistake
		return d.renderIssue(w, r, id, &form)
	}
	if err := d.store.SetState(r.Context(), id, chosen); err != nil {
		return err
	}
	http.Redirect(w, r, r.URL.JoinPath("..").Path+"#state", http.StatusSeeOther)
	return nil
}
