package starter

import (
	"fmt"
	"strconv"
	"strings"
)

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
