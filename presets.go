package merlon

import (
	"cmp"
	"maps"
	"slices"

	"github.com/merlon-sec/merlon/csp"
)

const strictCSP = "default-src 'self'; script-src 'nonce' 'strict-dynamic' 'report-sample'; style-src 'self' 'nonce' 'report-sample'; " +
	"img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; upgrade-insecure-requests"

// Strict returns the preset for applications that print a nonce into their script and style elements: it stops injected
// scripts, framing and cross-origin windows, and tries Trusted Types in report-only mode. Its policy is
//
//	default-src 'self'; script-src 'nonce' 'strict-dynamic' 'report-sample'; style-src 'self' 'nonce' 'report-sample';
//	img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; upgrade-insecure-requests
func Strict() Config {
	return Config{
		Preset:             "strict",
		CSP:                strictCSP,
		Trial:              "require-trusted-types-for 'script'",
		Frame:              Frame{"deny"},
		NonceCache:         "no-store",
		ContentTypeOptions: "nosniff",
		ReferrerPolicy:     "same-origin",
		PermissionsPolicy:  "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		OpenerPolicy:       "same-origin",
		ResourcePolicy:     "same-origin",
		OriginAgentCluster: "?1",
		HTTPS:              HTTPS{HSTS: "365d"},
	}
}

// Compat returns the preset that existing sites survive, object-src 'none'; base-uri 'self' and framing by the site
// itself, with Strict's policy on trial beside it. It has no
// form-action: browsers apply that to redirects as well, which breaks log-in at other sites.
func Compat() Config {
	return Config{
		Preset:             "compat",
		CSP:                "object-src 'none'; base-uri 'self'",
		Trial:              strictCSP,
		Frame:              Frame{"self"},
		NonceCache:         "no-store",
		ContentTypeOptions: "nosniff",
		ReferrerPolicy:     "strict-origin-when-cross-origin",
		OpenerPolicy:       "same-origin-allow-popups",
		HTTPS:              HTTPS{HSTS: "1d"},
	}
}

// API returns the preset for responses that no browser should render: JSON and the like.
func API() Config {
	return Config{
		Preset:             "api",
		CSP:                "default-src 'none'; base-uri 'none'; form-action 'none'; sandbox",
		Frame:              Frame{"deny"},
		NonceCache:         "no-store",
		ContentTypeOptions: "nosniff",
		ReferrerPolicy:     "no-referrer",
		ResourcePolicy:     "same-origin",
		CacheControl:       "no-store",
		HTTPS:              HTTPS{HSTS: "365d"},
	}
}

// Off returns the preset that sends nothing: the base for a site that wants a few headers alone.
func Off() Config {
	c := Config{Preset: Remove, Frame: Frame{Remove}}
	for _, text := range c.texts() {
		*text = Remove
	}
	c.NonceCache, c.ReportSample, c.TrialSample = "no-store", "", ""
	return c
}

// Dev returns the Config for development on one's own machine: without what plain HTTP on localhost cannot bear (HSTS,
// redirects, upgrade-insecure-requests), and with WebSockets of localhost, which reload pages. All else stays, so that what
// the policies break shows before production.
func (c Config) Dev() Config {
	c, _ = inherit(c.clone())
	c.HTTPS.HSTS, c.HTTPS.IncludeSubDomains, c.HTTPS.Preload = Remove, false, false
	c.HTTPS.Redirect, c.HTTPS.Temporary, c.HTTPS.Host, c.HTTPS.Ports, c.HTTPS.Exempt = false, false, "", nil, nil
	c.Hosts = nil
	edit([]*string{&c.CSP, &c.Trial}, forDevelopment)
	for i := range c.Routes {
		r := &c.Routes[i]
		if base, known := preset(r.Preset); known && r.Preset != "" {
			r.CSP, r.Trial = cmp.Or(r.CSP, base.CSP), cmp.Or(r.Trial, base.Trial)
		}
		edit([]*string{&r.CSP, &r.Trial, &r.Set}, forDevelopment)
	}
	return c
}

func forDevelopment(p csp.Policy) csp.Policy {
	return p.Remove("upgrade-insecure-requests").Append("connect-src", "ws://localhost:*", "ws://127.0.0.1:*")
}

// preset returns the base that a Config with this Preset inherits from.
func preset(name string) (Config, bool) {
	switch name {
	case "strict":
		return Strict(), true
	case "compat":
		return Compat(), true
	case "api":
		return API(), true
	case Remove:
		return Off(), true
	case "":
		c := Compat()
		c.Preset, c.Frame = "", Frame{"deny"}
		return c, true
	}
	return Config{}, false
}

// inherit fills c's empty settings from its preset.
func inherit(c Config) (Config, bool) {
	base, ok := preset(c.Preset)
	if !ok { // so that the other mistakes can be found
		base, _ = preset("")
	}
	for i, v := range c.texts() {
		if *v == "" {
			*v = *base.texts()[i]
		}
	}
	if c.Frame == nil {
		c.Frame = base.Frame
	}
	return c, ok
}

// texts lists the settings that are plain text, in one fixed order.
func (c *Config) texts() []*string {
	out := []*string{&c.CSP, &c.Trial, &c.Reports, &c.ReportSample, &c.TrialSample, &c.ReportTo, &c.NetworkErrors, &c.NonceCache, &c.HTTPS.HSTS}
	for i := range headers {
		out = append(out, headers[i].value(c))
	}
	return out
}

// clone returns a Config that shares nothing with c.
func (c Config) clone() Config {
	c.Frame, c.Mandatory, c.Hosts, c.Health = slices.Clone(c.Frame), slices.Clone(c.Mandatory), slices.Clone(c.Hosts), slices.Clone(c.Health)
	c.Endpoints, c.Headers, c.HTTPS.Ports = maps.Clone(c.Endpoints), maps.Clone(c.Headers), maps.Clone(c.HTTPS.Ports)
	c.HTTPS.Exempt, c.HTTPS.Proxies.CIDR = slices.Clone(c.HTTPS.Exempt), slices.Clone(c.HTTPS.Proxies.CIDR)
	c.Cookies.Only, c.Cookies.Except = slices.Clone(c.Cookies.Only), slices.Clone(c.Cookies.Except)
	c.Routes = slices.Clone(c.Routes)
	for i, r := range c.Routes {
		c.Routes[i].Frame, c.Routes[i].Headers = slices.Clone(r.Frame), maps.Clone(r.Headers)
	}
	return c
}
