package cookie

import "strings"

const (
	maxPair      = 4096 // bytes of name and value together; browsers refuse larger cookies
	maxAttribute = 1024 // bytes of an attribute's value; browsers skip the attributes that are larger
)

// space is what surrounds names and values: for browsers space and tab. CR and LF are among it because net/http sends
// them as spaces: the handler's "SameSite=Strict\n" arrives as SameSite=Strict.
const space = " \t\r\n"

// A cookie is what browsers read in a Set-Cookie line.
type cookie struct {
	name, value  string
	domain, path string // as written, "" for none
	sameSite     string // Lax, Strict or None; "" if there is none or one that browsers do not know

	secure, httpOnly, partitioned bool

	prefixed, host, http bool // the name begins with any prefix; with __Host-; with __Http- or __Host-Http-
	control              bool // a control character stands in the line
}

// parse reads the line as browsers do. Only semicolons separate: the dates of Expires hold commas, and quotes mean nothing.
// https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.6
func parse(line string) cookie {
	var c cookie
	c.control = strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
	pair, rest, more := strings.Cut(line, ";")
	if name, value, ok := strings.Cut(pair, "="); ok {
		c.name, c.value = strings.Trim(name, space), strings.Trim(value, space)
	} else {
		c.value = strings.Trim(pair, space)
	}
	c.readPrefix()
	for more {
		var attribute string
		attribute, rest, more = strings.Cut(rest, ";")
		key, value, _ := strings.Cut(attribute, "=")
		c.set(strings.Trim(key, space), strings.Trim(value, space))
	}
	return c
}

// set takes an attribute. The last one of its name counts, even when it takes back what an earlier one says:
// a SameSite that browsers do not know leaves them to their default.
func (c *cookie) set(key, value string) {
	switch {
	case len(value) > maxAttribute:
	case same(key, "Secure"):
		c.secure = true
	case same(key, "HttpOnly"):
		c.httpOnly = true
	case same(key, "Partitioned"):
		c.partitioned = true
	case same(key, "Domain"):
		c.domain = value
	case same(key, "Path"):
		c.path = value
	case same(key, "SameSite"):
		c.sameSite = ""
		for _, known := range [...]string{"Lax", "Strict", "None"} {
			if same(value, known) {
				c.sameSite = known
			}
		}
	}
}

// readPrefix looks for the prefixes in the name, or in the value of a cookie that has no name: servers would take that
// value for a name. __Http- and __Host-Http- are newer than RFC 6265bis.
// https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-layered-cookies
func (c *cookie) readPrefix() {
	text := c.name
	if text == "" {
		text = c.value
	}
	c.host = begins(text, "__Host-")
	c.http = begins(text, "__Http-") || begins(text, "__Host-Http-")
	c.prefixed = c.host || c.http || begins(text, "__Secure-")
}

func (c *cookie) empty() bool { return c.name == "" && c.value == "" }

func begins(s, prefix string) bool {
	return len(s) >= len(prefix) && same(s[:len(prefix)], prefix)
}

// same compares with an ASCII word, without the case of ASCII letters. EqualFold alone would take "ſecure" for Secure;
// what it folds beyond ASCII is longer than the letter that it equals.
func same(s, word string) bool { return len(s) == len(word) && strings.EqualFold(s, word) }
