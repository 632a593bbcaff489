package policyfile

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// wayOut has keys that people try, with what they mean here.
var wayOut = map[string]string{
	"x-frame-options": "write frame: deny", "frame-ancestors": "write frame: deny", "content-security-policy": "write csp: ...", "policy": "write csp: ...",
	"content-security-policy-report-only": "write trial: ...", "report-only": "write trial: ...", "hsts": "write https: {hsts: 365d}",
	"strict-transport-security": "write https: {hsts: 365d}", "report-uri": "write reports: ...", "report-to": "write reports: ...",
	"nonces": "did you mean nonce?", "host": "did you mean hosts?", "server_name": "write hosts: [shop.example]",
	"backend": "write upstream: ...", "proxy_pass": "write upstream: ...", "proxy": "write upstream: ...", "upstreams": "did you mean upstream?",
	"port": "write listen: 127.0.0.1:8080", "cert": "write tls: {cert: cert.pem, key: key.pem}", "acme": "write tls: {acme: {email: ops@shop.example, accept_tos: true}}", "route": "did you mean routes?",
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
		r.wrong(under(path, key), cfgerrors.WrongType, fmt.Sprint(v), "this key takes a text", "")
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

// validHost reports whether s can be the value of a Host header.
func validHost(s string) bool {
	host := s
	if h, port, err := net.SplitHostPort(s); err == nil {
		if _, err := netip.ParseAddrPort("0.0.0.0:" + port); err != nil {
			return false
		}
		host = h
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// maxPlaceholderBytes bounds the file of a placeholder.
const maxPlaceholderBytes = 4 << 10

// nonce reads a site's or a route's key nonce; preset is the one in force there.
func (r *reader) nonce(v any, at string, preset any) Nonce {
	form, isMap := v.(map[string]any)
	name, isText := form["placeholder_file"].(string)
	switch {
	case v == "forward":
		return Nonce{Forward: true}
	case v == "dangerously-inject" && preset == "strict":
		r.wrong(at, cfgerrors.Conflict, fmt.Sprint(v), "every script element gets a nonce, an injected one too, and strict promises that those do not run",
			"print nonces with forward or {placeholder_file: F}, or use another preset")
	case v == "dangerously-inject":
		return Nonce{Inject: true}
	case isMap && len(form) == 1 && isText:
		return Nonce{Placeholder: r.placeholder(under(at, "placeholder_file"), name)}
	default:
		r.wrong(at, cfgerrors.InvalidValue, fmt.Sprint(v), "no way to hand out nonces",
			"write forward, and print the request header Merlon-Nonce into the page's script and style elements; or {placeholder_file: F}")
	}
	return Nonce{}
}

// placeholder reads the secret from its file, which is not the policy file: that one gets shown around.
func (r *reader) placeholder(at, name string) string {
	r.files = append(r.files, name)
	data, err := os.ReadFile(name)
	switch {
	case err != nil:
		r.wrong(at, cfgerrors.InvalidValue, name, reason(err).Error(), "make it with: (printf n; openssl rand -hex 16) > "+name)
	case len(data) > maxPlaceholderBytes:
		r.wrong(at, cfgerrors.InvalidValue, name, "too long for a placeholder", "make it with: (printf n; openssl rand -hex 16) > "+name)
	}
	return strings.TrimSpace(string(data))
}
