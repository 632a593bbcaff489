package gateway

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/transport"
)

const (
	// maxIdle is how many connections to one application are kept between requests.
	maxIdle = 256
	// maxResponseHeader bounds the header of an application's response, in bytes; net/http's own bound is 10 MiB.
	maxResponseHeader = 256 << 10
	// unbounded stands for no bound: longer than any process lives.
	unbounded = 100 * 365 * 24 * time.Hour
)

// upstreams are the connections to the applications, by address.
type upstreams struct {
	config  transport.Config
	netHTTP bool
	all     map[string]connections
}

// connections are those to one application.
type connections interface {
	http.RoundTripper
	CloseIdleConnections()
}

func newUpstreams(t Timeouts, netHTTP bool) *upstreams {
	return &upstreams{netHTTP: netHTTP, all: map[string]connections{}, config: transport.Config{
		DialTimeout:      cmp.Or(t.Connect, unbounded),
		HandshakeTimeout: cmp.Or(t.Connect, unbounded),
		HeaderTimeout:    cmp.Or(t.Header, unbounded),
		WriteTimeout:     cmp.Or(t.Header, unbounded),
		BodyTimeout:      t.Body,
		MaxHeaderBytes:   maxResponseHeader,
		MaxIdle:          maxIdle,
	}}
}

// transport returns the connections to an application. It is called before the first request.
func (u *upstreams) transport(a App) http.RoundTripper {
	c, to := u.config, a.Upstream
	switch to.Scheme {
	case "h2c":
		c.H2C = true
	case "unix":
		c.Dial = transport.Unix(to.Path)
	}
	if a.Roots != nil {
		c.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
		c.TLS.RootCAs.AppendCertsFromPEM(a.Roots) // without a certificate nobody is trusted
	}
	key := to.String() + string(a.Roots)
	switch {
	case u.all[key] != nil:
	case u.netHTTP, to.Scheme == "h2c", to.Scheme == "https": // both may speak HTTP/2
		u.all[key] = watching{transport.Standard(c), c.BodyTimeout}
	default:
		u.all[key] = transport.Pooled(c)
	}
	return u.all[key]
}

// target returns the scheme and host of the URL that a request to the application has.
func target(to *url.URL) (scheme, host string) {
	switch to.Scheme {
	case "h2c":
		return "http", to.Host
	case "unix":
		return "http", "localhost" // which nobody sees: the Host header is the client's
	}
	return to.Scheme, to.Host
}

// close ends the connections that no request uses.
func (u *upstreams) close() {
	for _, c := range u.all {
		c.CloseIdleConnections()
	}
}
