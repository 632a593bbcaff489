package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/internal/origin"
)

// Receiver says what a handler made by [NewHandler] does with reports.
type Receiver struct {
	// Take is given the reports of one POST, at least one; see [Handler].
	Take func(context.Context, []Report) error

	// Origins may use the Reporting API to send reports here, besides pages on the host that a request names: each a scheme, host
	// and port, such as "https://www.example.com". A report-uri asks nobody; its reports come from anywhere.
	Origins []string
}

const (
	// readTimeout is for a whole body; browsers send one in a single piece.
	readTimeout = 10 * time.Second
	// retryAfter is in seconds. Chromium waits for a minute by itself.
	retryAfter = "60"
	// preflightAge is for how many seconds browsers may remember the answer to a preflight; Chromium never does.
	preflightAge = "86400"
)

// Handler collects what browsers report: it answers their preflights, reads and bounds what they POST and gives the reports to take.
// Mount it where report-uri and Reporting-Endpoints point, for all methods and outside of what demands a session or a CSRF token. The
// policies of a merlon.Guard name the path that is its Config's Reports.
//
// The reports are those of one document or were made up by somebody, in which case they may name any document of any site: look at
// Report.URL before anything else. The context is that of the request. When take returns nil, the reports are its business, and the
// answer is 204: nothing more wanted. When it returns an error, the answer is 503, and Chromium sends the same reports again,
// so take keeps either all of them or none. Whatever cannot be read is answered 204 too, because after any other status
// it would only come again.
//
// A violation of unknown disposition gets the one that the URL tells, see [FromURL]. Neither cookies nor credentials are looked at.
// Each request holds at most [MaxBatchBytes] of body; bound how many there are as for other handlers. It panics if take is nil.
func Handler(take func(context.Context, []Report) error) http.Handler {
	h, err := NewHandler(Receiver{Take: take})
	if err != nil {
		panic(err)
	}
	return h
}

// NewHandler is [Handler] for pages of other origins too. The error names every mistake in the Receiver, which may be changed
// afterwards without effect.
func NewHandler(c Receiver) (http.Handler, error) {
	h := &handler{take: c.Take, origins: map[string]bool{}}
	var mistakes []error
	if c.Take == nil {
		mistakes = append(mistakes, errors.New("report: Take is nil; give a function that keeps the reports"))
	}
	for i, text := range c.Origins {
		normal, err := origin.Normalize(text)
		if err == nil && strings.Contains(normal, "*") {
			err = errors.New("name each origin in full")
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("report: Origins[%d] %q: %w", i, text, err))
		}
		h.origins[normal] = true
	}
	if mistakes != nil {
		return nil, errors.Join(mistakes...)
	}
	return h, nil
}

type handler struct {
	take    func(context.Context, []Report) error
	origins map[string]bool
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Not supported by the writers of some tests; then the server's own limits hold. It is set before a body is refused unread, of
	// which net/http reads a little to keep the connection. At the end of a body net/http takes it back: take has its time.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTimeout))
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	// Pages with COEP require-corp may send reports only to what says this.
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Add("Vary", "Origin")
	// Firefox needs it on the answer to the POST too: without it, it sends the batch three times.
	allowed := h.allowed(r)
	if allowed {
		header.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	}
	status := http.StatusNoContent
	switch r.Method {
	case http.MethodPost:
		if h.post(w, r) != nil {
			header.Set("Retry-After", retryAfter)
			status = http.StatusServiceUnavailable
		}
	case http.MethodOptions:
		if allowed {
			header.Set("Access-Control-Allow-Methods", "POST")
			header.Set("Access-Control-Allow-Headers", "content-type")
			header.Set("Access-Control-Max-Age", preflightAge)
		}
	default:
		header.Set("Allow", "POST, OPTIONS")
		status = http.StatusMethodNotAllowed
	}
	w.WriteHeader(status)
}

// allowed reports whether the Origin is on the list or of the host that was asked for. In Host a missing port stands for the
// scheme's, and behind a proxy only the browser knows the scheme.
func (h *handler) allowed(r *http.Request) bool {
	from := r.Header.Get("Origin")
	scheme, _, _ := strings.Cut(from, "://")
	own, err := origin.Normalize(scheme + "://" + r.Host)
	return h.origins[from] || err == nil && from == own
}

// post returns the error of take.
func (h *handler) post(w http.ResponseWriter, r *http.Request) error {
	// Browsers compress no reports; a small body that becomes a large one is an attack.
	if r.Header.Get("Content-Encoding") != "" || r.ContentLength > MaxBatchBytes {
		return nil
	}
	body, err := readBody(http.MaxBytesReader(w, r.Body, MaxBatchBytes))
	if err != nil {
		return nil
	}
	reports, _ := Decode(body)
	reports = slices.DeleteFunc(reports, func(r Report) bool { return r.Type == "" })
	if len(reports) == 0 {
		return nil
	}
	fillDisposition(reports, FromURL(r.URL))
	return h.take(r.Context(), reports)
}

// readBody reads beyond MaxObjectBytes only for a batch.
func readBody(body io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, MaxObjectBytes+1))
	switch {
	case err != nil || len(data) <= MaxObjectBytes:
		return data, err
	case !bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")):
		return nil, ErrTooLarge
	}
	rest, err := io.ReadAll(body)
	return append(data, rest...), err
}

func fillDisposition(reports []Report, d Disposition) {
	for _, r := range reports {
		if r.Violation != nil && r.Violation.Disposition == DispositionUnknown {
			r.Violation.Disposition = d
		}
	}
}
