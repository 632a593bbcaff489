package dash

import (
	"errors"
	"net/http"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// statusError is an answer with an HTTP status and the page that explains it.
type statusError int

func (e statusError) Error() string { return http.StatusText(int(e)) }

// protect puts the checks and headers around the pages that every answer goes through, errors included.
func (d *Dashboard) protect(mux *http.ServeMux) (http.Handler, error) {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.status(w, r, http.StatusForbidden)
	}))
	return guarded(d.checkHost(origin.Handler(d.explainMisses(mux))))
}

// explainMisses answers what matches no route with a page. The mux still decides between 404 and 405 and lists the methods.
func (d *Dashboard) explainMisses(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		miss, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		rec := statusRecorder{header: w.Header()}
		miss.ServeHTTP(&rec, r)
		d.status(w, r, rec.status)
	})
}

// statusRecorder keeps the status and the headers of an answer and drops its text.
type statusRecorder struct {
	header http.Header
	status int
}

func (s *statusRecorder) Header() http.Header         { return s.header }
func (s *statusRecorder) WriteHeader(status int)      { s.status = status }
func (s *statusRecorder) Write(p []byte) (int, error) { return len(p), nil }

// pageFunc writes one page, or returns an error before it has written anything.
type pageFunc func(http.ResponseWriter, *http.Request) error

// page turns a pageFunc's error into the page that explains it.
func (d *Dashboard) page(f pageFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := f(w, r)
		var status statusError
		switch {
		case err == nil:
		case errors.As(err, &status):
			d.status(w, r, int(status))
		case errors.Is(err, store.ErrNotFound):
			d.status(w, r, http.StatusNotFound)
		case r.Context().Err() != nil: // the browser has gone; nobody reads an answer
		default:
			d.log.Error("dashboard page", "path", r.URL.Path, "error", err)
			d.status(w, r, http.StatusInternalServerError)
		}
	})
}

// private is page for those who have logged in. Others are sent to the log-in page.
func (d *Dashboard) private(f pageFunc) http.Handler {
	return d.page(func(w http.ResponseWriter, r *http.Request) error {
		if !d.loggedIn(r) {
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return nil
		}
		return f(w, r)
	})
}
