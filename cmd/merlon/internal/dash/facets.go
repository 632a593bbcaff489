package dash

import (
	"fmt"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// facetView is one way to split an issue's reports up.
type facetView struct {
	Title  string
	Others string // what the sum of the values beyond the cap is called
	Values []facetValue
}

type facetValue struct {
	Value string // as reported; "" for the sum of the others
	Words string // in place of Value; "": show Value
	Count int64
	Share string
	Bar   string // the share as a width from 0 to 100
}

const shownValues = 8 // of one kind at once; the others are behind a fold

// Head are the most frequent values.
func (f facetView) Head() []facetValue { return f.Values[:min(len(f.Values), shownValues)] }

// Rest are the other values.
func (f facetView) Rest() []facetValue { return f.Values[min(len(f.Values), shownValues):] }

// facetViews groups facets by kind, in the order in which people ask. A kind that no report has is left out.
func facetViews(facets []store.Facet) []facetView {
	var views []facetView
	for _, k := range []struct{ kind, title, others string }{
		{store.FacetRoute, "On which pages", "all other pages together"},
		{store.FacetBrowser, "In which browsers", "all other browsers together"},
		{store.FacetSource, "From which script", "all other scripts together"},
		{store.FacetPolicy, "Under which policy", "all other policies together"},
		{store.FacetApp, "In which version of the application", "all other versions together"},
		{store.FacetVerdict, "With which verdict", "all other verdicts together"},
	} {
		view := facetView{Title: k.title, Others: k.others}
		var sum int64
		for _, f := range facets {
			if f.Kind == k.kind {
				view.Values = append(view.Values, facetValue{Value: f.Value, Words: facetWords(f), Count: f.Count})
				sum += f.Count
			}
		}
		if len(view.Values) > 0 {
			share(view.Values, sum)
			views = append(views, view)
		}
	}
	return views
}

func facetWords(f store.Facet) string {
	if f.Kind != store.FacetVerdict || f.Value == "" {
		return ""
	}
	verdict, rule, _ := strings.Cut(f.Value, ":")
	if i := slices.Index(verdicts(), verdict); i < 0 {
		return ""
	}
	return verdictBadge(store.Verdict(verdict), rule, "").Text
}

// share says what part of the sum each value has.
func share(values []facetValue, sum int64) {
	for i := range values {
		part := float64(values[i].Count) / float64(max(sum, 1)) * 100
		values[i].Bar, values[i].Share = decimal(part), percent(part)
	}
}

// percent keeps what is seldom from looking like nothing, and what is not quite all from looking like all.
func percent(part float64) string {
	switch {
	case part > 0 && part < 1:
		return "< 1 %"
	case part > 99 && part < 100:
		return "> 99 %"
	}
	return fmt.Sprintf("%.0f %%", part)
}
