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

	// Preset is the base that empty settings inherit from: "strict", "compat", "api", or "off" for nothing.
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

	// ReportSample and TrialSample say for which share of the responses violations are reported, and the trial is sent at
	// all, such as "10%". Empty means all. A shared cache would freeze one outcome for everybody, so sampled responses are private.
	ReportSample string `json:"report-sample,omitempty"`
	TrialSample  string `json:"trial-sample,omitempty"`

	// Endpoints of the Reporting API by name, each a path of the site or an https URL: Reporting-Endpoints, over HTTPS.
	// Headers that name one in report-to or endpoints need it here. https://www.w3.org/TR/reporting-1/#header
	Endpoints map[string]string `json:"reporting-endpoints,omitempty"`
	// ReportTo names the endpoint that violations of the policies go to as well. Browsers that know report-to then pass over
	// report-uri: nothing arrives over plain HTTP, and Reports keeps what only report-uri delivers, the violations of framing.
	ReportTo string `json:"report-to,omitempty"`
	// NetworkErrors asks Chromium to report failed requests to the site for so long, such as "30d", over HTTPS: NEL and its
	// Report-To, with the endpoint "network-errors" or "default", whose URL must be absolute. https://www.w3.org/TR/network-error-logging/
	NetworkErrors string `json:"nel,omitempty"`

	// NonceCache says how documents with an enforced nonce may be cached: "no-store" (the default) or "private". Under
	// private, going back in a browser runs the stored page again with its old nonce. Documents with a nonce on trial
	// alone are private. In both cases headers that only shared caches read are removed.
	NonceCache string `json:"nonce-cache,omitempty"`

	ContentTypeOptions   string `json:"x-content-type-options,omitempty"`                   // nosniff
	ReferrerPolicy       string `json:"referrer-policy,omitempty"`                          // one or more tokens of Referrer Policy §3, separated by commas
	PermissionsPolicy    string `json:"permissions-policy,omitempty"`                       // a dictionary such as camera=(), usb=(self)
	OpenerPolicy         string `json:"cross-origin-opener-policy,omitempty"`               // same-origin, same-origin-allow-popups, noopener-allow-popups, unsafe-none
	OpenerPolicyTrial    string `json:"cross-origin-opener-policy-report-only,omitempty"`   // the same, with ; report-to="endpoint"
	EmbedderPolicy       string `json:"cross-origin-embedder-policy,omitempty"`             // require-corp, credentialless, unsafe-none
	EmbedderPolicyTrial  string `json:"cross-origin-embedder-policy-report-only,omitempty"` // the same, with ; report-to="endpoint"
	ResourcePolicy       string `json:"cross-origin-resource-policy,omitempty"`             // same-origin, same-site, cross-origin
	OriginAgentCluster   string `json:"origin-agent-cluster,omitempty"`                     // ?1 or ?0; the same on every page of an origin, or browsers ignore it
	IntegrityPolicy      string `json:"integrity-policy,omitempty"`                         // a dictionary such as blocked-destinations=(script)
	IntegrityPolicyTrial string `json:"integrity-policy-report-only,omitempty"`             // the same
	DocumentPolicy       string `json:"document-policy,omitempty"`                          // a dictionary such as document-write=?0
	XSSProtection        string `json:"x-xss-protection,omitempty"`                         // 0: old browsers' filters could be turned against a page
	DNSPrefetchControl   string `json:"x-dns-prefetch-control,omitempty"`                   // on, or deny for the header's "off"
	CrossDomainPolicies  string `json:"x-permitted-cross-domain-policies,omitempty"`        // none, master-only, by-content-type, by-ftp-filename, all, none-this-response
	CacheControl         string `json:"cache-control,omitempty"`                            // for responses whose handler set none

	// Headers are others by name. The value "off" removes the header from every response, such as Server and X-Powered-By.
	Headers map[string]string `json:"headers,omitempty"`
	// Mandatory names headers whose value the handler may not change. For X-Frame-Options and Content-Security-Policy that
	// means: the handler's count beside the Guard's and can only tighten.
	Mandatory []string `json:"mandatory,omitempty"`

	Cookies Cookies `json:"cookies,omitzero"`
	HTTPS   HTTPS   `json:"https,omitzero"`

	// Hosts are the names under which the site is reached, such as shop.example, or *.shop.example for those below it.
	// A request for another one is answered with 421 (Misdirected Request). Empty admits all.
	Hosts []string `json:"hosts,omitempty"`
	// Health are patterns of net/http.ServeMux for checks by load balancers: they are answered for every host, and not
	// redirected. So are the path of Reports and ACME challenges.
	Health []string `json:"health,omitempty"`

	// Routes are what single routes do differently. A request follows the most specific pattern.
	Routes []RouteConfig `json:"routes,omitempty"`

	clear string // Clear-Site-Data, which only routes and single responses send
}

// HTTPS says how the site is reached over TLS.
type HTTPS struct {
	_ [0]func()

	// HSTS is the max-age of Strict-Transport-Security: a number of days such as "365d", a duration such as "24h", or
	// "withdraw", which makes browsers forget. It is sent over HTTPS only, and never for IP addresses and localhost, where
	// browsers ignore it. RFC 6797.
	HSTS              string `json:"hsts,omitempty"`
	IncludeSubDomains bool   `json:"include-subdomains,omitempty"` // HSTS for every host below this one too
	// Preload consents to be built into browsers, which takes months to undo. It wants at least 365 days, IncludeSubDomains
	// and Redirect. https://hstspreload.org
	Preload bool `json:"preload,omitempty"`

	// Redirect sends plain HTTP to HTTPS: permanently, with 301 for GET and HEAD and 308, which keeps method and body, for
	// others. Targets are Host, or else the requested host if it is one of Config.Hosts: one of the two must be set.
	// A client on a socket that is no network, and is not trusted as a proxy, is not redirected.
	Redirect  bool           `json:"redirect,omitempty"`
	Temporary bool           `json:"temporary,omitempty"` // 302 and 307 instead
	Host      string         `json:"host,omitempty"`      // where redirects go to, such as www.shop.example or shop.example:8443
	Ports     map[string]int `json:"ports,omitempty"`     // the port for HTTPS by that for HTTP; others give 443
	// Exempt from Redirect: patterns of net/http.ServeMux, or regexp: and an expression for the path without its first
	// slash, as Django's SECURE_REDIRECT_EXEMPT has them.
	Exempt []string `json:"exempt,omitempty"`

	// Proxies in front of the program, whose word on the client's scheme and host is taken.
	Proxies Proxies `json:"proxies,omitzero"`
}

// Proxies names the peers whose forwarding headers are believed. The zero value believes nobody.
type Proxies struct {
	_ [0]func()

	CIDR []string `json:"cidr,omitempty"` // networks of the proxies, such as 10.0.0.0/8; "unix" for peers on a Unix socket
	Hops int      `json:"hops,omitempty"` // how many proxies stand in a row; 0 means 1
	// Header says which header has the client's scheme: X-Forwarded-Proto (the default), Forwarded (RFC 7239), or another,
	// and Value what it says for HTTPS; "https" if empty.
	Header string `json:"header,omitempty"`
	Value  string `json:"value,omitempty"`
	// HostHeader has the client's host, such as X-Forwarded-Host. Empty means that the proxies keep Host as it is.
	HostHeader string `json:"host-header,omitempty"`
}

// Cookies strengthens the Set-Cookie lines of responses. What a handler has chosen itself is not weakened.
// https://www.rfc-editor.org/rfc/rfc6265
type Cookies struct {
	_ [0]func()

	Secure      bool     `json:"secure,omitempty"` // over HTTPS
	HTTPOnly    bool     `json:"http-only,omitempty"`
	SameSite    string   `json:"same-site,omitempty"`   // Lax, Strict or None, which wants Secure
	Partitioned bool     `json:"partitioned,omitempty"` // wants Secure
	Only        []string `json:"only,omitempty"`        // names of the cookies meant; empty means all
	Except      []string `json:"except,omitempty"`      // names of cookies left as they are
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
	Set    string `json:"set,omitempty"`   // directives that replace those of both policies
	Allow  string `json:"allow,omitempty"` // directives whose sources are added to both policies, such as img-src https://tiles.example

	Reports string            `json:"reports,omitempty"` // off: violations on this route are not reported
	Headers map[string]string `json:"headers,omitempty"` // by name, those of Config included and Clear-Site-Data; off sends none
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
