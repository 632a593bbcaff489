package alert

import (
	"fmt"
	"slices"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// freshFor is how long an origin is new.
const freshFor = 7 * 24 * time.Hour

const overNew = "Somebody has decided about the issue, or it is a week old."

// The conditions about origins that a site did not use before.
var (
	newScript = Condition{ID: "new-script-origin", Title: "scripts from a new origin", Over: overNew,
		Why:   "A script of another origin can do all that the page can. It may be yours, an extension's, or an attacker's.",
		Check: newOrigin("script-src", "script-src-elem", "script-src-attr", "worker-src")}
	newConnect = Condition{ID: "new-connect-origin", Title: "a page sends data to a new origin", Over: overNew,
		Why:   "What a stolen page sends out goes to an origin that was not there before.",
		Check: newOrigin("connect-src")}
	newForm = Condition{ID: "new-form-origin", Title: "a form sends to a new origin", Over: overNew,
		Why:   "A form that is led elsewhere takes along what people type, without any script.",
		Check: newOrigin("form-action")}
	newBase = Condition{ID: "new-base-origin", Title: "a page is to take its addresses from a new origin", Over: overNew,
		Why:   "An injected base element makes the page load its own scripts from elsewhere.",
		Check: newOrigin("base-uri")}
	newObject = Condition{ID: "new-object-origin", Title: "a plug-in or an embedded document from a new origin", Over: overNew,
		Why:   "Few sites embed objects any more, and what is in one may run.",
		Check: newOrigin("object-src")}
)

func newOrigin(directives ...string) func(*Snapshot) []Finding {
	return func(s *Snapshot) []Finding {
		var out []Finding
		for _, i := range s.Facts.Issues {
			unconfirmed, ok := tells(i)
			fresh := i.State == store.New && s.Now.Sub(i.FirstSeen) < freshFor
			if !ok || !fresh || i.Class != store.ClassOrigin || !slices.Contains(directives, i.Directive) {
				continue
			}
			f := about(i, unconfirmed)
			f.Why = fmt.Sprintf("First seen %s; %d reports until now, %d of them of an enforced policy.", clock(i.FirstSeen), i.Total(), i.Enforced)
			out = append(out, f)
		}
		return out
	}
}

// about is a finding about an issue.
func about(i store.AlertIssue, unconfirmed bool) Finding {
	what := i.Blocked
	if what == "" {
		what = i.Class
	}
	return Finding{Subject: fmt.Sprintf("issue-%d", i.ID), Issue: i.ID, Unconfirmed: unconfirmed, What: notify.Defang(what, notify.MaxName) + " by " + notify.Defang(i.Directive, notify.MaxName)}
}

// clock is a time as messages say it.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15h04") + " UTC" }
