package cli

import (
	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// labels are the noise rules of sites by their names, and under "" merlon's own for all others.
type labels map[string]*collect.Labels

func newLabels(sites []collect.Site) labels {
	l := labels{"": collect.NewLabels(collect.Site{})}
	for _, site := range sites {
		l[site.Name] = collect.NewLabels(site)
	}
	return l
}

// reason says in words why an issue has its label, "" where no rule knows.
func (l labels) reason(i store.Issue) string {
	rules := l[i.Site]
	if rules == nil {
		rules = l[""]
	}
	return rules.Reason(i.Verdict, i.Rule, i.Class)
}
