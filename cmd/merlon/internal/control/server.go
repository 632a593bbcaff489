package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Server answers on the socket of a data directory.
type Server struct {
	store    *store.Store
	http     http.Server
	listener net.Listener
	stop     context.CancelFunc
	serving  sync.WaitGroup
	one      sync.Mutex // one change at a time
}

// Serve opens the socket in dir and answers until Close. The caller has the lock of dir, so a socket that is there is left over. Where
// sockets have no owner, as on Windows, there is no server: the error is errors.ErrUnsupported.
func Serve(dir string, s *store.Store, log *slog.Logger) (*Server, error) {
	listener, err := listen(dir)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Server{store: s, listener: listener, stop: stop}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+prefix+"state", c.setState)
	mux.HandleFunc("POST "+prefix+"purge", c.purge)
	mux.HandleFunc("POST "+prefix+"erase", c.erase)
	mux.HandleFunc("/", unknown)
	c.http = http.Server{
		Handler: http.MaxBytesHandler(mux, maxRequest), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	c.serving.Go(func() {
		if err := c.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the control socket is closed", "error", err)
		}
	})
	return c, nil
}

// Close ends what runs, between two transactions, and removes the socket.
func (c *Server) Close() error {
	c.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // longer than a transaction
	defer cancel()
	err := c.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, c.http.Close())
	}
	c.serving.Wait()
	return err
}

func (c *Server) setState(w http.ResponseWriter, r *http.Request) {
	serve(c, w, r, func(d Decision) (answer, error) {
		err := c.store.SetState(r.Context(), d.Issue, store.Decision{State: d.State, Until: d.Until, Note: d.Note, At: time.Now()})
		return answer{NotFound: errors.Is(err, store.ErrNotFound)}, err
	})
}

func (c *Server) purge(w http.ResponseWriter, r *http.Request) {
	serve(c, w, r, func(p Purge) (answer, error) {
		erased, err := c.store.Purge(r.Context(), p.Site, p.Before)
		return answer{Erased: &erased}, err
	})
}

func (c *Server) erase(w http.ResponseWriter, r *http.Request) {
	serve(c, w, r, func(e Erase) (answer, error) {
		erased, err := c.store.Erase(r.Context(), e.Site, e.URL)
		return answer{Erased: &erased}, err
	})
}

// serve reads a request, does it and answers.
func serve[T any](c *Server, w http.ResponseWriter, r *http.Request, do func(T) (answer, error)) {
	var asked T
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		reply(w, http.StatusBadRequest, answer{Error: "reading the request: " + err.Error()})
		return
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		reply(w, http.StatusBadRequest, answer{Error: "reading the request: something follows it"})
		return
	}
	c.one.Lock()
	defer c.one.Unlock()
	a, err := do(asked)
	if err != nil {
		a.Error = err.Error()
		reply(w, http.StatusUnprocessableEntity, a)
		return
	}
	reply(w, http.StatusOK, a)
}

func unknown(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusNotFound, answer{Error: "the running merlon does not know " + r.Method + " " + r.URL.Path +
		": it is of another version: restart it, or use the program that it was started from"})
}

func reply(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a) // who asked may be gone
}
