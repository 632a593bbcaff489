package dash

import (
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// advice says in plain words what an issue is and what to do about it. Backticks mark code.
type advice struct {
	Headline string   // what was blocked, a noun
	Refused  string   // what the browser refused to do, an infinitive
	Said     string   // a sentence in place of the one with Refused, for reports that are not about a refusal
	Means    string   // what is usually behind it
	Do       []string // what to do, the most likely case first
}

// adviceRule gives advice for some issues. An empty list matches everything; the first rule that matches counts.
type adviceRule struct {
	types      []string // of report
	directives []string // families, see family
	classes    []string
	blocked    []string // prefixes of the blocked thing
	advice     advice
}

// rulebook lists rules from the particular to the general. The last one matches everything.
type rulebook []adviceRule

func newRulebook() rulebook {
	return slices.Concat(otherTypes(), particularRules(), inlineRules(), loadRules(), rulebook{otherwise()})
}

func (b rulebook) adviceFor(i store.Issue) advice {
	if i.Blocked == store.FoldedBlocked {
		return folded()
	}
	at := slices.IndexFunc(b, func(rule adviceRule) bool { return rule.matches(i) })
	return b[at].advice
}

func (r adviceRule) matches(i store.Issue) bool {
	return within(r.types, i.Type) && within(r.directives, family(i.Directive), i.Directive) && within(r.classes, i.Class) &&
		(len(r.blocked) == 0 || slices.ContainsFunc(r.blocked, func(p string) bool { return strings.HasPrefix(i.Blocked, p) }))
}

func within(list []string, values ...string) bool {
	return len(list) == 0 || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(list, v) })
}

// family is the directive that people write: script-src-elem and script-src-attr are reported when script-src was set.
func family(directive string) string {
	return strings.TrimSuffix(strings.TrimSuffix(directive, "-elem"), "-attr")
}
