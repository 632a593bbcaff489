package starter

import (
	"fmt"
	"slices"
	"strings"
)

// django reads the settings that have a meaning here. docs/from-django.md has the same table for people.
type django struct {
	*pySettings
	site *site
}

func fromDjango(o Options, name string, data []byte) (*Result, error) {
	settings, err := readSettings(name, data)
	if err != nil {
		return nil, err
	}
	d := newDraft("merlon init --from " + plain(name))
	g := &django{pySettings: settings, site: d.site(o)}
	if !g.any() && len(g.skipped) == 0 {
		return nil, fmt.Errorf("%s has none of Django's settings (name the file that DJANGO_SETTINGS_MODULE stands for)", show(name))
	}
	g.hosts()
	seen := g.site.take(g.fields(), true)
	g.none(seen)
	g.site.contrast(seen)
	g.https()
	g.cookies()
	g.reports()
	g.prefixes()
	for _, s := range g.skipped {
		g.site.at("preset").check("settings of another file are not read: %s. If it sets SECURE_* or CSP, give it to merlon init as well.", s)
	}
	g.site.fill(true)
	return d.finish(o.Output)
}

// prefixes of settings that say something about headers.
var djangoPrefixes = []string{"SECURE_", "X_FRAME_OPTIONS", "SESSION_COOKIE_", "CSRF_", "ALLOWED_HOSTS", "CSP_", "CONTENT_SECURITY_POLICY", "MIDDLEWARE", "INSTALLED_APPS"}

func (g *django) any() bool {
	for name := range g.vars {
		if slices.ContainsFunc(djangoPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			return true
		}
	}
	return false
}

// setting returns the value of one setting. Of one that is not known, it says under key what is to be decided.
func (g *django) setting(name string, key *setting) (v pyVar, ok bool) {
	v, set := g.vars[name]
	if set && !v.known {
		key.check("%s: %s is not known here, because %s. Decide what it is in production.", v.at, name, v.why)
	}
	if set && v.known && unsure(v.value) {
		key.check("%s: a part of %s is no literal, and is left out here. Add what it is in production.", v.at, name)
	}
	return v, set && v.known
}

func (g *django) flag(name string, key *setting) bool {
	v, ok := g.setting(name, key)
	on, isBool := v.value.(bool)
	return ok && isBool && on
}

// texts is a text or a list of texts, without the items that are not known.
func texts(v any) (out []string, ok bool) {
	switch v := v.(type) {
	case string:
		return []string{v}, true
	case pyList:
		for _, x := range v {
			switch x := x.(type) {
			case string:
				out = append(out, x)
			case pyUnknown:
			default:
				return nil, false
			}
		}
		return out, true
	}
	return nil, false
}

// has reports whether a middleware is named, and whether the list of them is known at all.
func (g *django) middleware(name string) (there, known bool) {
	v, ok := g.vars["MIDDLEWARE"]
	list, isList := texts(v.value)
	return slices.Contains(list, name), ok && v.known && isList
}

func (g *django) hosts() {
	x := g.site.at("hosts")
	v, ok := g.setting("ALLOWED_HOSTS", x)
	list, isList := texts(v.value)
	if !ok || !isList {
		return
	}
	var hosts []string
	for _, h := range list {
		switch {
		case h == "*":
			x.check("%s: ALLOWED_HOSTS has *, which lets every name in. Name the site's hosts.", v.at)
			return
		case strings.HasPrefix(h, "."):
			hosts = append(hosts, h[1:], "*"+h)
		default:
			hosts = append(hosts, h)
		}
	}
	slices.Sort(hosts)
	if hosts = slices.Compact(hosts); len(hosts) > 0 {
		x.note("From %s. Django answers other names with 400, the gateway with 421.", v.at)
		x.value = hosts
		x.fromSource()
	}
}

const (
	securityMiddleware = "django.middleware.security.SecurityMiddleware"
	framingMiddleware  = "django.middleware.clickjacking.XFrameOptionsMiddleware"
)

// fields are the headers that the settings make Django send.
func (g *django) fields() []field {
	var out []field
	add := func(header, setting, key string, convert func(any) (string, bool)) {
		v, ok := g.setting(setting, g.key(key))
		if text, sent := convert(v.value); ok && sent {
			out = append(out, field{header, text, v.at + " " + setting})
		} else if ok && !sent && v.value != nil && v.value != false {
			g.key(key).check("%s: the value of %s is none that Django takes.", v.at, setting)
		}
	}
	standard := func(header, value, setting, middleware string) {
		if _, set := g.vars[setting]; set {
			return
		}
		if there, _ := g.middleware(middleware); there {
			out = append(out, field{header, value, middleware[strings.LastIndexByte(middleware, '.')+1:] + ", where " + setting + " is not set"})
		}
	}
	text := func(v any) (string, bool) { list, ok := texts(v); return strings.Join(list, ", "), ok && len(list) > 0 }
	on := func(value string) func(any) (string, bool) {
		return func(v any) (string, bool) { return value, v == true }
	}
	add("X-Frame-Options", "X_FRAME_OPTIONS", "frame", text)
	if _, set := g.vars["X_FRAME_OPTIONS"]; !set {
		add("X-Frame-Options", "SECURE_FRAME_DENY", "frame", on("DENY"))
	}
	standard("X-Frame-Options", "DENY", "X_FRAME_OPTIONS", framingMiddleware)
	add("X-Content-Type-Options", "SECURE_CONTENT_TYPE_NOSNIFF", "x-content-type-options", on("nosniff"))
	standard("X-Content-Type-Options", "nosniff", "SECURE_CONTENT_TYPE_NOSNIFF", securityMiddleware)
	add("X-XSS-Protection", "SECURE_BROWSER_XSS_FILTER", "x-xss-protection", on("0"))
	add("Referrer-Policy", "SECURE_REFERRER_POLICY", "referrer-policy", text)
	standard("Referrer-Policy", "same-origin", "SECURE_REFERRER_POLICY", securityMiddleware)
	add("Cross-Origin-Opener-Policy", "SECURE_CROSS_ORIGIN_OPENER_POLICY", "cross-origin-opener-policy", text)
	standard("Cross-Origin-Opener-Policy", "same-origin", "SECURE_CROSS_ORIGIN_OPENER_POLICY", securityMiddleware)
	return append(append(out, g.policies()...), g.hsts()...)
}

func (g *django) key(key string) *setting { return g.site.at(key) }

// none turns off what a setting of None or False turns off there.
func (g *django) none(seen map[string]bool) {
	for _, x := range []struct{ setting, key string }{{"SECURE_CONTENT_TYPE_NOSNIFF", "x-content-type-options"}, {"SECURE_REFERRER_POLICY", "referrer-policy"},
		{"SECURE_CROSS_ORIGIN_OPENER_POLICY", "cross-origin-opener-policy"}} {
		if v := g.vars[x.setting]; v.known && (v.value == nil || v.value == false) {
			g.site.set(x.key, "off").fromSource().note("From %s %s.", v.at, x.setting)
			seen[x.key] = true
		}
	}
}
