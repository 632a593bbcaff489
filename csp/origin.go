package csp

import "strings"

// Origin is the origin of a document. The zero Origin is opaque: it equals no other, not even itself.
type Origin struct {
	scheme, host string
	port         int // -1 for the scheme's default
}

// ParseOrigin returns the origin of a URL's text; "null" and what has no origin give the opaque one.
func ParseOrigin(s string) Origin {
	u, err := ParseURL(s)
	if err != nil {
		return Origin{}
	}
	return u.Origin()
}

// Origin returns the URL's origin. https://url.spec.whatwg.org/#origin
func (u URL) Origin() Origin {
	if u.Scheme == "blob" {
		if inner, err := ParseURL(u.Path); err == nil && (inner.Scheme == "http" || inner.Scheme == "https") {
			return inner.Origin()
		}
		return Origin{}
	}
	if !special(u.Scheme) || u.Scheme == "file" {
		return Origin{}
	}
	return Origin{u.Scheme, u.Host, u.Port}
}

// Opaque reports whether the origin is opaque, as those of data: URLs and sandboxed documents are.
func (o Origin) Opaque() bool { return o.scheme == "" }

// Same reports whether both are the same tuple origin. https://html.spec.whatwg.org/#same-origin
func (o Origin) Same(p Origin) bool { return !o.Opaque() && o == p }

// String serialises the origin; "null" for the opaque one.
func (o Origin) String() string {
	if o.Opaque() {
		return "null"
	}
	return strings.TrimSuffix(URL{Scheme: o.scheme, Host: o.host, Port: o.port}.String(), "/")
}
