package alert

import (
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// A Condition is something that people are told of.
type Condition struct {
	ID    string
	Title string // ends before what it is about
	Why   string // why one wants to know
	Over  string // when it is over
	Check func(*Snapshot) []Finding
}

// Finding says that a condition holds. Its texts are safe to show, see [notify.Defang].
type Finding struct {
	Subject     string // tells findings of a condition and a site apart, and stays the same from round to round
	What        string // in few words
	Why         string
	Issue       int64 // what it is about; 0: no issue
	Unconfirmed bool  // one client alone may have made it up
}

// Snapshot is what conditions are decided by: one site at one moment, or, with Site "", the process.
type Snapshot struct {
	Site    string
	Now     time.Time
	Up      time.Duration // since the process started
	Config  Config
	Facts   store.AlertFacts
	Health  Health
	Refused int64 // reports that were answered 503 since the last look
	Unread  bool  // the database could not be read
}

// Conditions are all that there are. A check looks at what is a site's, or at what is the process's, and finds nothing in the other.
func Conditions() []Condition {
	return []Condition{
		newScript, newConnect, newForm, newBase, newObject, criticalBlock, jump, silence, canaryMissing, otherShare, notStored,
	}
}

func conditionOf(id string) Condition {
	for _, c := range Conditions() {
		if c.ID == id {
			return c
		}
	}
	return Condition{ID: id, Title: id} // of another version
}

// tells reports whether an issue may alert, and whether as unconfirmed: one client can make up any number, and only what would run
// is worth the doubt.
func tells(i store.AlertIssue) (unconfirmed, ok bool) {
	unconfirmed = !i.Confirmed()
	return unconfirmed, !unconfirmed || executable(i.Directive)
}

// executable reports whether the directive's sources run, or say from where what runs is loaded. It is narrower than what the store keeps
// room for: a form or a connection leads data away, and runs nothing.
func executable(directive string) bool {
	switch directive {
	case "script-src", "script-src-elem", "script-src-attr", "worker-src", "object-src", "base-uri":
		return true
	}
	return false
}
