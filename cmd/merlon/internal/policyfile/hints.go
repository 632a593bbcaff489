package policyfile

import (
	"cmp"
	"errors"
	"fmt"
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
			keys = slices.Concat(keys, []string{"hosts"}, appKeys.names(), siteKeys.names(), fileKeys.names())
		case strings.HasPrefix(m.Field, "routes["):
			keys = append(keys, routeKeys.names()...)
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

const (
	maxNear = 3    // keys that a hint names as meant
	near    = 0.45 // how alike two keys are that may be confused, from 0 to 1
	slack   = 0.1  // how much less than the nearest one another may be
)

// maxKeysHint bounds a list of keys in a hint: a screen of them teaches nothing.
const maxKeysHint = 120

// first are the keys that a site most likely wants, at the top of a list that is cut.
var first = []string{"upstream", "hosts", "preset", "frame", "csp", "trial", "nonce", "https", "routes", "headers"}

// keysHint names the keys that word may stand for, or else the ones to know.
func keysHint(word string, keys []string) string {
	alike := func(key string) float64 { return likeness(strings.ReplaceAll(strings.ToLower(word), "_", "-"), key) }
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	meant := slices.SortedStableFunc(slices.Values(keys), func(a, b string) int { return cmp.Compare(alike(b), alike(a)) })
	least := max(near, alike(meant[0])-slack)
	if i := slices.IndexFunc(meant, func(key string) bool { return alike(key) < least }); i >= 0 {
		meant = meant[:i]
	}
	if meant = meant[:min(maxNear, len(meant))]; len(meant) > 0 {
		return "did you mean " + strings.Join(meant, " or ") + "?"
	}
	rank := func(key string) int { return (slices.Index(first, key) + len(first) + 1) % (len(first) + 1) }
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	list := strings.Join(keys, ", ")
	if len(list) > maxKeysHint {
		list = list[:strings.LastIndex(list[:maxKeysHint], ",")] + " and others, which docs/configuration.md has"
	}
	return "keys here: " + list
}

// likeness is the share of pairs of neighbouring letters that a and b have in common: 1 for the same text, 0 for nothing.
// A word that is part of b is nearly b.
func likeness(a, b string) float64 {
	if len(a) > 3 && strings.Contains(b, a) {
		return 0.9
	}
	pairs := map[string]int{}
	for i := range len(a) - 1 {
		pairs[a[i:i+2]]++
	}
	common := 0
	for i := range len(b) - 1 {
		if pairs[b[i:i+2]] > 0 {
			pairs[b[i:i+2]]--
			common++
		}
	}
	return 2 * float64(common) / float64(max(len(a)+len(b)-2, 1))
}

// yamlHint is the way out of a mistake that YAML's reading has led to, or "".
func yamlHint(m *cfgerrors.Error) string {
	glued := gluedColon.FindStringSubmatch(m.Value)
	switch word := strings.ToLower(m.Value); {
	case m.Code == cfgerrors.WrongType && m.Text == "this key takes a text" && strings.ContainsAny(word[:min(1, len(word))], "[{"):
		return "YAML reads brackets and - as lists, and a colon as the end of a key: write one text, in double quotes"
	case m.Code == cfgerrors.WrongType && m.Text == "this key takes a map of keys" && glued != nil:
		return "a colon ends a key only with a space behind it: write " + glued[1] + ": " + clip(glued[2])
	case m.Code == cfgerrors.WrongType && m.Text == "this key takes true or false" && (word == "on" || word == "yes"):
		return "write true"
	case m.Code == cfgerrors.WrongType && m.Text == "this key takes true or false" && (word == "off" || word == "no"):
		return "write false"
	case m.Code == cfgerrors.WrongType && m.Text == "this key takes a text" && word == "false",
		m.Code == cfgerrors.UnknownDirective && slices.Contains([]string{"no", "none", "false", "disabled"}, word):
		return "to send nothing write off"
	case m.Code == cfgerrors.WrongType && m.Text == "this key takes a text" && word == "true",
		m.Code == cfgerrors.UnknownDirective && slices.Contains([]string{"on", "yes", "true", "enabled"}, word):
		return "write the value that the header is to have; to have the preset's leave the key out"
	}
	return ""
}

// numberHint is the way out where v stands under a key that takes a time, or "".
func numberHint(key string, v any) string {
	number := fmt.Sprint(v)
	if strings.Trim(number, "0123456789") != "" {
		return ""
	}
	if key == "delay" || key == "drain" {
		return "write " + number + "s"
	}
	return ""
}
