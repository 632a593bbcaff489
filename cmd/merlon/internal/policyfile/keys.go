package policyfile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/hostport"
)

// wayOut has keys that people try, with what they mean here.
var wayOut = map[string]string{
	"x-frame-options": "write frame: deny", "frame-ancestors": "write frame: deny", "content-security-policy": "write csp: ...", "policy": "write csp: ...",
	"content-security-policy-report-only": "write trial: ...", "report-only": "write trial: ...", "hsts": "write https: {hsts: 365d}",
	"strict-transport-security": "write https: {hsts: 365d}", "report-uri": "write reports: ...", "report-to": "write reports: ...",
	"nonces": "did you mean nonce?", "host": "did you mean hosts?", "server_name": "write hosts: [shop.example]",
	"backend": "write upstream: ...", "proxy_pass": "write upstream: ...", "proxy": "write upstream: ...", "upstreams": "did you mean upstream?",
	"port": "write listen: 127.0.0.1:8080", "cert": "write tls: {cert: cert.pem, key: key.pem}", "acme": "write tls: {acme: {email: ops@shop.example, accept_tos: true}}", "route": "did you mean routes?",
	"access_log": "write log: {access: on}", "access-log": "write log: {access: on}", "logging": "write log: {access: on}", "drain": "write shutdown: {drain: 30s}",
}

// teach completes the library's word: it knows neither the tool's keys, nor what people try, nor YAML.
func teach(err error) error {
	var out []error
	for m := range cfgerrors.All(err) {
		key := m.Field[strings.LastIndexByte(m.Field, '.')+1:]
		list, listed := strings.CutPrefix(m.Hint, "keys here: ")
		keys := strings.Split(list, ", ")
		switch {
		case !strings.Contains(m.Field, "."):
			keys = slices.Concat(keys, []string{"hosts"}, appKeys, fileKeys)
		case strings.HasPrefix(m.Field, "routes["):
			keys = append(keys, routeKeys...)
		}
		switch hint := wayOut[strings.ToLower(key)]; {
		case m.Code != cfgerrors.UnknownKey:
			m.Hint = cmp.Or(yamlHint(m), m.Hint)
		case hint != "":
			m.Hint = hint
		case listed:
			m.Hint = keysHint(key, keys)
		}
		out = append(out, m)
	}
	return errors.Join(out...)
}

func under(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

// text returns the text under a key, or "" when it is absent.
func (r *reader) text(keys map[string]any, path, key string) string {
	v, ok := keys[key]
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok || s == "" {
		r.wrong(under(path, key), cfgerrors.WrongType, fmt.Sprint(v), "this key takes a text", numberHint(key, v))
	}
	return s
}

func (r *reader) hosts(keys map[string]any, path string) []string {
	v, ok := keys["hosts"]
	if !ok {
		return nil
	}
	at := under(path, "hosts")
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		r.wrong(at, cfgerrors.WrongType, fmt.Sprint(v), "hosts is a list", "write hosts: [shop.example], or leave it out for every host")
		return nil
	}
	var out []string
	for i, item := range list {
		host, ok := item.(string)
		if !ok || !validHost(strings.TrimPrefix(host, "*.")) {
			r.wrong(fmt.Sprintf("%s[%d]", at, i), cfgerrors.InvalidValue, fmt.Sprint(item), "no host as browsers send it",
				"write shop.example, shop.example:8443 or *.shop.example, without a scheme")
			continue
		}
		out = append(out, strings.ToLower(host))
	}
	return out
}

// validHost reports whether s can be the value of a Host header. With a final dot a host is another one, which next to nobody asks for.
func validHost(s string) bool {
	name, _, ok := hostport.Split(s)
	return ok && !strings.HasSuffix(name, ".")
}
