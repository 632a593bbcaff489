package dash

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// What machines ask for, without a log-in.
const (
	healthPath  = "/healthz"
	readyPath   = "/readyz"
	metricsPath = "/metrics"
)

// readyTimeout bounds how long readyz waits for the database.
const readyTimeout = 2 * time.Second

func forMachines(path string) bool {
	return path == healthPath || path == readyPath || path == metricsPath
}

// health answers 200: the process is alive. It asks nothing else, because who gets another answer starts the process anew,
// which would mend neither a full disk nor an application that is down.
func (d *Dashboard) health(w http.ResponseWriter, _ *http.Request) {
	plainText(w)
	io.WriteString(w, "ok\n")
}

var errUnwritable = errors.New("the database cannot be written: browsers' reports are refused with 503")

// readiness answers 200 when requests should come to the sites, and 503 with the reason when not. ?exclude=store leaves the
// database out: a gateway whose disk is full still protects, and with a single one it is better than none.
func (d *Dashboard) readiness(w http.ResponseWriter, r *http.Request) {
	plainText(w)
	err := d.ready()
	if err == nil && !slices.Contains(r.URL.Query()["exclude"], "store") {
		err = d.writable(r.Context())
	}
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, err.Error()+"\n")
		return
	}
	io.WriteString(w, "ok\n")
}

func (d *Dashboard) writable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := d.store.Writable(ctx); err != nil {
		d.log.Error("readyz", "error", err)
		return errUnwritable
	}
	return nil
}

func plainText(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
}
