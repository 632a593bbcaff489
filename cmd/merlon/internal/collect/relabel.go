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
	h := newHosts(site)
	return &Labels{h}
}

// Relabel returns the verdict that an issue has by the rules of today, and the rule. A stored issue says less than its reports did:
// it has no query and no User-Agent, and the script behind it only in some classes. So a label that came from those stays while its rule is there
// in the same version, and a contradiction stays one.
func (l *Labels) Relabel(i store.Issue) (store.Verdict, string) {
	if r := l.site.noise.match(l.stored(i)); r != nil {
		return store.Noise, r.String()
	}
	if i.Verdict == store.SelfContradicting {
		return i.Verdict, ""
	}
	if i.Verdict == store.Noise && slices.ContainsFunc(l.site.noise.rules, func(r Rule) bool { return r.String() == i.Rule && r.needsReport() }) {
		return i.Verdict, i.Rule
	}
	return store.Actionable, ""
}

// needsReport reports whether the rule asks for what issues do not have.
func (r *Rule) needsReport() bool {
	return len(r.Agents) > 0 || len(r.Sources) > 0 || len(r.Schemes) > 0 || len(r.Pages) > 0 ||
		slices.ContainsFunc(r.Blocked, func(g string) bool { return strings.Contains(g, "/") })
}

// stored reads an issue back into the event that one of its reports was, as far as it tells.
func (l *Labels) stored(i store.Issue) *event {
	e := &event{kind: i.Type, directive: i.Directive, sample: i.Sample}
	switch i.Class {
	case classOrigin, classScheme:
		e.blocked = i.Blocked
	case classInline, classEval, classWasmEval:
		e.blocked = i.Class
		if strings.HasSuffix(i.Blocked, ":") {
			e.source = i.Blocked
		}
	case classNetwork:
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
		return Contradiction(class)
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
