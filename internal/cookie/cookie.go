// Package cookie strengthens Set-Cookie lines without weakening what a handler has chosen.
// https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis
package cookie

import (
	"fmt"
	"slices"
)

// A Rule says what cookies must have. The zero Rule asks for nothing, but see Apply for prefixed names. The fields are
// taken as they are: SameSite must be one of its values. A Rule that nobody changes may be used from several goroutines.
type Rule struct {
	Secure, HTTPOnly, Partitioned bool

	SameSite string   // Lax, Strict or None; "" leaves it to the handler and the browser
	Only     []string // the names of the cookies that the rule is for; empty means all
	Except   []string // the names of cookies that the rule is not for
}

// Apply returns the Set-Cookie line with what the rule asks for and the handler has not said, added at its end; https
// says whether the response goes out over HTTPS. Secure is added over HTTPS only, and SameSite=None and Partitioned
// only to a line that has Secure, since browsers refuse them without. Over HTTPS, names with a prefix such as __Host- get
// Secure whatever the rule asks. A line that the rule is not for is returned as it is.
//
// The problem is the first reason why browsers refuse the cookie of the returned line, in words, or "" when there is
// none. It is told for lines that the rule is not for as well. It holds the cookie's name, never its value. Secure over
// plain HTTP is no problem here: browsers accept it from localhost, and no line says where it was sent from.
func (r Rule) Apply(line string, https bool) (out, problem string) {
	c := parse(line)
	out = line
	if r.covers(c.name) && !c.empty() {
		out = r.strengthen(line, &c, https)
	}
	if refusal := c.refusal(); refusal != "" {
		problem = fmt.Sprintf("cookie %.60q: %s", c.name, refusal)
	}
	return out, problem
}

func (r Rule) covers(name string) bool {
	return (len(r.Only) == 0 || slices.Contains(r.Only, name)) && !slices.Contains(r.Except, name)
}

// strengthen returns the line of c with what is missing, and notes that in c.
func (r Rule) strengthen(line string, c *cookie, https bool) string {
	var secure, httpOnly, key, sameSite, partitioned string
	// Browsers refuse a cookie with a prefix and no Secure. Nobody can depend on a cookie that is refused, so Secure
	// is added to it whatever the rule asks.
	if https && !c.secure && (r.Secure || c.prefixed) {
		secure, c.secure = "; Secure", true
	}
	if r.HTTPOnly && !c.httpOnly {
		httpOnly, c.httpOnly = "; HttpOnly", true
	}
	if r.SameSite != "" && c.sameSite == "" && (c.secure || r.SameSite != "None") {
		key, sameSite, c.sameSite = "; SameSite=", r.SameSite, r.SameSite
	}
	if r.Partitioned && !c.partitioned && c.secure {
		partitioned, c.partitioned = "; Partitioned", true
	}
	return line + secure + httpOnly + key + sameSite + partitioned
}

// refusal is the reason why browsers do not store the cookie, or "".
// https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.7
func (c *cookie) refusal() string {
	switch {
	case c.control:
		return "browsers refuse control characters"
	case c.empty():
		return "browsers ignore a cookie without name and value"
	case len(c.name)+len(c.value) > maxPair:
		return "browsers refuse a name and value of over 4096 bytes together"
	case c.name == "" && c.prefixed:
		return "browsers refuse a cookie without a name whose value begins like __Host- or another prefix of names"
	case c.prefixed && !c.secure:
		return "browsers refuse a name with this prefix without Secure, which only HTTPS can set"
	case c.host && c.domain != "":
		return "browsers refuse a name with __Host- if the cookie has a Domain"
	case c.host && c.path != "/":
		return "browsers refuse a name with __Host- without Path=/"
	case c.http && !c.httpOnly:
		return "browsers refuse a name with this prefix without HttpOnly"
	case c.sameSite == "None" && !c.secure:
		return "browsers refuse SameSite=None without Secure"
	case c.partitioned && !c.secure:
		return "browsers refuse Partitioned without Secure"
	default:
		return ""
	}
}
