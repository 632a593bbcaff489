package collect

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// The reasons in [store.Drop]: why a report was not taken.
const (
	reasonMethod     = "method"     // neither POST nor OPTIONS
	reasonPreflight  = "preflight"  // a page of another site asked whether it may report here
	reasonIncomplete = "incomplete" // the body did not arrive
	reasonNotJSON    = "not-json"
	reasonNotReport  = "not-a-report"
	reasonTooLarge   = "too-large"
	reasonTooMany    = "too-many"
	reasonTooDeep    = "too-deep"
	reasonForeign    = "foreign"       // about a document of another site
	reasonBudget     = "client-budget" // its network has sent too many; a body that was not read counts as one
	reasonRepeated   = "repeated"      // of a batch that is stored already
	reasonCanary     = "canary"        // says that it is a canary's, and is none
)

const (
	readTimeout = 10 * time.Second // for a whole body; browsers send one in a single piece
	retryAfter  = "60"             // seconds
)

type handler struct {
	collector *Collector
	site      *hosts
	client    func(*http.Request) netip.Addr
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	origin, own := h.site.origin(r)
	values := [...]string{
		"no-store",
		"cross-origin", // pages with COEP require-corp may send reports only to what says this
		origin,         // Firefox needs it on the answer to the POST too: without it, it sends the batch three times
	}
	// Assigned and not set: each Set would allocate. Nobody else has put anything there but Vary.
	header["Cache-Control"], header["Cross-Origin-Resource-Policy"] = values[0:1:1], values[1:2:2]
	header.Add("Vary", "Origin")
	if own {
		header["Access-Control-Allow-Origin"] = values[2:3:3]
	}
	switch r.Method {
	case http.MethodPost:
		h.post(w, r)
	case http.MethodOptions:
		h.preflight(w, own)
	default:
		header.Set("Allow", "POST, OPTIONS")
		h.drop(reasonMethod, 1)
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// preflight lets pages of the site report in the format of the Reporting API, and nobody else's browser: it asks first.
func (h *handler) preflight(w http.ResponseWriter, own bool) {
	if own {
		header := w.Header()
		header.Set("Access-Control-Allow-Methods", "POST")
		header.Set("Access-Control-Allow-Headers", "content-type")
		header.Set("Access-Control-Max-Age", "86400")
	} else {
		h.drop(reasonPreflight, 1)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *handler) post(w http.ResponseWriter, r *http.Request) {
	if err := h.take(w, r); err != nil {
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// take reads the body and returns nil when all that is wanted of it is stored.
func (h *handler) take(w http.ResponseWriter, r *http.Request) error {
	c := h.collector
	from := c.networks.of(h.client(r), c.now())
	if !c.reports.has(from.network, c.now()) {
		h.drop(reasonBudget, 1)
		return nil
	}
	body := &meteredBody{meter: c, source: http.MaxBytesReader(w, r.Body, report.MaxBatchBytes), network: from.network}
	defer body.release()
	reports, batch, err := c.read(w, body)
	n := max(len(reports), 1)
	switch {
	case errors.Is(err, errBusy):
		return err
	case errors.Is(err, errSpent):
		h.drop(reasonBudget, 1)
	case !c.reports.spend(from.network, n, c.now()):
		h.drop(reasonBudget, int64(n))
	case err != nil:
		h.drop(reasonFor(err), 1)
	case len(reports) > 0:
		return h.store(r, from, reports, batch)
	}
	return nil
}

// read reads the reports in a body, and whether they came as a batch.
func (c *Collector) read(w http.ResponseWriter, body io.Reader) (reports []report.Report, batch bool, err error) {
	buffer := c.buffers.get()
	defer c.buffers.put(buffer)
	// Not supported by the writers of some tests; then the server's own limits hold.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(readTimeout))
	if _, err = buffer.ReadFrom(body); err != nil {
		return nil, false, err
	}
	_ = control.SetReadDeadline(time.Time{})
	reports, err = report.Decode(buffer.Bytes())
	return reports, bytes.HasPrefix(bytes.TrimSpace(buffer.Bytes()), []byte("[")), err
}

// store sorts the reports into those to store and those to count by reason. The latter come last: when storing fails the sender
// brings both once more.
func (h *handler) store(r *http.Request, from client, reports []report.Report, batch bool) error {
	if token := canaryToken(r.URL); token != "" {
		return h.canary(r, token)
	}
	hits := make([]store.Hit, 0, len(reports))
	var dropped map[string]int64 // nothing, mostly
	req := h.site.request(r, reports)
	now := h.collector.now()
	for i := range reports {
		if reason := req.refuse(&reports[i]); reason != "" {
			if dropped == nil {
				dropped = map[string]int64{}
			}
			dropped[reason]++
			continue
		}
		hit := req.hit(req.event(&reports[i]), now)
		hit.Network = from.network
		if hit.View != 0 {
			hit.View |= 1 // it has a budget, whatever its hash is
		}
		hits = append(hits, hit)
	}
	if len(hits) > 0 {
		repeated, err := h.submit(r, from, reports, hits, batch)
		if err != nil {
			return err
		}
		if repeated {
			dropped = map[string]int64{reasonRepeated: int64(len(reports))}
		}
	}
	for reason, n := range dropped {
		h.drop(reason, n)
	}
	return nil
}

// submit stores the hits, unless the reports are a batch that came before. A single report is never held for one that came before: browsers do not
// send those again, and two people behind one address may have the same to report.
func (h *handler) submit(r *http.Request, from client, reports []report.Report, hits []store.Hit, batch bool) (repeated bool, err error) {
	var id *batchID
	if batch {
		id = identify(h.collector.secret(), h.site.name, from, r, reports, h.collector.now())
	}
	return h.collector.submit(hits, id)
}

func (h *handler) drop(reason string, n int64) { h.collector.drop(h.site.name, reason, n) }

// reasonFor says why a body could not be read.
func reasonFor(err error) string {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), errors.Is(err, report.ErrTooLarge):
		return reasonTooLarge
	case errors.Is(err, report.ErrTooMany):
		return reasonTooMany
	case errors.Is(err, report.ErrTooDeep), errors.Is(err, report.ErrTooWide):
		return reasonTooDeep
	case errors.Is(err, report.ErrNotJSON):
		return reasonNotJSON
	case errors.Is(err, report.ErrNotReport):
		return reasonNotReport
	}
	return reasonIncomplete
}
