package metrics

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
)

// methods are those that have a series of their own; the last stands for all others.
var methods = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}

// classes are those of statuses; the last is for connections that ended without one.
var classes = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx", "none"}

// site has the series of a site that each request counts in. Looking one up by its labels costs more than counting.
type site struct {
	requests           [len(methods)][len(classes)]atomic.Pointer[counter]
	bytes              prometheus.Counter
	duration, upstream prometheus.Observer
}

type counter struct{ prometheus.Counter }

// noSite is the label of requests that are no site's.
const noSite = "none"

func (m *Metrics) site(name string) *site {
	name = cmp.Or(name, noSite)
	if s, ok := m.sites.Load(name); ok {
		return s.(*site)
	}
	s, _ := m.sites.LoadOrStore(name, &site{bytes: m.bytes.WithLabelValues(name), duration: m.duration.WithLabelValues(name), upstream: m.upstream.WithLabelValues(name)})
	return s.(*site)
}

// Ended counts a request that is over.
func (m *Metrics) Ended(rec *access.Record) {
	s := m.site(rec.Site)
	m.counter(s, rec).Inc()
	s.bytes.Add(float64(rec.Bytes))
	if !rec.Hijacked { // a WebSocket takes as long as somebody looks at the page
		s.duration.Observe(rec.Duration.Seconds())
	}
	if rec.UpstreamAsked {
		s.upstream.Observe(rec.Upstream.Seconds())
	}
	if rec.UpstreamFailed {
		m.upstreamErrors.WithLabelValues(rec.Site).Inc()
	}
	if rec.Page.Rewritten {
		m.page(rec.Site, rec.Page)
	}
	if rec.Panicked {
		m.panics.Inc()
	}
	if rec.Aborted {
		m.aborted.Inc()
	}
}

// counter returns the series of the request. Those that nothing was counted in yet do not exist.
func (m *Metrics) counter(s *site, rec *access.Record) prometheus.Counter {
	method := slices.Index(methods[:], rec.Request().Method)
	if method < 0 {
		method = len(methods) - 1
	}
	class := rec.Status/100 - 1
	if class < 0 || class >= len(classes)-1 {
		class = len(classes) - 1
	}
	at := &s.requests[method][class]
	if c := at.Load(); c != nil {
		return c
	}
	c := &counter{m.requests.WithLabelValues(cmp.Or(rec.Site, noSite), methods[method], classes[class])}
	at.Store(c)
	return c
}

func (m *Metrics) page(site string, p access.Page) {
	m.pages.WithLabelValues(site).Inc()
	m.elements.WithLabelValues(site).Add(float64(p.Nonced))
	m.placeholders.WithLabelValues(site).Add(float64(p.Scrubbed))
	if p.GaveUp {
		m.unclear.WithLabelValues(site).Inc()
	}
}
