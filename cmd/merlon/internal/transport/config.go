// Package transport makes the connections to one application. It has two kinds, which answer alike: Standard is
// net/http's, with HTTP/2; Pooled speaks HTTP/1.1 only and does all of an exchange on the caller's goroutine, which is what
// a reverse proxy spends most of its time on otherwise.
package transport

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// Config says how to reach an application and how long to wait for it. A field that is zero has its default, which the field
// names. Bodies may take as long as they need in both directions, as long as every single write goes through in time, and
// every single read where BodyTimeout says so.
type Config struct {
	// Dial opens a connection to address, the host and port of a request's URL. Nil dials TCP; see Unix.
	Dial DialFunc
	// TLS is for https URLs; nil stands for Go's defaults. The server's name is the URL's host unless it is set here.
	TLS *tls.Config
	// H2C lets Standard speak HTTP/2 without TLS, and nothing else, to http URLs. Protocol switches do not work then.
	H2C bool

	DialTimeout      time.Duration // to connect; 5 s
	HandshakeTimeout time.Duration // for TLS; 5 s
	WriteTimeout     time.Duration // for a write of at most 32 KiB of a request; 30 s
	HeaderTimeout    time.Duration // for the answer's header, once the request is sent; 60 s
	BodyTimeout      time.Duration // in which nothing of an answer's body comes, of Pooled only; no limit
	ContinueTimeout  time.Duration // for 100 Continue, before the body is sent all the same; 1 s
	IdleTimeout      time.Duration // that an unused connection is kept; 90 s

	// MaxHeaderBytes bounds the header of an answer; 1 MiB.
	MaxHeaderBytes int
	// MaxIdle bounds the unused connections; 64.
	MaxIdle int
}

// A DialFunc opens connections, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Unix returns a DialFunc that connects to the Unix socket at path, whatever a URL says.
func Unix(path string) DialFunc {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
}

func (c Config) withDefaults() Config {
	if c.Dial == nil {
		c.Dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	c.DialTimeout = cmp.Or(c.DialTimeout, 5*time.Second)
	c.HandshakeTimeout = cmp.Or(c.HandshakeTimeout, 5*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 30*time.Second)
	c.HeaderTimeout = cmp.Or(c.HeaderTimeout, 60*time.Second)
	c.ContinueTimeout = cmp.Or(c.ContinueTimeout, time.Second)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 90*time.Second)
	c.MaxHeaderBytes = cmp.Or(c.MaxHeaderBytes, 1<<20)
	c.MaxIdle = cmp.Or(c.MaxIdle, 64)
	return c
}

// A ping finds out that an HTTP/2 connection is dead, on which many requests may wait.
const (
	pingAfter   = 30 * time.Second
	pingTimeout = 15 * time.Second
)

// Standard returns net/http's transport set up by c: HTTP/1.1, HTTP/2 over TLS where the application offers it, and h2c on
// request. The environment's proxy settings are ignored: traffic that is local by intent must not leave.
func Standard(c Config) *http.Transport {
	c = c.withDefaults()
	var protocols http.Protocols
	protocols.SetHTTP1(!c.H2C)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(c.H2C)
	return &http.Transport{
		DialContext:            c.dial,
		TLSClientConfig:        c.TLS.Clone(),
		Protocols:              &protocols,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		TLSHandshakeTimeout:    c.HandshakeTimeout,
		ResponseHeaderTimeout:  c.HeaderTimeout,
		ExpectContinueTimeout:  c.ContinueTimeout,
		IdleConnTimeout:        c.IdleTimeout,
		MaxIdleConns:           c.MaxIdle,
		MaxIdleConnsPerHost:    c.MaxIdle,
		MaxResponseHeaderBytes: int64(c.MaxHeaderBytes),
		DisableCompression:     true, // codings pass through as the client asked for them
	}
}
