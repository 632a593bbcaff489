package merlon

import (
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// header is a response header whose value is one text of the Config.
type header struct {
	field, name string
	value       func(*Config) *string
	check       func(c *Config, v string) error
}

// headers are sent in this order, each where the handler has set none.
var headers = []header{
	{"x-content-type-options", "X-Content-Type-Options", func(c *Config) *string { return &c.ContentTypeOptions }, one("nosniff")},
	{"referrer-policy", "Referrer-Policy", func(c *Config) *string { return &c.ReferrerPolicy }, checkReferrer},
	{"permissions-policy", "Permissions-Policy", func(c *Config) *string { return &c.PermissionsPolicy }, checkPermissions},
	{"cross-origin-opener-policy", "Cross-Origin-Opener-Policy", func(c *Config) *string { return &c.OpenerPolicy }, checkOpener},
	{"cross-origin-opener-policy-report-only", "Cross-Origin-Opener-Policy-Report-Only", func(c *Config) *string { return &c.OpenerPolicyTrial }, checkOpener},
	{"cross-origin-embedder-policy", "Cross-Origin-Embedder-Policy", func(c *Config) *string { return &c.EmbedderPolicy }, checkEmbedder},
	{"cross-origin-embedder-policy-report-only", "Cross-Origin-Embedder-Policy-Report-Only", func(c *Config) *string { return &c.EmbedderPolicyTrial }, checkEmbedder},
	{"cross-origin-resource-policy", "Cross-Origin-Resource-Policy", func(c *Config) *string { return &c.ResourcePolicy }, one("same-origin", "same-site", "cross-origin")},
	{"origin-agent-cluster", "Origin-Agent-Cluster", func(c *Config) *string { return &c.OriginAgentCluster }, one("?1", "?0")},
	{"integrity-policy", "Integrity-Policy", func(c *Config) *string { return &c.IntegrityPolicy }, checkIntegrity},
	{"integrity-policy-report-only", "Integrity-Policy-Report-Only", func(c *Config) *string { return &c.IntegrityPolicyTrial }, checkIntegrity},
	{"document-policy", "Document-Policy", func(c *Config) *string { return &c.DocumentPolicy }, checkDocumentPolicy},
	{"x-xss-protection", "X-Xss-Protection", func(c *Config) *string { return &c.XSSProtection }, one("0")},
	{"x-dns-prefetch-control", "X-Dns-Prefetch-Control", func(c *Config) *string { return &c.DNSPrefetchControl }, one("on", "deny")},
	{"x-permitted-cross-domain-policies", "X-Permitted-Cross-Domain-Policies", func(c *Config) *string { return &c.CrossDomainPolicies },
		one("none", "master-only", "by-content-type", "by-ftp-filename", "all", "none-this-response")},
	{"cache-control", "Cache-Control", func(c *Config) *string { return &c.CacheControl }, func(*Config, string) error { return nil }},
}

// headerNamed returns the header of the table with this name, in any case.
func headerNamed(name string) *header {
	i := slices.IndexFunc(headers, func(h header) bool { return strings.EqualFold(h.name, name) })
	if i < 0 {
		return nil
	}
	return &headers[i]
}

// sent returns the value as it goes out: "off" cannot be what sends it, because it is what sends nothing.
func (h *header) sent(c *Config) string {
	switch v := *h.value(c); {
	case v == Remove:
		return ""
	case h.field == "x-dns-prefetch-control" && v == "deny":
		return "off"
	default:
		return v
	}
}

func one(allowed ...string) func(*Config, string) error {
	return func(_ *Config, v string) error { return oneOf(v, allowed...) }
}

func oneOf(v string, allowed ...string) error {
	if slices.Contains(allowed, v) {
		return nil
	}
	return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: "browsers ignore this value", Hint: "write " + strings.Join(allowed, " or ") + ", or off"}
}

// https://www.w3.org/TR/referrer-policy/#parse-referrer-policy-from-header
func checkReferrer(_ *Config, v string) error {
	for token := range strings.SplitSeq(v, ",") {
		if err := oneOf(strings.TrimSpace(token), "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin",
			"same-origin", "strict-origin", "strict-origin-when-cross-origin", "unsafe-url"); err != nil {
			return err
		}
	}
	return nil
}

// elsewhere are headers that other settings make, with the line to write instead.
var elsewhere = map[string]string{
	headerCSP: "csp: ...", headerTrial: "trial: ...", headerXFO: "frame: deny", headerHSTS: "https: {hsts: 365d}",
	"Reporting-Endpoints": "reporting-endpoints: {default: /path}", "Report-To": "nel: 30d", "Nel": "nel: 30d",
	"Clear-Site-Data": "it in headers of one route, such as that for log-out", "Set-Cookie": "cookies: {secure: true}",
}

var token = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+.^_`|~-]+$")

// maxHeaders bounds Config.Headers, so that presence fits into one word.
const maxHeaders = 32

// checkHeaders checks headers of names that have no setting of their own.
func (c *Config) checkHeaders() []error {
	var errs []error
	if len(c.Headers) > maxHeaders {
		errs = append(errs, &cfgerrors.Error{Code: cfgerrors.InvalidValue, Text: fmt.Sprintf("%d headers are more than %d", len(c.Headers), maxHeaders)})
	}
	seen := map[string]string{}
	for _, name := range sortedKeys(c.Headers) {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		other := seen[canonical]
		seen[canonical] = name
		bad := func(code cfgerrors.Code, value, text, hint string) {
			errs = append(errs, &cfgerrors.Error{Field: name, Code: code, Value: value, Text: text, Hint: hint})
		}
		switch value, hint := c.Headers[name], elsewhere[canonical]; {
		case !token.MatchString(name):
			bad(cfgerrors.Syntax, "", "no name of a header", "a name is made of letters, digits and hyphens")
		case other != "":
			bad(cfgerrors.DuplicateKey, "", "the same header as "+other, "")
		case hint != "":
			bad(cfgerrors.Conflict, "", "another setting makes this header", "write "+hint)
		case headerNamed(name) != nil:
			bad(cfgerrors.Conflict, "", "this header has a setting of its own", "write it as "+headerNamed(name).field)
		case framesMessages[canonical]:
			bad(cfgerrors.InvalidValue, "", "the server itself sets this header", "")
		case value == "":
			bad(cfgerrors.Missing, "", "no value", "to remove the header write off")
		case !printable(value) || strings.TrimSpace(value) != value:
			bad(cfgerrors.InvalidValue, value, "a header value is printable ASCII without space around it", "")
		}
	}
	return errs
}

// framesMessages are headers that belong to the connection and the body, never to a policy.
var framesMessages = map[string]bool{"Connection": true, "Content-Length": true, "Transfer-Encoding": true, "Trailer": true, "Upgrade": true,
	"Content-Encoding": true, "Content-Type": true, "Content-Range": true, "Location": true, "Date": true}
