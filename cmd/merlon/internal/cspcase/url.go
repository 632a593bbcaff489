package cspcase

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/idna"

	"github.com/merlon-sec/merlon/csp"
)

// ParseURL parses a URL as csp.ParseURL does, and takes international hosts too, which package csp leaves to its callers.
func ParseURL(text string) (csp.URL, error) {
	u, err := csp.ParseURL(text)
	if err == nil {
		return u, nil
	}
	if ascii, ok := withASCIIHost(text); ok {
		return csp.ParseURL(ascii)
	}
	return csp.URL{}, err
}

// domains maps names as the URL Standard does, which refuses less than the rules for registering them.
// https://url.spec.whatwg.org/#concept-domain-to-ascii
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false),
	idna.VerifyDNSLength(false), idna.BidiRule(), idna.CheckJoiners(true))

// parts are what stands before the host of a URL whose host is a domain, the host, and the port and the rest.
var parts = regexp.MustCompile(`(?is)^((?:https?|wss?|ftp|file):[/\\]*(?:[^/\\?#]*@)?)([^/\\?#@]+?)((?::[0-9]*)?(?:[/\\?#].*)?)$`)

// ignored is what URL parsers take out.
var ignored = strings.NewReplacer("\t", "", "\n", "", "\r", "")

func withASCIIHost(text string) (string, bool) {
	text = ignored.Replace(strings.TrimFunc(text, func(r rune) bool { return r <= ' ' }))
	p := parts.FindStringSubmatch(text)
	if p == nil {
		return "", false
	}
	host, err := url.PathUnescape(p[2])
	if err == nil {
		host, err = domains.ToASCII(host)
	}
	return p[1] + host + p[3], err == nil && host != "" // or the rest would be read as a host
}

// urlOf parses the URL of a case's member.
func urlOf(member, text string) (csp.URL, error) {
	u, err := ParseURL(text)
	if err != nil {
		return u, fmt.Errorf("%s %.200q: %w", member, text, err)
	}
	return u, nil
}

// normal returns a URL's text with an ASCII host, and what is no URL as it is.
func normal(text string) string {
	if u, err := ParseURL(text); err == nil {
		return u.String()
	}
	return text
}
