package merlon

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/csp"
	"github.com/merlon-sec/merlon/internal/origin"
)

// Frame says who may show a page in a frame: {"deny"} nobody, {"self"} pages of the same origin, a list of origins
// (with "self" among them if the site frames itself too), or {"off"}, which sends nothing and lets everybody.
// nil inherits from the preset. In JSON it is "deny", "self", "off" or {"by": [origins]}.
type Frame []string

// MarshalJSON writes the JSON form.
func (f Frame) MarshalJSON() ([]byte, error) {
	if f.is("deny") || f.is("self") || f.is(Remove) {
		return json.Marshal(f[0])
	}
	return json.Marshal(map[string][]string{"by": f})
}

// UnmarshalJSON reads the JSON form. Errors are *cfgerrors.Error.
func (f *Frame) UnmarshalJSON(data []byte) error {
	var word string
	if json.Unmarshal(data, &word) == nil && string(data) != "null" {
		*f = Frame{word}
		return nil
	}
	var list struct {
		By []string `json:"by"`
	}
	if len(data) == 0 || data[0] != '{' {
		return &cfgerrors.Error{Code: cfgerrors.WrongType, Value: string(data), Text: "frame takes deny, self, off or {by: [origins]}",
			Hint: frameHint}
	}
	if err := decodeStrictly(data, &list); err != nil {
		return err
	}
	for i, word := range list.By {
		if word == "deny" || word == Remove {
			return &cfgerrors.Error{Field: fmt.Sprintf("by[%d]", i), Code: cfgerrors.InvalidValue, Value: word, Text: "no origin", Hint: "write frame: " + word + " alone if you mean that"}
		}
	}
	*f = append(Frame{}, list.By...)
	return nil
}

const frameHint = "write deny, self or {by: [https://partner.example]}"

// is reports whether f is this one word.
func (f Frame) is(word string) bool { return len(f) == 1 && f[0] == word }

// normalize checks f and returns a copy with its origins in the form that browsers compare.
func (f Frame) normalize() (Frame, error) {
	if f.is("deny") || f.is("self") || f.is(Remove) {
		return slices.Clone(f), nil
	}
	if len(f) == 0 {
		return nil, &cfgerrors.Error{Code: cfgerrors.Missing, Text: "no origin is named", Hint: "to let nobody frame the page write deny"}
	}
	out := make(Frame, len(f))
	var errs []error
	for i, word := range f {
		o, err := normalizeFramer(word)
		if len(f) > 1 {
			err = cfgerrors.Under(fmt.Sprintf("by[%d]", i), err)
		}
		out[i] = o
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

// meant are the words of X-Frame-Options and frame-ancestors, and ours for them.
var meant = map[string]string{"deny": "deny", "'none'": "deny", "none": "deny", "sameorigin": "self", "same-origin": "self", "'self'": "self", "*": Remove, "allowall": Remove}

func normalizeFramer(word string) (string, error) {
	if word == "self" {
		return word, nil
	}
	if len(word) >= 10 && strings.EqualFold(word[:10], "ALLOW-FROM") {
		return "", &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: word, Text: "browsers ignore ALLOW-FROM and frame the page for everybody",
			Hint: "write frame: {by: [" + strings.TrimSpace(word[10:]) + "]}"}
	}
	o, err := origin.Normalize(word)
	switch {
	case meant[strings.ToLower(word)] != "":
		return "", &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: word, Text: "frame has words of its own", Hint: "write " + meant[strings.ToLower(word)]}
	case err != nil:
		return "", &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: word, Text: err.Error(), Hint: frameHint}
	case csp.Check("frame-ancestors "+o) != nil:
		return "", &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: word, Text: "frame-ancestors cannot name this host, so browsers would let nobody in",
			Hint: "use a host name of letters, digits and hyphens, or an IPv4 address"}
	}
	return o, nil
}

// sources returns the source list of frame-ancestors, or "" for off.
func (f Frame) sources() string {
	words := make([]string, len(f))
	for i, w := range f {
		switch w {
		case Remove:
			return ""
		case "deny":
			w = "'none'"
		case "self":
			w = "'self'"
		}
		words[i] = w
	}
	return strings.Join(words, " ")
}

// options returns the value of X-Frame-Options, or "" where it cannot say what f means: browsers know no list.
func (f Frame) options() string {
	switch {
	case f.is("deny"):
		return "DENY"
	case f.is("self"):
		return "SAMEORIGIN"
	}
	return ""
}

// within reports whether everyone whom f lets in is let in by outer as well.
func (f Frame) within(outer Frame) bool { return slices.Equal(f.intersect(outer), f) }

// intersect returns who is let in by both. Origins are compared as text, so it may let in fewer, never more.
func (f Frame) intersect(g Frame) Frame {
	switch {
	case slices.Contains(f, Remove):
		return g
	case slices.Contains(g, Remove):
		return f
	}
	both := slices.DeleteFunc(slices.Clone(f), func(w string) bool { return !slices.Contains(g, w) })
	if len(both) == 0 {
		return Frame{"deny"}
	}
	return both
}

// frameOfOptions reads the values of X-Frame-Options as browsers do. ok is false when they protect nothing, as
// ALLOW-FROM and misspellings do. https://html.spec.whatwg.org/#the-x-frame-options-header
func frameOfOptions(values []string) (f Frame, ok bool) {
	if len(values) == 0 {
		return nil, false
	}
	if len(values) == 1 && strings.EqualFold(values[0], "DENY") { // what nearly everybody sends
		return Frame{"deny"}, true
	}
	known, distinct := 0, map[string]bool{}
	for v := range strings.SplitSeq(strings.Join(values, ","), ",") {
		v = strings.ToLower(strings.Trim(v, " \t"))
		if !distinct[v] && (v == "deny" || v == "sameorigin" || v == "allowall") {
			known++
		}
		distinct[v] = true
	}
	switch {
	case known > 0 && len(distinct) > 1, distinct["deny"]: // browsers block when values contradict each other
		return Frame{"deny"}, true
	case distinct["sameorigin"]:
		return Frame{"self"}, true
	}
	return nil, false
}

// frameOfSources reads a frame-ancestors list. ok is false when it holds more than Frame can say, such as wildcards.
func frameOfSources(value []string) (f Frame, ok bool) {
	for _, w := range value {
		o, err := origin.Normalize(w)
		switch {
		case strings.EqualFold(w, "'self'"):
			o = "self"
		case strings.EqualFold(w, "'none'") && len(value) == 1:
			return Frame{"deny"}, true
		case err != nil:
			return nil, false
		}
		f = append(f, o)
	}
	if f == nil {
		return Frame{"deny"}, true
	}
	return f, true
}
