package report

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// MaxRoute is the length of the longest template that [Route] returns, in bytes.
const MaxRoute = 256

// anything stands in a template for what was taken out.
const anything = "*"

// Route returns the path of u as a template: /users/42/reset/Zm9vYmFyMTIzNDU2 becomes /users/*/reset/*. It has no query and no
// fragment, and no segment that may be somebody's: a number, an identifier, a token, an address. Reports are counted by it, and
// so are the documents that they are compared with.
func Route(u *url.URL) string {
	segments := strings.Split(u.EscapedPath(), "/")
	for i, segment := range segments {
		// A path parameter (;jsessionid=…) is a query by another name.
		segment, _, _ = strings.Cut(segment, ";")
		segments[i] = template(segment)
	}
	path := strings.Join(segments, "/")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return cut(path, MaxRoute)
}

// cut shortens s to at most n bytes without breaking a rune.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// template replaces a segment, or the parts of it that are not for everyone: app.3f9a8b7c.js becomes app.*.js.
func template(segment string) string {
	// An address, or a URL within the URL: a query, a fragment, or what is escaped once more and may be any of these.
	plain, err := url.PathUnescape(segment)
	if err != nil || strings.ContainsAny(plain, "@?#&=%") {
		return anything
	}
	parts := strings.Split(segment, ".") // file names, and the three parts of a JSON Web Token
	for i, part := range parts {
		if token(part) {
			parts[i] = anything
			continue
		}
		words := strings.Split(part, "-")
		for j, word := range words {
			if digits(word) || hexadecimal(word) || longNumber.MatchString(word) {
				words[j] = anything
			}
		}
		parts[i] = strings.Join(words, "-")
	}
	return strings.Join(parts, ".")
}

// minToken is the shortest thing that is taken for a token: 16 characters of base64 are 96 bits.
const minToken = 16

// token reports whether s is so long and mixed that it is more likely an identifier than a word. A long word costs less than a
// stored password reset, so it errs on this side.
func token(s string) bool {
	if strings.HasPrefix(s, "eyJ") { // base64 of {": a part of a JSON Web Token
		return true
	}
	if len(s) < minToken {
		return false
	}
	var digit, upper, lower bool
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digit = true
		case 'A' <= c && c <= 'Z':
			upper = true
		case 'a' <= c && c <= 'z':
			lower = true
		}
	}
	return digit || upper && lower
}

// longNumber finds the identifier in a word like invoice20481. Four digits may be a year.
var longNumber = regexp.MustCompile(`[0-9]{5}`)

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// hexadecimal reports whether s is hex of six digits or more with a decimal one in it, as build hashes and short identifiers have.
// Without that "facade" would be one.
func hexadecimal(s string) bool {
	return len(s) >= 6 && strings.ContainsAny(s, "0123456789") && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
