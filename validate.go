package merlon

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/csp"
)

// nonceToken is the word in a policy's text that becomes a nonce.
const nonceToken = "'nonce'"

// check normalises what a Config says about every response and reports all its mistakes. Routes are checked apart.
func (c *Config) check() error {
	var errs []error
	at := func(field string, err error) { errs = append(errs, cfgerrors.Under(field, err)) }
	var err error
	if c.Frame, err = c.Frame.normalize(); err != nil {
		base, _ := preset(c.Preset)
		c.Frame = base.Frame // for the comparison with routes
	}
	at("frame", err)
	at("csp", checkPolicy(c.CSP))
	at("trial", checkPolicy(c.Trial))
	at("reports", checkReports(c.Reports))
	at("nonce-cache", checkNonceCache(c.NonceCache))
	for _, h := range headers {
		if v := *h.value(c); v != "" && v != Remove {
			if err = checkText(v); err == nil {
				err = h.check(v)
			}
			at(h.field, err)
		}
	}
	_, err = parseAge(c.HTTPS.HSTS)
	at("https.hsts", err)
	_, err = c.HTTPS.Proxies.compile()
	at("https.proxies", err)
	return errors.Join(errs...)
}

func checkPolicy(text string) error {
	if text == "" || text == Remove {
		return nil
	}
	var errs []error
	p := csp.Parse(text)
	if len(p.Directives) == 0 {
		errs = append(errs, &cfgerrors.Error{Code: cfgerrors.Missing, Value: text, Text: "no directive", Hint: "to send no policy write off"})
	}
	if _, ok := p.Get("frame-ancestors"); ok {
		errs = append(errs, &cfgerrors.Error{Field: "frame-ancestors", Code: cfgerrors.MisplacedFraming,
			Text: "framing is one setting, so that X-Frame-Options says the same", Hint: "write frame: deny, self or {by: [origins]}"})
	}
	for _, name := range []string{"report-uri", "report-to"} {
		if _, ok := p.Get(name); ok {
			errs = append(errs, &cfgerrors.Error{Field: name, Code: cfgerrors.MisplacedReporting,
				Text: "where violations go is one setting for all policies", Hint: "write reports: /path or reports: https://..."})
		}
	}
	for _, d := range p.Directives {
		if slices.Contains(d.Value, nonceToken) && !takesNonce(d.Name) {
			errs = append(errs, &cfgerrors.Error{Field: d.Name, Code: cfgerrors.InvalidSource, Value: nonceToken, Text: "a nonce means nothing here",
				Hint: "nonces are for script-src and style-src, their -elem forms and default-src"})
		}
	}
	return errors.Join(append(errs, csp.Check(text, nonceToken))...)
}

func takesNonce(directive string) bool {
	switch directive {
	case "default-src", "script-src", "script-src-elem", "style-src", "style-src-elem":
		return true
	}
	return false
}

func checkReports(v string) error {
	u, err := url.Parse(v)
	plain := err == nil && u.User == nil && printable(v) && !strings.ContainsAny(v, ` #;,"'\`)
	path := plain && u.Scheme == "" && u.Host == "" && strings.HasPrefix(v, "/") && !strings.HasPrefix(v, "//")
	if v == "" || v == Remove || path || plain && u.Scheme == "https" && u.Host != "" {
		return nil
	}
	return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: "violations go to a path of the site or to an https URL", Hint: "write /.merlon/r"}
}

func checkNonceCache(v string) error {
	if v == "no-store" || v == "private" {
		return nil
	}
	return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: "documents with a nonce are never for shared caches", Hint: "write no-store or private"}
}

func oneOf(v string, allowed ...string) error {
	if slices.Contains(allowed, v) {
		return nil
	}
	return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: "browsers ignore this value", Hint: "write " + strings.Join(allowed, " or ") + ", or off"}
}

// header is a response header whose value is one text of the Config.
type header struct {
	field, name string
	value       func(*Config) *string
	check       func(string) error
}

// headers are sent in this order, each where the handler has set none.
var headers = []header{
	{"x-content-type-options", "X-Content-Type-Options", func(c *Config) *string { return &c.ContentTypeOptions },
		func(v string) error { return oneOf(v, "nosniff") }},
	{"referrer-policy", "Referrer-Policy", func(c *Config) *string { return &c.ReferrerPolicy }, checkReferrer},
	{"permissions-policy", "Permissions-Policy", func(c *Config) *string { return &c.PermissionsPolicy }, checkPermissions},
	{"cross-origin-opener-policy", "Cross-Origin-Opener-Policy", func(c *Config) *string { return &c.OpenerPolicy },
		func(v string) error {
			return oneOf(v, "same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none")
		}},
	{"cross-origin-resource-policy", "Cross-Origin-Resource-Policy", func(c *Config) *string { return &c.ResourcePolicy },
		func(v string) error { return oneOf(v, "same-origin", "same-site", "cross-origin") }},
	{"origin-agent-cluster", "Origin-Agent-Cluster", func(c *Config) *string { return &c.OriginAgentCluster },
		func(v string) error { return oneOf(v, "?1", "?0") }},
	{"cache-control", "Cache-Control", func(c *Config) *string { return &c.CacheControl }, func(string) error { return nil }},
}

func checkReferrer(v string) error {
	for token := range strings.SplitSeq(v, ",") {
		if err := oneOf(strings.TrimSpace(token), "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin",
			"same-origin", "strict-origin", "strict-origin-when-cross-origin", "unsafe-url"); err != nil {
			return err
		}
	}
	return nil
}

// One syntax mistake makes browsers drop the whole header (Permissions Policy §5.2, RFC 9651).
var permission = regexp.MustCompile(`^[a-z][a-z0-9-]*=(\*|self|\(((\*|self|"https?://[a-z0-9.*:-]+")( +|\)$))*\)?)$`)

func checkPermissions(v string) error {
	seen := map[string]bool{}
	for member := range strings.SplitSeq(v, ",") {
		member = strings.TrimSpace(member)
		name, _, _ := strings.Cut(member, "=")
		if seen[name] {
			return &cfgerrors.Error{Code: cfgerrors.DuplicateKey, Value: name, Text: "browsers use the last of two entries with one name"}
		}
		seen[name] = true
		if !permission.MatchString(member) || strings.Contains(member, "(") != strings.HasSuffix(member, ")") {
			return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: member, Text: "browsers drop the whole header for one mistake",
				Hint: `write name=(), name=(self) or name=(self "https://partner.example")`}
		}
	}
	return nil
}

func checkText(v string) error {
	if !printable(v) {
		return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: "a header value is printable ASCII"}
	}
	return nil
}

func printable(v string) bool {
	return !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' })
}

// parseAge reads "365d", "24h" or "off" (0, false).
func parseAge(v string) (time.Duration, error) {
	if v == "" || v == Remove {
		return 0, nil
	}
	bad := func(text, hint string) error {
		return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: text, Hint: hint}
	}
	age, err := time.ParseDuration(v)
	if days, ok := strings.CutSuffix(v, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		age = time.Duration(n) * 24 * time.Hour
	}
	switch {
	case err != nil:
		return 0, bad("no length of time", "write days as 365d or hours as 24h")
	case age < time.Second:
		return 0, bad("browsers forget HSTS at once with this age", "to send none write off")
	}
	return age, nil
}

func (p Proxies) compile() (proxies, error) {
	out := proxies{hops: max(p.Hops, 1)}
	var errs []error
	for i, text := range p.CIDR {
		n, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
			errs = append(errs, &cfgerrors.Error{Field: fmt.Sprintf("cidr[%d]", i), Code: cfgerrors.Syntax, Value: text, Text: "no network in CIDR form", Hint: "write 10.0.0.0/8, or 10.1.2.3/32 for one address"})
		case n.Addr().Is4In6():
			errs = append(errs, &cfgerrors.Error{Field: fmt.Sprintf("cidr[%d]", i), Code: cfgerrors.InvalidValue, Value: text, Text: "an IPv4 network in IPv6 form", Hint: "write the IPv4 form"})
		case n.Bits() == 0:
			errs = append(errs, &cfgerrors.Error{Field: fmt.Sprintf("cidr[%d]", i), Code: cfgerrors.InvalidValue, Value: text, Text: "everybody would be believed", Hint: "name the networks that the proxies connect from"})
		case n.Masked() != n:
			errs = append(errs, &cfgerrors.Error{Field: fmt.Sprintf("cidr[%d]", i), Code: cfgerrors.InvalidValue, Value: text, Text: "the address has bits outside the network", Hint: "write " + n.Masked().String()})
		}
		out.networks = append(out.networks, n)
	}
	if p.Hops < 0 || p.Hops > 16 {
		errs = append(errs, &cfgerrors.Error{Field: "hops", Code: cfgerrors.InvalidValue, Value: strconv.Itoa(p.Hops), Text: "a number of proxies from 1 to 16"})
	}
	if p.Hops > 0 && len(p.CIDR) == 0 {
		errs = append(errs, &cfgerrors.Error{Field: "cidr", Code: cfgerrors.Missing, Text: "without the proxies' networks no header is believed", Hint: "name the networks that the proxies connect from"})
	}
	return out, errors.Join(errs...)
}
