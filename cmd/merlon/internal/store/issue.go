package store

import (
	"errors"
	"time"
)

// ErrNotFound says that an issue or a policy is not in the database.
var ErrNotFound = errors.New("the database has none")

// Issue is a group of violations of one site that one change would fix. Every string in it came from the network: cleaned of
// control characters and secrets, bounded, and still hostile.
type Issue struct {
	ID        int64
	Site      string
	Type      string // report type, "csp-violation"
	Directive string // effective directive, or "other"
	Class     string // what kind of thing was blocked: [ClassOrigin] and others
	Blocked   string // the blocked thing in that class: an origin, a scheme, a script's path template
	Sample    string // the first sample seen, if any
	FirstSeen time.Time
	LastSeen  time.Time
	Enforced  int64 // reports of an enforced policy: something did not load
	Reported  int64 // reports of a report-only policy: something would not have loaded
	Unknown   int64 // reports that did not say which
	Pages     []Page

	Verdict  Verdict // the gravest of its reports'
	Rule     string  // of Noise: the rule of the first report, id@version
	Attested int64   // reports that named a nonce of ours
	Networks int64   // of clients that sent them, estimated
	Views    int64   // attested page views that they are about, estimated

	State      State     // as it was set; [Issue.Effective] knows whether it still holds
	StateUntil time.Time // the end of Ignored; zero: none
	StateNote  string
	StateAt    time.Time // when somebody set it; zero: nobody did
}

// State is what people have decided about an issue.
type State string

// The states of an issue.
const (
	New          State = "new"
	Acknowledged State = "acknowledged" // somebody looks into it
	Accepted     State = "accepted"     // a risk that is taken
	Ignored      State = "ignored"      // until a time, or for ever
)

// Effective is the state at a time: what was ignored until a time is new again from then on.
func (i Issue) Effective(now time.Time) State {
	if i.State == Ignored && !i.StateUntil.IsZero() && !now.Before(i.StateUntil) {
		return New
	}
	return i.State
}

// Reach is how many clients have seen it: attested page views or networks, whichever are more.
func (i Issue) Reach() int64 { return max(i.Networks, i.Views) }

// Confirmed reports whether more than one client has seen it: two networks, or two page views that merlon can prove.
func (i Issue) Confirmed() bool { return i.Networks > 1 || i.Views > 1 }

// Total is the number of reports behind the issue, whatever their disposition.
func (i Issue) Total() int64 { return i.Enforced + i.Reported + i.Unknown }

// Page is a document route on which an issue was seen. Route is a cleaned path, "" for the sum of the routes beyond the cap.
type Page struct {
	Route string
	Count int64
}
