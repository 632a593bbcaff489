package gateway

import (
	"net/http"
	"strings"
)

// describe makes the header that the application sent true of what the client gets. It goes by the kind of the response
// alone, so that GET, HEAD and 304 agree.
func (p *page) describe(status int, h http.Header) {
	if status == http.StatusNotModified {
		p.describeStored(h)
		return
	}
	if p.how != untouched && p.nonce.Placeholder != "" || p.how == rewritten {
		h.Del("Accept-Ranges")
	}
	if p.from != "" || p.to != "" {
		addVary(h)
	}
	if p.how != rewritten && p.from == "" && p.to == "" {
		return // scrubbing changes no length, and the same every time
	}
	h.Del("Content-Length")
	deleteDigests(h)
	h.Del("Content-Encoding")
	if p.to != "" {
		h.Set("Content-Encoding", p.to)
	}
	form := ""
	if p.how == rewritten {
		form = p.nonce.form
		h.Del("Last-Modified")
	}
	if tag := h.Get("Etag"); tag != "" {
		setOrDelete(h, "Etag", markTag(tag, form))
	}
}

// describeStored does so for a 304, whose headers update those of the response that the client has.
func (p *page) describeStored(h http.Header) {
	tag := h.Get("Etag")
	for _, theirs := range splitTags(p.request.Header["If-None-Match"]) {
		original, form, ok := p.nonce.unmarkTag(theirs)
		if !ok || opaque(original) != opaque(tag) && tag != "" {
			continue
		}
		for _, name := range []string{"Content-Length", "Last-Modified", "Accept-Ranges", "Content-Encoding"} {
			h.Del(name)
		}
		deleteDigests(h)
		if tag != "" {
			h.Set("Etag", markTag(tag, form))
		}
		return
	}
}

// addVary says that the response depends on what the client accepts.
func addVary(h http.Header) {
	for _, line := range h["Vary"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name == "*" || strings.EqualFold(name, "Accept-Encoding") {
				return
			}
		}
	}
	h.Add("Vary", "Accept-Encoding")
}

// digests are the headers and trailers that say what bytes a message has: RFC 9530, and what came before it.
var digests = []string{"Content-Md5", "Digest", "Content-Digest", "Repr-Digest"}

func deleteDigests(h http.Header) {
	for _, name := range digests {
		h.Del(name)
		delete(h, http.TrailerPrefix+name)
	}
}

func setOrDelete(h http.Header, name, value string) {
	if value == "" {
		h.Del(name)
		return
	}
	h.Set(name, value)
}
