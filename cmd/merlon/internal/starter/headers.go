package starter

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// field is a header that a source sends.
type field struct {
	name, value string
	at          string // where that is written, "" for a response
}

func named(fields []field, name string) []field {
	var out []field
	for _, f := range fields {
		if strings.EqualFold(f.name, name) {
			out = append(out, f)
		}
	}
	return out
}

func values(fields []field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.value)
	}
	return out
}

// where names the places of fields, in front of a comment about them.
func where(fields []field) string {
	var places []string
	for _, f := range fields {
		if f.at != "" && !slices.Contains(places, f.at) {
			places = append(places, f.at)
		}
	}
	if len(places) == 0 {
		return ""
	}
	return "From " + strings.Join(places, ", ") + "."
}

// single are headers of one value, by their name. The key is the name in small letters.
var single = []string{"X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Opener-Policy-Report-Only",
	"Cross-Origin-Embedder-Policy", "Cross-Origin-Embedder-Policy-Report-Only", "Cross-Origin-Resource-Policy", "Origin-Agent-Cluster", "Integrity-Policy",
	"Integrity-Policy-Report-Only", "Document-Policy", "X-XSS-Protection", "X-DNS-Prefetch-Control", "X-Permitted-Cross-Domain-Policies"}

// take says in keys of the file what the fields say. Secure is whether they came over HTTPS. It returns the keys about which
// they say something.
func (s *site) take(fields []field, secure bool) map[string]bool {
	seen := map[string]bool{}
	enforced := readPolicies(values(named(fields, "Content-Security-Policy")))
	s.takePolicy("csp", enforced, named(fields, "Content-Security-Policy"), seen)
	trial := readPolicies(values(named(fields, "Content-Security-Policy-Report-Only")))
	s.takePolicy("trial", trial, named(fields, "Content-Security-Policy-Report-Only"), seen)
	if trial.frames {
		s.at("trial").note("frame-ancestors %s on trial is left out: framing is enforced, by frame.", show(strings.Join(trial.ancestors, " ")))
	}
	s.takeFraming(fields, enforced, seen)
	for _, name := range single {
		s.takeSingle(name, named(fields, name), seen)
	}
	s.takeHSTS(named(fields, "Strict-Transport-Security"), secure, seen)
	s.takeEndpoints(named(fields, "Reporting-Endpoints"))
	for _, name := range []string{"Feature-Policy", "Expect-CT", "Public-Key-Pins", "P3P"} {
		if found := named(fields, name); len(found) > 0 {
			s.at("headers").note("%s %s is left out: browsers read it no more. %s", name, show(found[0].value), where(found))
		}
	}
	return seen
}

func (s *site) takePolicy(key string, p policy, from []field, seen map[string]bool) {
	if len(from) == 0 {
		return
	}
	x := s.at(key)
	if place := where(from); place != "" {
		x.note("%s", place)
	}
	x.notes = append(x.notes, p.notes...)
	if p.text == "" {
		return
	}
	seen[key] = true
	x.value = p.text
	x.fromSource()
	s.nonced = s.nonced || p.nonce && key == "csp"
}

func (s *site) takeFraming(fields []field, enforced policy, seen map[string]bool) {
	options := named(fields, "X-Frame-Options")
	value, notes := framing(values(options), enforced)
	x := s.at("frame")
	if place := where(options); place != "" {
		x.note("%s", place)
	}
	x.notes = append(x.notes, notes...)
	if value == nil {
		return
	}
	seen["frame"] = true
	x.value = value
	x.fromSource()
}

// insensitive are headers whose value is one word in any case.
var insensitive = []string{"X-Content-Type-Options", "Cross-Origin-Resource-Policy", "X-Permitted-Cross-Domain-Policies"}

func (s *site) takeSingle(name string, from []field, seen map[string]bool) {
	if len(from) == 0 {
		return
	}
	key := strings.ToLower(name)
	v := strings.TrimSpace(strings.Join(values(from), ", "))
	switch {
	case name == "Referrer-Policy":
		v = knownReferrers(v)
	case name == "X-XSS-Protection" && strings.HasPrefix(v, "1"):
		s.at(key).note("%s is left out: old browsers' filters could be turned against a page, and no new one has any. %s", show(v), where(from))
		return
	case name == "X-DNS-Prefetch-Control" && strings.EqualFold(v, "off"):
		v = "deny"
	case slices.Contains(insensitive, name):
		v = strings.ToLower(v)
	}
	seen[key] = true
	if presetValues()[key] == v {
		return
	}
	x := s.set(key, v).fromSource()
	if place := where(from); place != "" {
		x.note("%s", place)
	}
}

var referrers = []string{"no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin", "strict-origin", "strict-origin-when-cross-origin", "unsafe-url"}

// knownReferrers keeps the tokens that browsers know; they pass over the others. A value without any is kept as it is, to be refused.
func knownReferrers(v string) string {
	var kept []string
	for token := range strings.SplitSeq(v, ",") {
		if token = strings.ToLower(strings.TrimSpace(token)); slices.Contains(referrers, token) {
			kept = append(kept, token)
		}
	}
	if kept == nil {
		return v
	}
	return strings.Join(kept, ", ")
}

const secondsOfDay = 24 * 60 * 60

// takeHSTS reads Strict-Transport-Security as RFC 6797 §6.1 has it.
func (s *site) takeHSTS(from []field, secure bool, seen map[string]bool) {
	if len(from) == 0 {
		return
	}
	x := s.https("hsts")
	if place := where(from); place != "" {
		x.note("%s", place)
	}
	v := from[0].value // browsers read the first
	if !secure {
		x.note("Strict-Transport-Security %s came over plain HTTP, where browsers ignore it.", show(v))
		return
	}
	age, subdomains, preload := -1, false, false
	for part := range strings.SplitSeq(v, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "max-age":
			if n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31); err == nil {
				age = int(n)
			}
		case "includesubdomains":
			subdomains = true
		case "preload":
			preload = true
		}
	}
	if age < 0 {
		x.check("Strict-Transport-Security %s has no max-age that browsers read.", show(v))
		return
	}
	seen["https.hsts"] = true
	x.fromSource()
	x.value = hstsAge(age)
	if subdomains && age > 0 {
		s.https("include-subdomains").fromSource().value = true
	}
	if preload {
		s.https("preload").fromSource().value = true
	}
}

// hstsAge writes seconds as https.hsts reads them.
func hstsAge(seconds int) string {
	switch {
	case seconds == 0:
		return "withdraw"
	case seconds%secondsOfDay == 0 && seconds/secondsOfDay <= 0xffff:
		return strconv.Itoa(seconds/secondsOfDay) + "d"
	}
	return strconv.Itoa(seconds) + "s"
}

var endpoint = regexp.MustCompile(`([a-z*][a-z0-9_.*-]*)="([^"\\]*)"`)

// takeEndpoints reads Reporting-Endpoints: names with URLs in quotes.
func (s *site) takeEndpoints(from []field) {
	for _, f := range from {
		for _, m := range endpoint.FindAllStringSubmatch(f.value, maxNotes) {
			x := s.at("reporting-endpoints").child(m[1])
			x.value = m[2]
			x.fromSource()
		}
	}
}
