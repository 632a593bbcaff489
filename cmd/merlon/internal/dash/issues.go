package dash

import (
	"context"
	"net/http"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

const listed = 50 // issues on one page

// issueView is an issue with the words for it.
type issueView struct {
	store.Issue
	Advice advice
	Reason string      // why it has its label; "": in general words
	Now    store.State // the one that counts now
	Rate   string      // reports per 1,000 page views; "" without a denominator
	Spark  *spark
}

// Mentions reports whether the blocked thing says more than its class.
func (i issueView) Mentions() bool {
	return i.Blocked != "" && i.Blocked != i.Class && i.Blocked != "self"
}

// Located reports whether the blocked thing says where code stood and not what it was: it had no sample, or was made of text.
func (i issueView) Located() bool {
	place := i.Class == "inline" || i.Class == "eval" || i.Class == "wasm-eval"
	return place && i.Mentions() && i.Blocked != store.FoldedBlocked
}

// Judged reports whether a policy stands behind the issue, which is enforced or on trial.
func (i issueView) Judged() bool { return i.Advice.Said == "" }

const topPages = 3 // pages of an issue in the list

// TopPages are the most frequent pages, for the list.
func (i issueView) TopPages() []store.Page { return i.Pages[:min(len(i.Pages), topPages)] }

// MorePages reports whether TopPages leaves some out.
func (i issueView) MorePages() bool { return len(i.Pages) > topPages }

// listView is the list of issues and its filter.
type listView struct {
	Filter   filter
	Form     []selection
	Tabs     []tab
	Issues   []issueView
	Matching int64 // issues that pass the filter, on this page or not
	All      int64 // issues that pass but for the state
	Sites    int
	First    string // address of the first page; "" on it
	Next     string // address of the next page; "" on the last
	Empty    *emptyView
}

// tab leads to the issues of a state.
type tab struct {
	Name, Link string
	Count      int64
	Current    bool
}

func (d *Dashboard) listIssues(w http.ResponseWriter, r *http.Request) error {
	ctx, now := r.Context(), d.now()
	list := listView{Filter: filterOf(r.URL.Query())}
	sites, err := d.store.Sites(ctx)
	if err != nil {
		return err
	}
	list.Sites, list.Form = len(sites), list.Filter.selections(sites)
	query := list.Filter.query(now)
	issues, err := d.store.Issues(ctx, query)
	if err != nil {
		return err
	}
	if list.Issues, err = d.viewsOf(ctx, issues, now); err != nil {
		return err
	}
	if err := d.countStates(ctx, &list, now); err != nil {
		return err
	}
	list.page(query)
	if list.All == 0 && !list.Filter.Narrow() {
		list.Empty = d.empty()
	}
	return d.render(w, r, view{Name: "issues", Title: "Issues", Body: list})
}

// countStates makes the tabs. Every issue is in one of the states, so all are their sum.
func (d *Dashboard) countStates(ctx context.Context, list *listView, now time.Time) error {
	all := tab{"All", list.Filter.with(anyState).Link(), 0, list.Filter.State == anyState}
	for _, c := range stateChoices() {
		f := list.Filter.with(string(c.Value))
		n, err := d.store.Count(ctx, f.query(now))
		if err != nil {
			return err
		}
		list.Tabs = append(list.Tabs, tab{c.Name, f.Link(), n, f.State == list.Filter.State})
		all.Count += n
	}
	list.Tabs = append(list.Tabs, all)
	for _, t := range list.Tabs {
		if t.Current {
			list.Matching = t.Count
		}
	}
	list.All = all.Count
	return nil
}

// page makes the links to other pages of the list.
func (l *listView) page(q store.Query) {
	f := l.Filter
	if f.After != (store.Cursor{}) {
		first := f
		first.After = store.Cursor{}
		l.First = first.Link()
	}
	if len(l.Issues) == listed {
		f.After = q.Cursor(l.Issues[len(l.Issues)-1].Issue)
		l.Next = f.Link()
	}
}
