package dash

import (
	"cmp"
	"context"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Words are what the dashboard says about something, for who says it elsewhere. Backticks mark code.
type Words struct {
	Headline string
	Means    string
	Do       []string
}

// Visible spells out what a reader would not see, or what would reorder the text around it.
func Visible(s string) string { return visible(s) }

// ReasonWords explains the reason of a [store.Drop].
func ReasonWords(name string) Words {
	r := reasonFor(name)
	return Words{r.Headline, r.Means, []string{r.Do}}
}

// IssueWords says what an issue is and what to do about it.
func IssueWords(i store.Issue) Words {
	a := newRulebook().adviceFor(i)
	said := a.Said
	if said == "" {
		said = refusal(i) + " " + a.Refused + "."
	}
	return Words{a.Headline, said + " " + a.Means, a.Do}
}

func refusal(i store.Issue) string {
	switch {
	case i.Enforced > 0:
		return "The browser refused to"
	case i.Reported > 0:
		return "With this policy enforced, the browser would refuse to"
	}
	return "The browser refused, or would refuse under an enforced policy, to"
}

// BadgeWords are short labels that say how far an issue is to be believed, each with what it means. The first one is its verdict, which it has
// for the reason; "": for one in general words.
func BadgeWords(i store.Issue, reason string) (labels, help []string) {
	for _, b := range (issueView{Issue: i, Reason: reason}).Badges() {
		labels, help = append(labels, b.Text), append(help, b.Help)
	}
	return labels, help
}

// StateWords name a state and say what it means.
func StateWords(s store.State) (name, help string) { return stateName(s), stateHelp(s) }

// ThingWords say what was blocked, or what kind of thing and where.
func ThingWords(i store.Issue) string {
	if (issueView{Issue: i}).Located() {
		return i.Class + ", in " + i.Blocked
	}
	return cmp.Or(i.Blocked, i.Class)
}

// EngineWords say why the policy of the newest sample whose policy is known lets the thing through or does not, a line each. There are
// none if no sample names one.
func EngineWords(ctx context.Context, s *store.Store, i store.Issue, samples []store.Sample) ([]string, error) {
	e, err := (&Dashboard{store: s}).explanation(ctx, i, sampleViews(samples))
	if e == nil || err != nil {
		return nil, err
	}
	lines := []string{e.Asked + " is not in the policy, and nothing that stands in for it."}
	if e.By != "" {
		lines = []string{strings.TrimSpace("decided by: " + e.By + " " + e.Value)}
	}
	switch {
	case e.Contradicts():
		lines = append(lines, "This policy allows it, by "+e.Matched+".")
	case e.Judged:
		for _, r := range e.Reasons {
			lines = append(lines, r.Word+": "+r.Why)
		}
	}
	return lines, nil
}
