package store

import (
	"time"

	"github.com/merlon-sec/merlon/report"
)

// Fingerprint says which reports make one issue. The version is that of the rule that made the sum: issues of different versions
// stay apart, so that a better rule does not mix its groups with the old ones.
type Fingerprint struct {
	Version int
	Sum     [16]byte
}

// Verdict is the label of a report, and of an issue the gravest of its reports'. It deletes nothing.
type Verdict string

// The verdicts, from the gravest.
const (
	Actionable        Verdict = "actionable"
	SelfContradicting Verdict = "self-contradicting" // its own policy allows what it says was blocked
	Noise             Verdict = "noise"              // a rule knows it: an extension, an injected host
)

// graver reports whether v takes the place of another verdict of the same issue.
func (v Verdict) graver(than Verdict) bool { return v.rank() < than.rank() }

func (v Verdict) rank() int {
	switch v {
	case Noise:
		return 2
	case SelfContradicting:
		return 1
	}
	return 0
}

// Hit is one report that was accepted. Directive and Class come from small fixed sets, since the exact counters have a row for
// each combination; the other strings are bounded and cleaned by the caller.
type Hit struct {
	Site        string
	Fingerprint Fingerprint
	Type        string
	Directive   string
	Class       string
	Blocked     string
	Sample      string
	Disposition report.Disposition
	At          time.Time // of receipt
	Weight      int64     // how many events the report stands for; 0 means 1

	Verdict Verdict // "" means Actionable
	Rule    string  // id@version; with another verdict than Noise it is told in the facet and no label of the issue

	// The facets; "" means not known.
	Route   string // of the document
	Browser string // family and major version
	Policy  string // hash of the policy without nonces, see Batch.Policy
	Source  string // file:line
	App     string // the application's version

	PolicyText string // behind Policy

	Network uint64 // a keyed hash of the client's network; 0: not known
	View    uint64 // a hash of the nonce that attests a page view; 0: none does

	Body func() string // the cleaned report in JSON; called for few hits; nil: there is none
}

// label is the rule that an issue is labelled with. Other verdicts can name one too, for the facet alone.
func (h *Hit) label() string {
	if h.Verdict == Noise {
		return h.Rule
	}
	return ""
}

// The kinds of facets.
const (
	FacetRoute   = "route"
	FacetBrowser = "browser"
	FacetPolicy  = "policy"
	FacetSource  = "source"
	FacetApp     = "app"
	FacetVerdict = "verdict" // of single reports, with the rule: noise:extension-scheme@1
)

// facet is a value that a report has.
type facet struct{ kind, value string }

// facets are those that are known. The route is always counted, so that the routes' sum is the reports'.
func (h *Hit) facets() [6]facet {
	verdict := string(h.Verdict)
	if h.Rule != "" {
		verdict += ":" + h.Rule
	}
	return [6]facet{{FacetRoute, h.Route}, {FacetBrowser, h.Browser}, {FacetPolicy, h.Policy}, {FacetSource, h.Source}, {FacetApp, h.App}, {FacetVerdict, verdict}}
}
