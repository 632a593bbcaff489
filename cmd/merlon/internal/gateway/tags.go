package gateway

import (
	"net/http"
	"slices"
	"strings"
)

// A rewritten page is a form of the application's: it has a tag that is made of the application's one, weak (two
// responses differ in their nonces) and keyed to the form, which is the mode and the site's whole configuration. A
// client's tag is translated back on its way to the application if it is of the form that is in force. So a page is
// confirmed with 304 only where it is stored with the policies that it would get today: the 304 itself carries none that
// has a nonce, and leaves the stored one, with the stored nonce, as it is. Where nonce-cache says no-store, which is what
// presets say, no browser has such a page, and none is ever confirmed.
//
// A tag without our mark is of something that was never changed, such as an image in mode inject, or of a page from
// before there was a gateway, which no policy protects. Only a browser that navigates would show the latter, so there
// the tag is not passed on, and neither is a date, which says nothing about a form.

const (
	tagMark   = "-merlon-"
	wasStrong = "s"
	wasWeak   = "w"
)

// markTag returns the tag of a form of what has this tag, or "" where that is no tag. An empty form is that of a body in
// another coding.
func markTag(tag, form string) string {
	if opaque(tag) == "" {
		return ""
	}
	strength := wasStrong
	if strings.HasPrefix(tag, "W/") {
		strength = wasWeak
	}
	return `W/"` + opaque(tag) + tagMark + strength + form + `"`
}

// unmarkTag undoes markTag for tags of a form that is in force.
func (n Nonce) unmarkTag(tag string) (original, form string, ok bool) {
	inner := opaque(tag)
	at := strings.LastIndex(inner, tagMark)
	if at < 0 || !strings.HasPrefix(tag, "W/") {
		return "", "", false
	}
	original, form = `"`+inner[:at]+`"`, inner[at+len(tagMark):]
	strength := form[:min(1, len(form))]
	form = form[len(strength):]
	switch strength {
	case wasStrong:
	case wasWeak:
		original = "W/" + original
	default:
		return "", "", false
	}
	return original, form, form == "" || form == n.form
}

// opaque is what stands between the quotes of an entity tag, "" for what is none.
func opaque(tag string) string {
	tag = strings.TrimPrefix(tag, "W/")
	if len(tag) < 3 || tag[0] != '"' || tag[len(tag)-1] != '"' || strings.Contains(tag[1:len(tag)-1], `"`) {
		return ""
	}
	return tag[1 : len(tag)-1]
}

// splitTags reads a list of entity tags, in which a comma may stand in a tag as well. What is no tag is left out.
func splitTags(lines []string) []string {
	var out []string
	for _, rest := range lines {
		for rest != "" {
			rest = strings.TrimLeft(rest, ", \t")
			begin := strings.IndexByte(rest, '"')
			if begin != 0 && !(begin == 2 && rest[:2] == "W/") {
				break
			}
			end := strings.IndexByte(rest[begin+1:], '"')
			if end < 0 {
				break
			}
			end += begin + 2
			out = append(out, rest[:end])
			rest = rest[end:]
		}
	}
	return out
}

// translateTags makes the conditions of a request those that the application can judge.
func (n Nonce) translateTags(r *http.Request) {
	h, page := r.Header, navigates(r)
	if page {
		h.Del("If-Modified-Since")
	}
	if lines := h["If-Match"]; lines != nil && strings.Contains(strings.Join(lines, ","), tagMark) {
		tags := splitTags(lines)
		for i, tag := range tags { // one that cannot be translated matches nothing, as it should
			if original, _, ok := n.unmarkTag(tag); ok {
				tags[i] = original
			}
		}
		h["If-Match"] = []string{strings.Join(tags, ", ")}
	}
	lines := h["If-None-Match"]
	if lines == nil || !page && !strings.Contains(strings.Join(lines, ","), tagMark) {
		return
	}
	var kept []string
	for _, tag := range splitTags(lines) {
		original, _, ok := n.unmarkTag(tag)
		switch {
		case ok:
			kept = append(kept, original)
		case !page && !strings.Contains(tag, tagMark):
			kept = append(kept, tag)
		}
	}
	if kept == nil { // what the client has is of another form
		h.Del("If-None-Match")
		h.Del("If-Modified-Since")
		return
	}
	h["If-None-Match"] = []string{strings.Join(slices.Compact(kept), ", ")}
}
