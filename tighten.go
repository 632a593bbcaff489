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
	"Integrity-Policy":                  bothIntegrity,
	"Document-Policy":                   fewestFeatures,
	"Cross-Origin-Opener-Policy":        ranked("same-origin", "noopener-allow-popups", "same-origin-allow-popups", "unsafe-none"),
	"Cross-Origin-Embedder-Policy":      ranked("require-corp", "credentialless", "unsafe-none"),
	"Cross-Origin-Resource-Policy":      exactly("same-origin", "same-site", "cross-origin"),
	"X-Permitted-Cross-Domain-Policies": exactly("none", "none-this-response", "master-only", "by-content-type", "by-ftp-filename", "all"),
	headerHSTS:                          longestHSTS,
}

func always(_, ours string) string { return ours }

// ranked takes values with the strictest first, and gives one of them back, never the other server's text: what no browser reads
// counts as the loosest.
func ranked(values ...string) stricter {
	return func(theirs, ours string) string {
		if i := slices.Index(values, policyWord(theirs)); i >= 0 && (i < slices.Index(values, policyWord(ours)) || !slices.Contains(values, policyWord(ours))) {
			return values[i]
		}
		return ours
	}
}

// policyWord is the token of a header that browsers read as an item, "" for one that they cannot read.
func policyWord(value string) string {
	item, err := field.ParseItem(strings.Trim(value, " \t"))
	if err != nil {
		return ""
	}
	word, _ := item.Value.(field.Token)
	return string(word)
}

// exactly takes values of headers that browsers compare whole.
func exactly(values ...string) stricter {
	return func(theirs, ours string) string {
		if i := slices.Index(values, strings.Trim(theirs, " \t")); i >= 0 && i < slices.Index(values, ours) {
			return values[i]
		}
		return ours
	}
}

var referrers = exactly("no-referrer", "same-origin", "strict-origin", "origin", "strict-origin-when-cross-origin", "origin-when-cross-origin",
	"no-referrer-when-downgrade", "unsafe-url")

// strictestReferrer compares the last tokens that browsers know, which are those in force.
func strictestReferrer(theirs, ours string) string {
	if inForce := lastReferrer(theirs); inForce != "" && referrers(inForce, lastReferrer(ours)) == inForce {
		return inForce
	}
	return ours
}

// lastReferrer reads tokens as browsers do, in any case.
func lastReferrer(value string) string {
	last := ""
	for token := range strings.SplitSeq(value, ",") {
		if token = strings.ToLower(strings.Trim(token, " \t")); checkReferrer(nil, token) == nil {
			last = token
		}
	}
	return last
}

// looserHeader returns a header that protects less in after than in before, or "".
func looserHeader(before, after Config) string {
	for i := range headers {
		h := &headers[i]
		b, a := comparable(h.name, h.sent(&before)), comparable(h.name, h.sent(&after))
		rule := rules[h.name]
		switch {
		case b == "" || a == b || h.name == headerCache || h.field == "x-dns-prefetch-control":
		case a == "", rule != nil && rule(a, b) != a:
			return h.name
		}
	}
	return ""
}

// comparable is the part of a header's value that its rule gives back.
func comparable(name, value string) string {
	switch name {
	case "Referrer-Policy":
		return lastReferrer(value)
	case "Permissions-Policy", "Integrity-Policy", "Document-Policy":
		d, _ := field.ParseDictionary(value)
		printed, _ := d.Print()
		return printed
	case "Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy":
		return policyWord(value)
	}
	return value
}

// fewestPermissions adds what theirs leaves open, and takes away what ours gives to nobody.
func fewestPermissions(theirs, ours string) string {
	a, errA := field.ParseDictionary(theirs)
	b, errB := field.ParseDictionary(ours)
	if errA != nil || errB != nil {
		return ours
	}
	for _, key := range a.Duplicates() { // browsers use the last
		last, _ := a.Get(key)
		a = append(slices.DeleteFunc(a, func(m field.Member) bool { return m.Key == key }), field.Member{Key: key, Item: last})
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

// bothIntegrity blocks what either blocks without integrity metadata.
func bothIntegrity(theirs, ours string) string {
	return merge(theirs, ours, func(t, o field.Member) field.Member {
		lists, ok := o.Value.(field.Inner)
		more, inner := t.Value.(field.Inner)
		if !ok || !inner {
			return o
		}
		for _, item := range more {
			if !slices.ContainsFunc(lists, func(i field.Item) bool { return i.Value == item.Value }) {
				lists = append(slices.Clip(lists), item)
			}
		}
		o.Value = lists
		return o
	})
}

// fewestFeatures turns off what either turns off, and takes our values otherwise.
func fewestFeatures(theirs, ours string) string {
	return merge(theirs, ours, func(t, o field.Member) field.Member {
		if t.Value == false {
			return t
		}
		return o
	})
}

// merge joins two dictionaries: ours, with those members of theirs that ours lacks, and both settles what either has.
func merge(theirs, ours string, both func(t, o field.Member) field.Member) string {
	a, errA := field.ParseDictionary(theirs)
	b, errB := field.ParseDictionary(ours)
	if errA != nil || errB != nil {
		return ours
	}
	for _, key := range keysOf(a) {
		item, _ := a.Get(key) // browsers use the last of several
		t := field.Member{Key: key, Item: item}
		if i := slices.IndexFunc(b, func(o field.Member) bool { return o.Key == key }); i >= 0 {
			b[i] = both(t, b[i])
		} else {
			b = append(b, t)
		}
	}
	out, err := b.Print()
	if err != nil {
		return ours
	}
	return out
}

// keysOf returns each key once, in the order of their first members.
func keysOf(d field.Dictionary) []string {
	var out []string
	for _, m := range d {
		if !slices.Contains(out, m.Key) {
			out = append(out, m.Key)
		}
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
