package collect

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// documents takes counts of documents from programs that have the site's token. They are no browsers, so it says what is wrong.
type documents struct {
	collector *Collector
	site      string
	token     [sha256.Size]byte // of the token, so that a comparison tells nothing, its length included
	some      bool

	mu   sync.Mutex
	rows report.Tally // folds what would be too many rows; empty between two pushes
}

// Documents takes the counts that programs with the token push about a site (see report.Counter), on any path. Without a token nothing is
// there: 404. 204 means that the counts are on stable storage; sent again within twenty minutes they count once.
func (c *Collector) Documents(site Site) http.Handler {
	return &documents{collector: c, site: site.Name, token: sha256.Sum256([]byte(site.DocumentsToken)), some: site.DocumentsToken != ""}
}

func (d *documents) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case !d.some:
		http.Error(w, "No program may count documents here: the site has no documents: {token_file: F}.", http.StatusNotFound)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "POST")
		http.Error(w, "Counts of documents come by POST.", http.StatusMethodNotAllowed)
	case !d.permits(r):
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "The token is another one.", http.StatusUnauthorized)
	default:
		d.take(w, r)
	}
}

func (d *documents) permits(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], d.token[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}

func (d *documents) take(w http.ResponseWriter, r *http.Request) {
	// Not supported by the writers of some tests; then the server's own limits hold.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout))
	body := &meteredBody{meter: d.collector, source: http.MaxBytesReader(w, r.Body, report.MaxCountsBytes)}
	defer body.release()
	data, err := io.ReadAll(body)
	var counts report.Counts
	if err == nil {
		counts, err = report.DecodeCounts(data)
	} else if !errors.Is(err, errBusy) {
		err = errors.Join(report.ErrNotCounts, err)
	}
	if err == nil {
		err = d.store(r, counts)
	}
	var large *http.MaxBytesError
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.As(err, &large), errors.Is(err, report.ErrTooLarge):
		http.Error(w, "Counts of documents: the body is too large.", http.StatusRequestEntityTooLarge)
	case errors.Is(err, report.ErrNotCounts), errors.Is(err, report.ErrTooMany):
		http.Error(w, "Counts of documents: "+err.Error(), http.StatusBadRequest)
	default:
		w.Header().Set("Retry-After", retryAfter)
		http.Error(w, "The counts could not be stored. Send them again.", http.StatusServiceUnavailable)
	}
}

func (d *documents) store(r *http.Request, counts report.Counts) error {
	if len(counts.Documents) == 0 {
		return nil
	}
	sum := sha256.Sum256([]byte("documents " + d.site + "\n" + counts.ID))
	at := d.collector.now()
	rows := d.bounded(counts.Documents, at)
	return d.collector.add(r.Context(), func(b *store.Batch) { b.Pushed(store.Digest(sum[:16]), d.site, at, rows) })
}

// bounded returns the counts as a Tally of this process would have them: a program that pushes paths where routes should be stores no tokens, and
// fills no disk with a row for each.
func (d *documents) bounded(counts []report.Documents, now time.Time) []report.Documents {
	for i := range counts {
		counts[i].Route = routeOf(counts[i].Route)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows.Return(counts)
	return d.rows.Take(now)
}

func routeOf(path string) string {
	u, err := url.Parse(path)
	if err != nil || path == report.Rest || strings.HasPrefix(path, "//") {
		return report.Rest
	}
	return report.Route(u)
}
