package merlon

import (
	"errors"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// Remove as the value of a text setting takes out what the preset would send.
const Remove = "off"

// Config says what a site's responses carry. It is a plain value: [New] copies what it keeps, so a Config can be
// changed and used again afterwards. In every text setting "" inherits from the preset and [Remove] sends nothing.
// The JSON form has the same meaning; the policy file of the merlon tool is that form in YAML.
type Config struct {
	_ [0]func() // no unkeyed literals, no comparison

	// Preset is the base that empty settings inherit from: "strict", "compat" or "api".
	// Empty means compat with framing denied.
	Preset string `json:"preset,omitempty"`

	// CSP is the enforced Content-Security-Policy as text. The word 'nonce' in a source list becomes a fresh nonce in
	// each document. frame-ancestors is made from Frame, report-uri from Reports, and neither may stand here.
	CSP string `json:"csp,omitempty"`
	// Trial is a second policy, sent as Content-Security-Policy-Report-Only beside the enforced one.
	Trial string `json:"trial,omitempty"`

	// Frame says who may show the site's pages in a frame. X-Frame-Options and frame-ancestors are both made from it.
	Frame Frame `json:"frame,omitempty"`

	// Reports is where browsers send violations: a path of the site or an https URL. Empty and "off" mean nowhere: then
	// Trial shows in browsers' consoles alone. The gateway of the merlon tool collects on /.merlon/r; a Go program can
	// decode what arrives with package report.
	// The policies then end in report-uri with that address and d=e (enforced) or d=r (report-only) in its query.
	Reports string `json:"reports,omitempty"`

	// NonceCache says how documents with an enforced nonce may be cached: "no-store" (the default) or "private". Under
	// private, going back in a browser runs the stored page again with its old nonce. Documents with a nonce on trial
	// alone are private. In both cases headers that only shared caches read are removed.
	NonceCache string `json:"nonce-cache,omitempty"`

	ContentTypeOptions string `json:"x-content-type-options,omitempty"`       // nosniff
	ReferrerPolicy     string `json:"referrer-policy,omitempty"`              // one or more tokens of Referrer Policy §3, separated by commas
	PermissionsPolicy  string `json:"permissions-policy,omitempty"`           // a dictionary such as camera=(), usb=(self)
	OpenerPolicy       string `json:"cross-origin-opener-policy,omitempty"`   // same-origin, same-origin-allow-popups, noopener-allow-popups, unsafe-none
	ResourcePolicy     string `json:"cross-origin-resource-policy,omitempty"` // same-origin, same-site, cross-origin
	OriginAgentCluster string `json:"origin-agent-cluster,omitempty"`         // ?1 or ?0; the same on every page of an origin, or browsers ignore it
	CacheControl       string `json:"cache-control,omitempty"`                // for responses whose handler set none

	HTTPS HTTPS `json:"https,omitzero"`

	// Routes are what single routes do differently. A request follows the most specific pattern.
	Routes []RouteConfig `json:"routes,omitempty"`
}

// HTTPS says how the site is reached over TLS.
type HTTPS struct {
	_ [0]func()

	// HSTS is the max-age of Strict-Transport-Security: a number of days such as "365d", or a duration such as "24h".
	// It is sent over HTTPS only, and never for IP addresses and localhost, where browsers ignore it. RFC 6797.
	HSTS string `json:"hsts,omitempty"`
	// Proxies in front of the program, whose word on the client's scheme is taken.
	Proxies Proxies `json:"proxies,omitzero"`
}

// Proxies names the peers whose X-Forwarded-Proto is believed. The zero value believes nobody.
type Proxies struct {
	_ [0]func()

	CIDR []string `json:"cidr,omitempty"` // networks of the proxies, such as 10.0.0.0/8
	Hops int      `json:"hops,omitempty"` // how many proxies stand in a row; 0 means 1
}

// RouteConfig is a route change in a Config. Routes may also be changed in code, with [Guard.With].
type RouteConfig struct {
	_ [0]func()

	// Match is a pattern of net/http.ServeMux, such as "GET /widget/"; the most specific one counts. It applies to canonical paths only: a request
	// with an encoded slash, backslash or dot, dot segments, "//" or ";" in its path gets the base policy, because the
	// application may read such a path as another route than the pattern does.
	Match string `json:"match"`
	// Reason says in words why the route is looser than its base. It is required where framing or the enforced policy is.
	Reason string `json:"reason,omitempty"`

	Preset string `json:"preset,omitempty"` // replaces the whole base, but for Reports, HTTPS and OriginAgentCluster
	Frame  Frame  `json:"frame,omitempty"`
	CSP    string `json:"csp,omitempty"`   // replaces the enforced policy
	Trial  string `json:"trial,omitempty"` // replaces the trial
	Allow  string `json:"allow,omitempty"` // directives whose sources are added to both policies, such as img-src https://tiles.example
}

// ParseConfig reads the JSON form of a Config and checks it as [New] does. Unknown and duplicate keys, wrong types and
// text after the value are mistakes too. The error joins all of them, each a *cfgerrors.Error.
func ParseConfig(data []byte) (Config, error) {
	var c Config
	unread := decodeStrictly(data, &c)
	_, invalid := New(c)
	if err := errors.Join(unread, besides(unread, invalid)); err != nil {
		return Config{}, err
	}
	return c, nil
}

// besides returns the mistakes in err that do not follow from one in known: what could not be read is empty.
func besides(known, err error) error {
	var out []error
	for e := range cfgerrors.All(err) {
		follows := false
		for k := range cfgerrors.All(known) {
			follows = follows || k.Code != cfgerrors.UnknownKey && k.Field != "" && strings.HasPrefix(e.Field+".", k.Field+".")
		}
		if !follows {
			out = append(out, e)
		}
	}
	return errors.Join(out...)
}
