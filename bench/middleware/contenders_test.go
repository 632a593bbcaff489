// Package middleware_test compares what a middleware adds to a response: merlon, what people write by hand, and
// github.com/unrolled/secure. All send the same nine headers, which are those that merlon was seen to send.
package middleware_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/unrolled/secure"

	"github.com/merlon-sec/merlon"
)

// A contender wraps the page, and tells the page its nonce.
type contender struct {
	name  string
	wrap  func(http.Handler) http.Handler
	nonce func(context.Context) string
}

func noNonce(context.Context) string { return "" }

// bare is what all of them are compared with: the page, and the benchmark's own work.
func bare() contender {
	return contender{"bare", func(next http.Handler) http.Handler { return next }, noNonce}
}

func guarded(tb testing.TB, config merlon.Config) contender {
	guard, err := merlon.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	return contender{"merlon", guard.Handler, merlon.Nonce}
}

// loop assigns the headers from two slices. As in merlon, no response shares memory with the next.
func loop(headers []header) contender {
	return contender{"loop", func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			values := make([]string, len(headers))
			for i := range headers {
				values[i] = headers[i].value
				h[headers[i].name] = values[i : i+1 : i+1]
			}
			next.ServeHTTP(w, r)
		})
	}, noNonce}
}

// calls is what most programs have: a line with Header().Set for each header.
func calls(headers []header) contender {
	return contender{"Header().Set", func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i := range headers {
				w.Header().Set(headers[i].name, headers[i].value)
			}
			next.ServeHTTP(w, r)
		})
	}, noNonce}
}

type nonceKey struct{}

// nonceLoop is loop with a fresh nonce in the policy, in the request's context for the page.
func nonceLoop(headers []header) contender {
	return contender{"loop", func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var random [16]byte
			rand.Read(random[:])
			nonce := base64.RawURLEncoding.EncodeToString(random[:])
			h := w.Header()
			values := make([]string, len(headers))
			for i := range headers {
				values[i] = strings.ReplaceAll(headers[i].value, noncePlace, "'nonce-"+nonce+"'")
				h[headers[i].name] = values[i : i+1 : i+1]
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), nonceKey{}, nonce)))
		})
	}, func(ctx context.Context) string { nonce, _ := ctx.Value(nonceKey{}).(string); return nonce }}
}

func unrolled(headers []header) contender {
	value := map[string]string{}
	for _, h := range headers {
		value[h.name] = h.value
	}
	s := secure.New(secure.Options{
		STSSeconds:                      31536000,
		ContentTypeNosniff:              true,
		CustomFrameOptionsValue:         value["X-Frame-Options"],
		ContentSecurityPolicy:           value["Content-Security-Policy"],
		ContentSecurityPolicyReportOnly: value["Content-Security-Policy-Report-Only"],
		ReferrerPolicy:                  value["Referrer-Policy"],
		PermissionsPolicy:               value["Permissions-Policy"],
		CrossOriginOpenerPolicy:         value["Cross-Origin-Opener-Policy"],
		CrossOriginResourcePolicy:       value["Cross-Origin-Resource-Policy"],
	})
	return contender{"unrolled", s.Handler, secure.CSPNonce}
}

type header struct{ name, value string }

// noncePlace stands for the nonce in a header's value; it is the word that unrolled/secure replaces.
const noncePlace = "$NONCE"

var nonceSource = regexp.MustCompile(`'nonce-[^']+'`)

// record returns the headers that a contender puts on the page.
func record(c contender) []header {
	w := &response{header: http.Header{}}
	c.wrap(page(c.nonce)).ServeHTTP(w, request())
	var headers []header
	for name, values := range w.header {
		// The page sets its type itself. Only merlon forbids caches to keep a nonce, which is part of what it costs.
		if name == "Content-Type" || name == "Cache-Control" {
			continue
		}
		headers = append(headers, header{name, nonceSource.ReplaceAllString(strings.Join(values, " AND "), noncePlace)})
	}
	return headers
}
