package dash

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

const (
	scanned = 5000 // issues that a filter looks through: the most that the store hands out
	listed  = 200  // issues on one page
)

// issueView is an issue with the words for it.
type issueView struct {
	store.Issue
	Advice advice
}

// Mentions reports whether the blocked thing says more than its class.
func (i issueView) Mentions() bool {
	return i.Blocked != "" && i.Blocked != i.Class && i.Blocked != "self"
}

const topPages = 3 // pages of an issue in the list

// TopPages are the most frequent pages, for the list.
func (i issueView) TopPages() []store.Page { return i.Pages[:min(len(i.Pages), topPages)] }

// MorePages reports whether TopPages leaves some out.
func (i issueView) MorePages() bool { return len(i.Pages) > topPages }

// ClassWords says what kind of thing was blocked.
func (i issueView) ClassWords() string {
	switch i.Class {
	case "origin":
		return "another origin"
	case "self":
		return "this site's own address"
	case "scheme":
		return "any address with this scheme"
	case "inline":
		return "code or style inside the page"
	case "eval":
		return "text run as code"
	case "wasm-eval":
		return "WebAssembly"
	case "trusted-types":
		return "the function, and the script that called it"
	case "frame-ancestors":
		return i.framer()
	case "other":
		return "nothing that merlon knows"
	default:
		return visible(i.Class)
	}
}

func (i issueView) framer() string {
	switch i.Blocked {
	case "":
		return "the browsers did not say who framed the page"
	case "self":
		return "framed by a page of this site"
	default:
		return "the origin of the page that framed yours"
	}
}

// listView is the list of issues and its filter.
type listView struct {
	Issues     []issueView
	Matching   int64 // issues that pass the filter, shown or not
	Partial    bool  // there may be more than were looked through
	Site       string
	Directive  string
	Sites      []string
	Directives []string
	Dropped    int64
	ReportURL  string
	Origin     string // of ReportURL
}

// Filtered reports whether the list is narrowed.
func (l listView) Filtered() bool { return l.Site != "" || l.Directive != "" }

func (d *Dashboard) listIssues(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	list := listView{Site: query.Get("site"), Directive: query.Get("directive"), ReportURL: d.reportURL, Origin: originOf(d.reportURL)}
	sites, err := d.store.Sites(r.Context())
	if err != nil {
		return err
	}
	issues, err := d.store.Issues(r.Context(), store.Query{Site: list.Site, Limit: scanned})
	if err != nil {
		return err
	}
	drops, err := d.store.Drops(r.Context(), list.Site)
	if err != nil {
		return err
	}
	list.Sites, list.Dropped = sites, totalDropped(drops)
	list.fill(issues, d.rules)
	return d.render(w, r, view{Name: "issues", Title: "Issues", Body: list})
}

// fill applies the directive filter, and offers the directives that the site's issues have.
func (l *listView) fill(issues []store.Issue, rules rulebook) {
	l.Partial = len(issues) == scanned
	for _, i := range issues {
		l.Directives = append(l.Directives, i.Directive)
		if l.Directive != "" && i.Directive != l.Directive {
			continue
		}
		l.Matching++
		if len(l.Issues) < listed {
			l.Issues = append(l.Issues, issueView{i, rules.adviceFor(i)})
		}
	}
	l.Directives = choices(l.Directives, l.Directive)
	l.Sites = choices(l.Sites, l.Site)
}

// choices are the distinct values to choose from, the chosen one among them, so that the form always shows the filter.
// "" is no choice: it is the site of a drop that named none, and asks for everything.
func choices(values []string, chosen string) []string {
	values = append(values, chosen)
	slices.Sort(values)
	return slices.DeleteFunc(slices.Compact(values), func(v string) bool { return v == "" })
}

func (d *Dashboard) showIssue(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return statusError(http.StatusNotFound)
	}
	issue, err := d.store.Issue(r.Context(), id)
	if err != nil {
		return err
	}
	body := issueView{issue, d.rules.adviceFor(issue)}
	return d.render(w, r, view{Name: "issue", Title: body.Advice.Headline, Body: body})
}
