package cli

import (
	"bytes"
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
)

// shutdownTimeout is how long requests in flight may take to complete; the whole process ends within 5 s.
const shutdownTimeout = 4 * time.Second

// servers are the listeners of one process. Either all of them are open before the first request, or none stays.
type servers struct {
	log  *slog.Logger
	list []*server
}

type server struct {
	*http.Server
	listener net.Listener
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
	if err != nil {
		return nil, fmt.Errorf("the %s cannot listen on %s: %w (choose another address with %s)", name, addr, cause(err), flag)
	}
	s.list = append(s.list, &server{listener: l, Server: &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,

		DisableGeneralOptionsHandler: true, // it would answer OPTIONS * without our headers
		ErrorLog:                     log.New(logLines{s.log}, "", 0),
	}})
	return l, nil
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
	for _, srv := range s.list {
		if srv.listener == l {
			srv.Handler, srv.TLSConfig = h, config
		}
	}
}

// close ends listeners that never served.
func (s *servers) close() {
	for _, srv := range s.list {
		srv.listener.Close()
	}
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
	s.shutdown()
	serving.Wait()
	return err
}

func (s *server) serve() error {
	var err error
	if s.TLSConfig != nil {
		err = s.ServeTLS(s.listener, "", "")
	} else {
		err = s.Serve(s.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *servers) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	var wg sync.WaitGroup
	for _, srv := range s.list {
		wg.Go(func() {
			if err := srv.Shutdown(ctx); err != nil {
				s.log.Warn("requests still in flight were cut off", "address", srv.listener.Addr().String(), "after", shutdownTimeout)
				srv.Close()
			}
		})
	}
	wg.Wait()
}

// logLines hands what net/http prints to the structured log.
type logLines struct{ log *slog.Logger }

func (l logLines) Write(line []byte) (int, error) {
	level := slog.LevelDebug // what clients do wrong
	if bytes.Contains(line, []byte("panic")) {
		level = slog.LevelError
	}
	l.log.Log(context.Background(), level, string(line))
	return len(line), nil
}
