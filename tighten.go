package merlon

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon/internal/field"
)

// What becomes of a header that another server has set, where [Guard.Proxy] passes its responses on: the stricter of its value and
// ours goes out. Headers without a rule here are kept as they came.

// stricter returns the value to send, given theirs and ours.
type stricter func(theirs, ours string) string

var rules = map[string]stricter{
	"X-Content-Type-Options":            always,
	"X-Xss-Protection":                  always,
	"Origin-Agent-Cluster":              always, // the same on all pages, or browsers ignore it
	"Referrer-Policy":                   strictestReferrer,
	"Permissions-Policy":                fewestPermissions,
	"Cross-Origin-Opener-Policy":        ranked("same-origin", "noopener-allow-popups", "same-origin-allow-popups", "unsafe-none"),
	"Cross-Origin-Embedder-Policy":      ranked("require-corp", "credentialless", "unsafe-none"),
	"Cross-Origin-Resource-Policy":      ranked("same-origin", "same-site", "cross-origin"),
	"X-Permitted-Cross-Domain-Policies": ranked("none", "none-this-response", "master-only", "by-content-type", "by-ftp-filename", "all"),
	headerHSTS:                          longestHSTS,
}

func always(_, ours string) string { return ours }

// ranked takes values with the strictest first. What no browser knows counts as the loosest.
func ranked(values ...string) stricter {
	rank := func(v string) int {
		word, _, _ := strings.Cut(v, ";")
		if i := slices.Index(values, strings.TrimSpace(word)); i >= 0 {
			return i
		}
		return len(values)
	}
	return func(theirs, ours string) string {
		if rank(theirs) < rank(ours) {
			return theirs
		}
		return ours
	}
}

var referrers = ranked("no-referrer", "same-origin", "strict-origin", "origin", "strict-origin-when-cross-origin", "origin-when-cross-origin",
	"no-referrer-when-downgrade", "unsafe-url")

// strictestReferrer compares the last tokens that browsers know: that is the one in force.
func strictestReferrer(theirs, ours string) string {
	if inForce := lastReferrer(theirs); inForce != "" && referrers(inForce, lastReferrer(ours)) == inForce {
		return theirs
	}
	return ours
}

func lastReferrer(value string) string {
	last := ""
	for token := range strings.SplitSeq(value, ",") {
		if token = strings.TrimSpace(token); checkReferrer(nil, token) == nil {
			last = token
		}
	}
	return last
}

// fewestPermissions adds what theirs leaves open, and takes away what ours gives to nobody.
func fewestPermissions(theirs, ours string) string {
	a, errA := field.ParseDictionary(theirs)
	b, errB := field.ParseDictionary(ours)
	if errA != nil || errB != nil {
		return ours
	}
	for _, m := range b {
		i := slices.IndexFunc(a, func(t field.Member) bool { return t.Key == m.Key })
		list, inner := m.Value.(field.Inner)
		switch {
		case i < 0:
			a = append(a, m)
		case inner && len(list) == 0:
			a[i] = m
		}
	}
	out, err := a.Print()
	if err != nil {
		return ours
	}
	return out
}

// longestHSTS keeps the greater age, and what either says about hosts below.
func longestHSTS(theirs, ours string) string {
	age, below, preload, ok := parseHSTS(theirs)
	ourAge, ourBelow, ourPreload, _ := parseHSTS(ours)
	if !ok {
		return ours
	}
	out := fmt.Sprintf("max-age=%d", max(age, ourAge))
	if below || ourBelow {
		out += "; includeSubDomains"
	}
	if preload || ourPreload {
		out += "; preload"
	}
	return out
}

// parseHSTS reads Strict-Transport-Security as RFC 6797 §6.1 has it; only the first line counts.
func parseHSTS(value string) (age int64, below, preload, ok bool) {
	for directive := range strings.SplitSeq(value, ";") {
		name, v, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "max-age":
			n, err := strconv.ParseInt(strings.Trim(strings.TrimSpace(v), `"`), 10, 64)
			if err != nil || n < 0 || ok {
				return 0, false, false, false
			}
			age, ok = n, true
		case "includesubdomains":
			below = true
		case "preload":
			preload = true
		}
	}
	return age, below, preload, ok
}
