package starter

import (
	"fmt"
	"slices"
	"strconv"
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

func (g *django) hsts() []field {
	x := g.site.https("hsts")
	v, ok := g.setting("SECURE_HSTS_SECONDS", x)
	seconds, isNumber := v.value.(int64)
	if !ok {
		return nil
	}
	if !isNumber || seconds < 0 {
		x.check("%s: SECURE_HSTS_SECONDS is no number of seconds.", v.at)
		return nil
	}
	if seconds == 0 {
		x.note("From %s SECURE_HSTS_SECONDS. withdraw in place of off makes browsers forget it.", v.at)
		x.value = "off"
		x.fromSource()
		return nil
	}
	value := "max-age=" + strconv.FormatInt(seconds, 10)
	if g.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS", x) {
		value += "; includeSubDomains"
	}
	if g.flag("SECURE_HSTS_PRELOAD", x) {
		value += "; preload"
	}
	return []field{{"Strict-Transport-Security", value, v.at + " SECURE_HSTS_SECONDS"}}
}

func (g *django) https() {
	proxies := g.proxies()
	g.djangoTold()
	x := g.site.https("redirect")
	if !g.flag("SECURE_SSL_REDIRECT", x) {
		return
	}
	host, _ := g.setting("SECURE_SSL_HOST", x)
	target, named := host.value.(string)
	if !proxies || !named && !g.site.has("hosts") {
		g.site.suggestRedirect().note("%s SECURE_SSL_REDIRECT may stay as it is until then.", g.vars["SECURE_SSL_REDIRECT"].at)
		return
	}
	x.note("From %s SECURE_SSL_REDIRECT. 301 for GET and HEAD as there, 308 for other methods.", g.vars["SECURE_SSL_REDIRECT"].at)
	x.value = true
	x.fromSource()
	if named {
		g.site.https("host").fromSource().note("From %s SECURE_SSL_HOST.", host.at).value = target
	}
	e := g.site.https("exempt")
	exempt, ok := g.setting("SECURE_REDIRECT_EXEMPT", e)
	if list, isList := texts(exempt.value); ok && isList && len(list) > 0 {
		for i := range list {
			list[i] = "regexp:" + list[i]
		}
		e.note("From %s SECURE_REDIRECT_EXEMPT. These are Go's expressions, without look-around and back references.", exempt.at)
		e.value = list
		e.fromSource()
	}
}

// proxies reads who is believed about the scheme. There, everybody is; here networks are named.
func (g *django) proxies() bool {
	x := g.site.https("proxies")
	v, ok := g.setting("SECURE_PROXY_SSL_HEADER", x)
	pair, _ := texts(v.value)
	if !ok || len(pair) != 2 {
		return false
	}
	x.check("name under cidr the networks that your TLS proxy connects from, or take proxies out if the gateway replaces it. There, whoever reaches Django is believed; as it stands, proxies on this machine are. %s SECURE_PROXY_SSL_HEADER.", v.at)
	x.child("cidr").value = []string{"127.0.0.1/32", "::1/128"}
	header := headerOf(pair[0])
	if header != "X-Forwarded-Proto" {
		x.child("header").fromSource().value = header
		x.check("the gateway tells Django the scheme in X-Forwarded-Proto: set SECURE_PROXY_SSL_HEADER = (\"HTTP_X_FORWARDED_PROTO\", \"https\") there. Here %s stays what your proxy says.", show(header))
	}
	if !strings.EqualFold(pair[1], "https") {
		x.child("value").fromSource().value = pair[1]
	}
	if g.flag("USE_X_FORWARDED_HOST", x) {
		x.child("host-header").fromSource().value = "X-Forwarded-Host"
	}
	return true
}

// headerOf is the header's name for a key of Django's request.META.
func headerOf(meta string) string {
	words := strings.Split(strings.ToLower(strings.TrimPrefix(meta, "HTTP_")), "_")
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "-")
}

// djangoTold says what Django needs to know behind the gateway.
func (g *django) djangoTold() {
	x := g.site.at("https")
	if _, set := g.vars["SECURE_PROXY_SSL_HEADER"]; !set {
		x.note("Django learns from the gateway that the browser speaks HTTPS with SECURE_PROXY_SSL_HEADER = (\"HTTP_X_FORWARDED_PROTO\", \"https\").")
	}
	if v, set := g.vars["CSRF_TRUSTED_ORIGINS"]; set {
		x.note("%s: CSRF_TRUSTED_ORIGINS stays in Django; the gateway passes Host and Origin on as they came.", v.at)
	}
}

// cookies adds the attributes that Django gives its own two cookies. The application's own lines keep theirs in any case.
func (g *django) cookies() {
	x := g.site.at("cookies")
	name := func(setting, otherwise string) string {
		if v, ok := g.vars[setting]; ok && v.known {
			if text, isText := v.value.(string); isText {
				return text
			}
		}
		return otherwise
	}
	session, csrf := name("SESSION_COOKIE_NAME", "sessionid"), name("CSRF_COOKIE_NAME", "csrftoken")
	of := func(prefix string) map[string]any {
		out := map[string]any{}
		if g.flag(prefix+"_COOKIE_SECURE", x) {
			out["secure"] = true
		}
		if g.flag(prefix+"_COOKIE_HTTPONLY", x) {
			out["http-only"] = true
		}
		v, ok := g.setting(prefix+"_COOKIE_SAMESITE", x)
		if mode, isText := v.value.(string); ok && isText {
			out["same-site"] = mode
		}
		return out
	}
	a, b := of("SESSION"), of("CSRF")
	if len(a)+len(b) == 0 {
		return
	}
	want, only := a, []string{session}
	switch {
	case len(a) == 0:
		want, only = b, []string{csrf}
	case fmt.Sprint(a) == fmt.Sprint(b):
		only = []string{session, csrf}
	case len(b) > 0:
		x.note("%s has other attributes than %s. Django itself sends them; one site has one rule.", show(csrf), show(session))
	}
	x.note("What Set-Cookie lines get that have it not. Django sends these attributes itself.")
	for _, key := range []string{"secure", "http-only", "same-site"} {
		if v, ok := want[key]; ok {
			x.child(key).fromSource().value = v
		}
	}
	x.child("only").value = only
}
