package demo

import (
	"net"
	"net/http"
	"strings"
)

// loopbackOnly answers 403 unless the Host is a loopback name. A page of the
// web that points its own DNS name at 127.0.0.1 (DNS rebinding) becomes
// same-origin with these handlers, but its requests still carry its name.
func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopbackName(r.Host) {
			http.Error(w, "The demo answers on 127.0.0.1, localhost and [::1] only.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopbackName(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		// SplitHostPort takes the brackets off: put them back, so that a Host
		// without a port is compared by the same rule.
		host = h
		if strings.Contains(h, ":") {
			host = "[" + h + "]"
		}
	}
	switch strings.ToLower(host) {
	case "127.0.0.1", "localhost", "[::1]":
		return true
	}
	return false
}

// causedByOtherSite reports whether the browser says that a page of another
// site caused this request. 127.0.0.1 and localhost are two sites; two ports of
// 127.0.0.1 are one. Browsers send the header to loopback addresses over plain
// HTTP too, because they count those as trustworthy.
// See https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header.
func causedByOtherSite(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Site") == "cross-site"
}
