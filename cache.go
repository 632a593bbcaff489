package merlon

import (
	"maps"
	"net/http"
	"strings"
)

// protectCache keeps a document with a nonce out of caches that serve it again: a nonce is good for one response.
// Enforced, it follows Config.NonceCache; on trial alone it is enough that nobody shares it.
func (s *response) protectCache(h http.Header) {
	value, stored := s.unsharedControl(h)
	if enforced := len(s.plan.policies[s.secure].enforced.base.parts) > 1; enforced && stored && s.plan.config.NonceCache == "no-store" {
		value = "no-store"
	}
	s.setCacheControl(h, value)
}

// unsharedControl returns the Cache-Control that keeps the response out of shared caches. no-store of the handler, or of the
// Config for all, stays as it is: nothing is stricter.
func (s *response) unsharedControl(h http.Header) (value string, stored bool) {
	before := s.cacheControl(h)
	if after, stored := private(before); stored {
		return after, true
	}
	return before, false
}

// cacheControl returns what the response would say without nonces and samples: the handler's word, or the Config's.
func (s *response) cacheControl(h http.Header) string {
	if len(h[headerCache]) == 0 || s.plan.config.isMandatory(headerCache) {
		return policyText(s.plan.config.CacheControl)
	}
	return strings.Join(h[headerCache], ", ")
}

// setCacheControl settles what caches may do: nothing that only shared ones read stays.
func (s *response) setCacheControl(h http.Header, value string) {
	if s.there&bitShared != 0 {
		maps.DeleteFunc(h, func(name string, _ []string) bool { return s.plan.bits[name]&bitShared != 0 || isCacheControlOf(name) })
	}
	s.set(h, headerCache, value)
	s.unshared = true
}

// overCacheControl are the names that nginx, Akamai and Fastly use, in canonical form.
var overCacheControl = []string{"Expires", "Surrogate-Control", "Edge-Control", "X-Accel-Expires"}

// isCacheControlOf reports whether the header is Cache-Control for one kind of caches, such as CDN-Cache-Control. RFC 9213
func isCacheControlOf(name string) bool {
	const suffix = "-Cache-Control"
	return len(name) > len(suffix) && strings.EqualFold(name[len(name)-len(suffix):], suffix)
}

// private returns a Cache-Control value that shared caches respect, with the rest of what the handler chose, and whether
// any cache may store the response. RFC 9111 §5.2.2: must-understand lets caches pass over no-store, so it goes.
func private(value string) (out string, stored bool) {
	if value == "" {
		return "private", true
	}
	parts, closed := splitUnquoted(value)
	if !closed {
		return "private, no-store", true
	}
	kept, stored := []string{"private"}, true
	for _, d := range parts {
		name, _, _ := strings.Cut(strings.ToLower(d), "=")
		switch strings.TrimSpace(name) {
		case "", "public", "private", "s-maxage":
		case "must-understand":
			return "private, no-store", true
		case "no-store":
			stored = false
			kept = append(kept, d)
		default:
			kept = append(kept, d)
		}
	}
	return strings.Join(kept, ", "), stored
}

// splitUnquoted splits at commas outside quoted strings. closed is false for a string without an end, which caches read in
// different ways.
func splitUnquoted(value string) (parts []string, closed bool) {
	quoted, begin := false, 0
	for i := 0; i < len(value); i++ {
		switch {
		case value[i] == '\\' && quoted:
			i++
		case value[i] == '"':
			quoted = !quoted
		case value[i] == ',' && !quoted:
			parts = append(parts, strings.TrimSpace(value[begin:i]))
			begin = i + 1
		}
	}
	return append(parts, strings.TrimSpace(value[begin:])), !quoted
}
