package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

const (
	plainPolicy = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'"
	noncePolicy = "default-src 'self'; script-src 'nonce-" + mask + "' 'strict-dynamic'; style-src 'self' 'nonce-" + mask + "'; " +
		"img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'"
)

// mask stands for the nonce where two answers are compared.
const mask = "NONCE"

// headers are the nine that every contender sends: what merlon's strict preset sends over plain HTTP, with this policy.
// The proxies get them as text, so that a header which merlon no longer sends in these letters stops the benchmark.
func headers(policy string) map[string]string {
	return map[string]string{
		"Content-Security-Policy":             policy + "; frame-ancestors 'none'",
		"Content-Security-Policy-Report-Only": "require-trusted-types-for 'script'",
		"Cross-Origin-Opener-Policy":          "same-origin",
		"Cross-Origin-Resource-Policy":        "same-origin",
		"Origin-Agent-Cluster":                "?1",
		"Permissions-Policy":                  "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		"Referrer-Policy":                     "same-origin",
		"X-Content-Type-Options":              "nosniff",
		"X-Frame-Options":                     "DENY",
	}
}

// nonceHeaders are those of a page with a nonce, which caches must not keep.
func nonceHeaders() map[string]string {
	h := headers(noncePolicy)
	h["Cache-Control"] = "no-store"
	return h
}

// overhead are the headers in which the contenders may differ: they are about the message and the server.
var overhead = []string{"Connection", "Content-Length", "Content-Type", "Date", "Server", "Transfer-Encoding", "Via"}

// compare says how an answer's headers differ from what every contender has to send, byte for byte.
func compare(got http.Header, want map[string]string) error {
	for name, value := range want {
		if lines := got[name]; len(lines) != 1 || lines[0] != value {
			return fmt.Errorf("%s: %q, want once %q", name, lines, value)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok && !slices.Contains(overhead, name) {
			return fmt.Errorf("%s: %q, which the others do not send", name, got[name])
		}
	}
	return nil
}

// lines writes one line of a configuration for each header.
func lines(format string, headers map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		fmt.Fprintf(&b, format, name, headers[name])
	}
	return b.String()
}
