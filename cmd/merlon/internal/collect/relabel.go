package collect

import (
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Labels are the noise rules of a site, for issues that are stored and for people who read their labels. It is safe for concurrent use.
type Labels struct{ site *hosts }

// NewLabels returns the labels of a site: its own rules and merlon's.
func NewLabels(site Site) *Labels {
	h := newHosts(site, 1, newPolicies())
	return &Labels{h}
}

// Relabel returns the verdict that an issue with this fingerprint has by the rules of today, and the rule. A stored issue says less than its
// reports did: it has no query and no User-Agent, and the script behind it only in some classes. So a label stays while its rule is there in
// the same version: all reports of the issue had one.
func (l *Labels) Relabel(i store.Issue, fp store.Fingerprint) (store.Verdict, string) {
	if r := l.site.noise.match(l.stored(i)); r != nil {
		return store.Noise, r.String()
	}
	if i.Verdict == store.Noise && slices.ContainsFunc(l.site.noise.rules, func(r Rule) bool { return r.String() == i.Rule }) {
		return i.Verdict, i.Rule
	}
	if i.Verdict == store.SelfContradicting || contradicting(i, fp) {
		return store.SelfContradicting, ""
	}
	return store.Actionable, ""
}

// contradicting reports whether the issue is of reports that contradict themselves, whatever its label: their fingerprint is another one.
func contradicting(i store.Issue, fp store.Fingerprint) bool {
	return fp == fingerprint(&store.Hit{Type: i.Type, Directive: i.Directive, Class: i.Class, Blocked: i.Blocked, Sample: i.Sample}, true)
}

// stored reads an issue back into the event that each of its reports was, as far as it tells. The sample tells in one class alone: in others it
// is that of the first report.
func (l *Labels) stored(i store.Issue) *event {
	e := &event{kind: i.Type, directive: i.Directive}
	switch i.Class {
	case store.ClassOrigin, store.ClassScheme:
		e.blocked = i.Blocked
	case store.ClassInline, store.ClassEval, store.ClassWasmEval:
		e.blocked = i.Class
		if i.Class == store.ClassInline {
			e.sample = i.Sample
		}
		if strings.HasSuffix(i.Blocked, ":") {
			e.source = i.Blocked
		}
	case store.ClassNetwork:
		e.blocked, _, _ = strings.Cut(i.Blocked, " ")
	}
	e.blockedAt = l.site.place(e.blocked)
	if len(i.Pages) == 1 {
		e.route = i.Pages[0].Route
	}
	return e
}

// Reason says in words for people what a label means: of a rule as hits and issues name it, and for a contradiction. It is "" for what has
// no label, and for a rule that is no more.
func (l *Labels) Reason(verdict store.Verdict, rule, class string) string {
	if verdict == store.SelfContradicting {
		return contradiction(class)
	}
	if rule == besideExtension {
		return "In the same page, and sent together with it, something was reported that a browser extension did. This may be its work as well."
	}
	id, _, _ := strings.Cut(rule, "@")
	for i := range l.site.noise.rules {
		if r := &l.site.noise.rules[i]; r.ID == id {
			return r.Reason
		}
	}
	return ""
}
