package coding

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
)

// Accept is what an Accept-Encoding header says about the codings of this package. The zero Accept takes none of them.
// https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
type Accept struct {
	weights    [len(names)]float64 // as in names; 0 for a coding that is not taken
	noIdentity bool
}

// ParseAccept reads the lines of an Accept-Encoding header. No line at all allows every coding by the letter of the
// specification; clients that say nothing are those that can decode nothing, so it counts as none.
func ParseAccept(lines []string) Accept {
	var a Accept
	var named [len(names)]bool
	identity, rest := -1.0, -1.0 // not named
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			switch name, weight := parseItem(item); {
			case name == "identity":
				identity = weight
			case name == "*":
				rest = weight
			default:
				if i := index(name); i >= 0 {
					a.weights[i], named[i] = weight, true
				}
			}
		}
	}
	for i := range names {
		if !named[i] {
			a.weights[i] = max(rest, 0)
		}
	}
	a.noIdentity = identity == 0 || identity < 0 && rest == 0
	return a
}

// parseItem reads a coding and its weight. A weight that is none counts as 0.
func parseItem(item string) (name string, weight float64) {
	name, params, _ := strings.Cut(item, ";")
	weight = 1
	if q, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q="); ok {
		w, err := strconv.ParseFloat(q, 64)
		if weight = w; err != nil || !(0 <= w && w <= 1) {
			weight = 0
		}
	}
	return canonical(name), weight
}

// Offer is the Accept-Encoding for a server whose responses are to be read here: what the client takes, as far as this package can
// decode it. The client gets the response in the coding that the server chose, if nothing speaks against it.
func (a Accept) Offer() string {
	out := ""
	for i, name := range names {
		w := a.weights[i]
		if w == 0 {
			continue
		}
		if out != "" {
			out += ", "
		}
		if out += name; w < 1 {
			out += ";q=" + strconv.FormatFloat(w, 'g', 3, 64)
		}
	}
	return cmp.Or(out, "identity")
}

// Choose returns the coding for a response that came in the coding from, or "" for none: the one that the client likes best,
// the one that it came in if it is as good as any. What came in none stays so, unless the client refuses that.
func (a Accept) Choose(from string) string {
	if from == "" && !a.noIdentity {
		return ""
	}
	best, at := "", 0.0
	for i, name := range names {
		if w := a.weights[i]; w > at || w == at && w > 0 && name == from {
			best, at = name, w
		}
	}
	return best
}

// Of returns the coding of a message, "" for none. ok is false for one that this package cannot decode, and for several.
func Of(h http.Header) (name string, ok bool) {
	for _, line := range h["Content-Encoding"] {
		for item := range strings.SplitSeq(line, ",") {
			switch item = canonical(item); {
			case item == "" || item == "identity":
			case name != "":
				return name, false
			default:
				name = item
			}
		}
	}
	return name, name == "" || index(name) >= 0
}

func canonical(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "x-gzip" { // RFC 9110 §8.4.1.3
		return "gzip"
	}
	return name
}
