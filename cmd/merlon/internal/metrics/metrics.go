// Package metrics counts what the gateway does, for Prometheus.
//
// No label has a value that a client chose: sites, routes and reasons are those of the policy file and of the program, methods
// fold to the known ones, statuses to their class. So the number of series is bounded by the policy file. Counters live as
// long as the process, whatever is reloaded.
package metrics

import (
	"cmp"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
)

// Metrics are the numbers of one process. They are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	requests, bytes, upstreamErrors        *prometheus.CounterVec
	duration, upstream                     *prometheus.HistogramVec
	protected, nonces, misuse              *prometheus.CounterVec
	pages, elements, placeholders, unclear *prometheus.CounterVec
	reports, dropped, reloads              *prometheus.CounterVec
	panics, aborted                        prometheus.Counter
	lastReload                             prometheus.Gauge
	connections                            *prometheus.GaugeVec

	sites sync.Map // name to *site: what a request counts, looked up once
}

// Build says which program it is.
type Build struct{ Version, Commit string }

// latencies are the upper bounds of histograms, in seconds: from what a cache answers to what times out.
var latencies = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// New makes the metrics of the process. inFlight says how many requests are being answered now.
func New(b Build, inFlight func() int64) *Metrics {
	r := prometheus.NewRegistry()
	m := &Metrics{
		registry: r,

		requests:       counters(r, "requests_total", "Requests that were answered.", "site", "method", "status"),
		bytes:          counters(r, "response_bytes_total", "Bytes of response bodies.", "site"),
		duration:       histograms(r, "request_duration_seconds", "From the request's header to the end of the response.", "site"),
		upstream:       histograms(r, "upstream_duration_seconds", "From asking the application to the header of its response.", "site"),
		upstreamErrors: counters(r, "upstream_errors_total", "Requests that the application did not answer.", "site"),

		protected: counters(r, "protected_responses_total", "Responses whose headers were put on, by the route of the policy file that decided.", "site", "route", "document"),
		nonces:    counters(r, "nonces_total", "Responses that carry a nonce.", "site"),
		misuse:    counters(r, "misuse_total", "Headers of the application that do not have the effect they look like.", "site", "kind"),

		pages:        counters(r, "rewritten_responses_total", "Responses whose body went through the rewriter.", "site"),
		elements:     counters(r, "rewritten_elements_total", "Elements that got a nonce from the rewriter.", "site"),
		placeholders: counters(r, "scrubbed_placeholders_total", "Placeholders that were made unreadable.", "site"),
		unclear:      counters(r, "unclear_pages_total", "Pages of which a part got no nonces, because nobody can tell how browsers read it.", "site"),

		reports: counters(r, "reports_total", "Browsers' reports that were stored.", "site"),
		dropped: counters(r, "reports_dropped_total", "Browsers' reports that were not wanted.", "site", "reason"),

		reloads:     counters(r, "reloads_total", "Attempts to read the policy file again.", "result"),
		lastReload:  prometheus.NewGauge(gaugeOf("last_reload_success_timestamp_seconds", "When the policy in force was read.")),
		panics:      prometheus.NewCounter(counterOf("panics_total", "Panics of handlers.")),
		aborted:     prometheus.NewCounter(counterOf("aborted_responses_total", "Responses that were cut off.")),
		connections: prometheus.NewGaugeVec(gaugeOf("open_connections", "Connections of clients, without those that became WebSockets."), []string{"listener"}),
	}
	r.MustRegister(m.lastReload, m.panics, m.aborted, m.connections, buildInfo(b),
		prometheus.NewGaugeFunc(gaugeOf("requests_in_flight", "Requests that are being answered, WebSockets included."), func() float64 { return float64(inFlight()) }),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, result := range []string{reloaded, refused} {
		m.reloads.WithLabelValues(result)
	}
	return m
}

const namespace = "merlon"

func gaugeOf(name, help string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}
}

func counterOf(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}
}

func counters(r *prometheus.Registry, name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(counterOf(name, help), labels)
	r.MustRegister(v)
	return v
}

func histograms(r *prometheus.Registry, name, help string, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: latencies}, labels)
	r.MustRegister(v)
	return v
}

func buildInfo(b Build) prometheus.Collector {
	o := gaugeOf("build_info", "Always 1; its labels say which merlon this is.")
	o.ConstLabels = prometheus.Labels{"version": b.Version, "commit": b.Commit, "goversion": runtime.Version()}
	g := prometheus.NewGauge(o)
	g.Set(1)
	return g
}

// Handler answers with all metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// The results of a reload.
const (
	reloaded = "ok"
	refused  = "refused"
)

// Reloaded counts an attempt to read the policy file; err says why the one before stays in force.
func (m *Metrics) Reloaded(err error) {
	if err != nil {
		m.reloads.WithLabelValues(refused).Inc()
		return
	}
	m.reloads.WithLabelValues(reloaded).Inc()
	m.Loaded()
}

// Loaded notes that a policy is in force as of now.
func (m *Metrics) Loaded() { m.lastReload.Set(float64(time.Now().UnixNano()) / 1e9) }

// Connections counts those of the named listener; it is for http.Server.ConnState.
func (m *Metrics) Connections(listener string) func(net.Conn, http.ConnState) {
	open := m.connections.WithLabelValues(listener)
	return func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Inc()
		case http.StateClosed, http.StateHijacked:
			open.Dec()
		}
	}
}

// base is the label of responses that no route changes.
const base = "base"

// rule has the series of a route: of documents, and of other responses.
type rule [2]prometheus.Counter

// Hooks are for the Guard of the site: they count what it does, and tell the request's record.
func (m *Metrics) Hooks(name string) merlon.Hooks {
	nonces := m.nonces.WithLabelValues(name)
	var rules sync.Map // by pattern; looking up a series by its labels costs an allocation
	ruleOf := func(pattern string) *rule {
		if r, ok := rules.Load(pattern); ok {
			return r.(*rule)
		}
		route := cmp.Or(pattern, base)
		r, _ := rules.LoadOrStore(pattern, &rule{m.protected.WithLabelValues(name, route, "yes"), m.protected.WithLabelValues(name, route, "no")})
		return r.(*rule)
	}
	return merlon.Hooks{
		Committed: func(c merlon.Committed) {
			access.Of(c.Request.Context()).Committed(c.Pattern, c.Nonce != "")
			of := ruleOf(c.Pattern)
			if c.Document {
				of[0].Inc()
			} else {
				of[1].Inc()
			}
			if c.Nonce != "" {
				nonces.Inc()
			}
		},
		Misuse: func(u merlon.Misuse) { m.misuse.WithLabelValues(name, string(u.Kind)).Inc() },
	}
}

// Reports counts browsers' reports about a site that were stored.
func (m *Metrics) Reports(site string, n int) { m.reports.WithLabelValues(site).Add(float64(n)) }

// Dropped counts browsers' reports that were not, and why.
func (m *Metrics) Dropped(site, reason string, n int64) {
	m.dropped.WithLabelValues(site, reason).Add(float64(n))
}
