package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// servers are the listeners of one process. Either all of them are open before the first request, or none stays.
type servers struct {
	log    *slog.Logger
	limits limits
	ending ending
	passed sockets // that systemd has opened
	list   []*server
}

// limits is what clients of every listener are held to.
type limits struct {
	header, idle, response time.Duration // 0 for no bound
	maxHeader              int           // in bytes
	h2c                    bool          // HTTP/2 without TLS too
}

const defaultMaxHeader = 64 << 10

func limitsOf(file *policyfile.File) limits {
	t := gateway.Timeouts(file.Timeouts).OrDefaults()
	return limits{t.RequestHeader, t.Idle, t.Response, cmp.Or(int(file.MaxHeader), defaultMaxHeader), file.H2C}
}

func (l limits) protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(l.h2c)
	return p
}

type server struct {
	*http.Server
	listener net.Listener
	watched  bool // looks at the headers of requests before net/http mends them
	last     bool // serves until the others have ended
}

// listen opens addr for the named part of the process. flag is what moves it elsewhere.
func (s *servers) listen(name, flag, addr string) (net.Listener, error) {
	if _, err := net.ResolveTCPAddr("tcp", addr); err != nil {
		return nil, usagef("%s %s: %w (write 127.0.0.1:8080)", flag, addr, err)
	}
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the %s cannot listen on %s: %w (stop what uses it, or choose another address with %s)", name, addr, cause(err), flag)
	}
	if errors.Is(err, syscall.EACCES) {
		return nil, fmt.Errorf("the %s cannot listen on %s: %w (ports below 1024 want CAP_NET_BIND_SERVICE, a socket of systemd or root; or choose another address with %s)", name, addr, cause(err), flag)
	}
	if err != nil {
		return nil, fmt.Errorf("the %s cannot listen on %s: %w (choose another address with %s)", name, addr, cause(err), flag)
	}
	s.add(l)
	return l, nil
}

// take uses the socket that systemd has opened for the part, and opens addr where there is none.
func (s *servers) take(part, name, flag, addr string) (net.Listener, error) {
	l := s.passed[part]
	if l == nil {
		return s.listen(name, flag, addr)
	}
	delete(s.passed, part)
	s.log.Info("using the socket that systemd has opened", "for", name, "address", l.Addr().String())
	s.add(l)
	return l, nil
}

func (s *servers) add(l net.Listener) {
	s.list = append(s.list, &server{listener: l, Server: &http.Server{
		ReadHeaderTimeout: s.limits.header,
		IdleTimeout:       s.limits.idle,
		MaxHeaderBytes:    s.limits.maxHeader,
		Protocols:         s.limits.protocols(),
		HTTP2:             &http.HTTP2Config{WriteByteTimeout: s.limits.response},

		DisableGeneralOptionsHandler: true, // it would answer OPTIONS * without our headers
		ErrorLog:                     log.New(logLines{s.log}, "", 0),
	}})
}

// cause takes off the address that net.Listen repeats.
func cause(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Err
	}
	return err
}

// handle sets the handler of the listener; config is nil for plain HTTP.
func (s *servers) handle(l net.Listener, h http.Handler, config *tls.Config) {
	srv := s.of(l)
	srv.Handler, srv.TLSConfig = h, config
}

// of returns the server of a listener that is in the list.
func (s *servers) of(l net.Listener) *server {
	for _, srv := range s.list {
		if srv.listener == l {
			return srv
		}
	}
	return nil
}

// close ends listeners that never served.
func (s *servers) close() {
	for _, srv := range s.list {
		srv.listener.Close()
	}
	s.passed.close()
}

// run serves until ctx ends or a server fails, then lets requests in flight complete.
func (s *servers) run(ctx context.Context) error {
	failed := make(chan error, len(s.list))
	var serving sync.WaitGroup
	for _, srv := range s.list {
		serving.Go(func() { failed <- srv.serve() })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.end(err == nil)
	serving.Wait()
	return err
}

// plain is the listener for plain HTTP.
func (s *server) plain() net.Listener {
	if !s.watched {
		return s.listener
	}
	s.ConnContext, s.Handler = gateway.Watched, gateway.InOrder(s.Handler)
	return gateway.Watch(s.listener)
}

func (s *server) serve() error {
	var err error
	if s.TLSConfig != nil {
		err = s.ServeTLS(s.listener, "", "")
	} else {
		err = s.Serve(s.plain())
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// logLines hands what net/http prints to the structured log.
type logLines struct{ log *slog.Logger }

func (l logLines) Write(line []byte) (int, error) {
	level := slog.LevelDebug // what clients do wrong
	if bytes.Contains(line, []byte("panic")) {
		level = slog.LevelError
	}
	l.log.Log(context.Background(), level, string(bytes.TrimSpace(line)))
	return len(line), nil
}
