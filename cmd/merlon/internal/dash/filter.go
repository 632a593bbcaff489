package dash

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// filter narrows and orders the list of issues. It is what stands in the address of the page.
type filter struct {
	Site, Type, Directive, Verdict, State, Text, Sort string
	After                                             store.Cursor
}

const (
	anyState  = "all" // the default is new: what was decided is out of the way
	maxFilter = 200   // bytes of a value in an address
)

func filterOf(q url.Values) filter {
	get := func(name string) string {
		return strings.ToValidUTF8(q.Get(name)[:min(len(q.Get(name)), maxFilter)], "")
	}
	f := filter{Site: get("site"), Type: get("type"), Directive: get("directive"), Verdict: get("verdict"), State: get("state"),
		Text: strings.TrimSpace(get("text")), Sort: get("sort")}
	if f.State != anyState && !isState(store.State(f.State)) {
		f.State = string(store.New)
	}
	if !slices.ContainsFunc(orders(), func(o option) bool { return o.Value == f.Sort }) {
		f.Sort = string(store.ByReach)
	}
	f.After, _ = store.ParseCursor(get("after")) // an address that somebody broke shows the first page
	return f
}

// query is the store's question.
func (f filter) query(now time.Time) store.Query {
	q := store.Query{Site: f.Site, Type: f.Type, Directive: f.Directive, Verdict: store.Verdict(f.Verdict), State: store.State(f.State),
		Text: f.Text, Sort: store.Sort(f.Sort), After: f.After, Limit: listed, Now: now}
	if f.State == anyState {
		q.State = ""
	}
	if f.Sort == byLastSeen {
		q.Sort = store.ByLastSeen
	}
	return q
}

// Narrow reports whether anything but the state is chosen.
func (f filter) Narrow() bool {
	return f.Site != "" || f.Type != "" || f.Directive != "" || f.Verdict != "" || f.Text != ""
}

// Link is the address of the list that this filter asks for.
func (f filter) Link() string {
	values := url.Values{}
	for name, value := range map[string]string{"site": f.Site, "type": f.Type, "directive": f.Directive, "verdict": f.Verdict, "text": f.Text, "after": f.After.String()} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if f.State != "" && f.State != string(store.New) {
		values.Set("state", f.State)
	}
	if f.Sort != "" && f.Sort != string(store.ByReach) {
		values.Set("sort", f.Sort)
	}
	return strings.TrimSuffix("/issues?"+values.Encode(), "?")
}

// with returns the filter for another state, from the first page on.
func (f filter) with(state string) filter {
	f.State, f.After = state, store.Cursor{}
	return f
}

// option is a choice in a form.
type option struct {
	Value, Name string
	Chosen      bool
}

// selection is a labelled choice. Its first option asks for everything, unless it is an order.
type selection struct {
	Name, Label string
	Options     []option
}

// byLastSeen is store.ByLastSeen in an address, where the empty value is the default.
const byLastSeen = "last"

func orders() []option {
	return []option{{Value: string(store.ByReach), Name: "Reach"}, {Value: byLastSeen, Name: "Last seen"},
		{Value: string(store.ByCount), Name: "Reports"}, {Value: string(store.ByFirstSeen), Name: "Newest"}}
}

// selections are the choices of the form, with what is chosen now.
func (f filter) selections(sites []string) []selection {
	list := []selection{
		{"directive", "Directive", named("All directives", families(), f.Directive)},
		{"verdict", "Verdict", named("All verdicts", verdicts(), f.Verdict)},
		{"type", "Report type", named("All types", reportTypes(), f.Type)},
		{"sort", "Order by", chosen(orders(), f.Sort)},
	}
	if sites = choices(sites, f.Site); len(sites) > 1 || f.Site != "" {
		list = append([]selection{{"site", "Site", named("All sites", sites, f.Site)}}, list...)
	}
	return list
}

// named makes options of plain values. The chosen one is among them, so that the form always shows the filter.
func named(all string, values []string, current string) []option {
	options := []option{{Name: all}}
	if current != "" && !slices.Contains(values, current) {
		values = append(values, current)
	}
	for _, v := range values {
		options = append(options, option{Value: v, Name: visible(v)})
	}
	return chosen(options, current)
}

func chosen(options []option, current string) []option {
	for i := range options {
		options[i].Chosen = options[i].Value == current
	}
	return options
}

// choices are the distinct sites to choose from. "" is none: it is the site of a drop that named none.
func choices(values []string, chosen string) []string {
	values = append(slices.Clone(values), chosen)
	slices.Sort(values)
	return slices.DeleteFunc(slices.Compact(values), func(v string) bool { return v == "" })
}

func verdicts() []string {
	return []string{string(store.Actionable), string(store.SelfContradicting), string(store.Noise)}
}

// families are the directives that people write. Those that browsers report of parts of them belong to their family.
func families() []string {
	return []string{"script-src", "style-src", "img-src", "connect-src", "font-src", "frame-src", "form-action", "frame-ancestors", "base-uri",
		"object-src", "media-src", "worker-src", "manifest-src", "default-src", "require-trusted-types-for", "trusted-types", "other"}
}
