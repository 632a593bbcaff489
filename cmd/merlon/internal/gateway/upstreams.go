package gateway

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"
)

// What is kept open to an application between requests.
const (
	maxIdle     = 256
	idleTimeout = 90 * time.Second
)

// upstreams are the connections to the applications: one pool for each way of reaching them.
type upstreams struct {
	timeouts Timeouts
	plain    *http.Transport            // http and https
	h2c      *http.Transport            // HTTP/2 without TLS
	sockets  map[string]*http.Transport // by path
}

func newUpstreams(t Timeouts) *upstreams {
	u := &upstreams{timeouts: t, sockets: map[string]*http.Transport{}}
	u.plain, u.h2c = u.newTransport(), u.newTransport()
	u.h2c.Protocols = new(http.Protocols)
	u.h2c.Protocols.SetUnencryptedHTTP2(true)
	return u
}

func (u *upstreams) newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 nil, // the environment's proxy must not see traffic that is local by intent
		DialContext:           (&net.Dialer{Timeout: u.timeouts.Connect, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   u.timeouts.Connect,
		ResponseHeaderTimeout: u.timeouts.Header,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConns:          0,
		MaxIdleConnsPerHost:   maxIdle,
		DisableCompression:    true, // codings pass through as the client asked for them
		ForceAttemptHTTP2:     true,
	}
}

// transport returns the connections to an application. It is called before the first request.
func (u *upstreams) transport(to *url.URL) http.RoundTripper {
	switch to.Scheme {
	case "h2c":
		return u.h2c
	case "unix":
		if u.sockets[to.Path] == nil {
			t := u.newTransport()
			t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{Timeout: u.timeouts.Connect}).DialContext(ctx, "unix", to.Path)
			}
			u.sockets[to.Path] = t
		}
		return u.sockets[to.Path]
	}
	return u.plain
}

// target returns the scheme and host of the URL that a request to the application has.
func target(to *url.URL) (scheme, host string) {
	switch to.Scheme {
	case "h2c":
		return "http", to.Host
	case "unix":
		return "http", "localhost" // the Host header is the client's; this names the one connection pool
	}
	return to.Scheme, to.Host
}

// close ends the connections that no request uses.
func (u *upstreams) close() {
	u.plain.CloseIdleConnections()
	u.h2c.CloseIdleConnections()
	for _, t := range u.sockets {
		t.CloseIdleConnections()
	}
}
