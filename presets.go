package merlon

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

// preset returns the base that a Config with this Preset inherits from.
func preset(name string) (Config, bool) {
	switch name {
	case "strict":
		return Strict(), true
	case "compat":
		return Compat(), true
	case "api":
		return API(), true
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
	return []*string{&c.CSP, &c.Trial, &c.Reports, &c.NonceCache, &c.ContentTypeOptions, &c.ReferrerPolicy, &c.PermissionsPolicy,
		&c.OpenerPolicy, &c.ResourcePolicy, &c.OriginAgentCluster, &c.CacheControl, &c.HTTPS.HSTS}
}
