// Package collect takes the reports that browsers send, and makes issues of them in the store.
//
// A 204 means: every report in this POST that was wanted is on stable storage, counted once, and nothing more is asked of the
// sender. Reports that are not wanted are answered 204 too and counted by reason, because Chromium sends a whole batch again
// after any other status. A 503 means that storing failed and that sending again makes sense.
//
// Nothing of a report is stored before it is cleaned: no query, no fragment, no token, of a policy no nonce, and of the request neither
// cookies nor addresses. The client's network goes, with a key that nobody keeps, into a sketch of how many there were; its address, for
// some minutes, into the hash of a whole batch, so that a batch that is sent again is not counted again.
package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Site is a set of hosts whose documents' reports are accepted.
type Site struct {
	Name  string
	Hosts []string // lower case; one without a port stands for every port; empty: the document's host must equal the Host of the POST
	Noise []Rule   // of the site, beside merlon's own

	// Client returns the address of the client, the zero Addr where it is not known. nil: the peer is the client. See [Behind].
	Client func(*http.Request) netip.Addr

	// Attests reports whether a nonce in a reported policy is one that the site's Guard made, so that somebody fetched a page for it.
	// nil: no report is known to be about a page view.
	Attests func(nonce string) bool

	// Canary reports whether a token is that of a canary which the gateway has put into a page of the site. nil: it puts none.
	Canary func(token string) bool

	DocumentsToken string // of programs that push counts of documents; "": none may
}

// Config says what a Collector works with.
type Config struct {
	Store  *store.Store     // required; the caller closes it, after Close
	Logger *slog.Logger     // nil discards
	Now    func() time.Time // nil is time.Now

	Stored  func(site string, n int)           // is told of reports that were stored; nil: nobody
	Dropped func(site, reason string, n int64) // and of those that were not; nil: nobody

	Secret func() Secret // what batches are hashed with; nil: a random one, so that batches sent again after a new start are not known
	Limits Limits        // of one network of clients

	MaxQueuedReports int   // waiting to be stored; 0 means 20,000; below report.MaxReports a full batch never fits
	MaxQueuedBytes   int64 // of bodies being read or waiting; 0 means 64 MiB
}

// Collector stores reports. It is safe for concurrent use.
type Collector struct {
	store      *store.Store
	log        *slog.Logger
	now        func() time.Time
	stored     func(site string, n int)
	dropped    func(site, reason string, n int64)
	secret     func() Secret
	maxReports int
	maxBytes   int64

	networks  networks
	reports   *budget // of accepted and rejected ones alike
	newIssues *budget
	policies  *cache[*policy]

	bytes   atomic.Int64 // of bodies, from reading to answering
	buffers buffers
	health  health

	mu      sync.Mutex
	sites   map[string]bool // those that have handlers
	digests digests
	pending *round
	closing bool
	wake    chan struct{} // holds one token: there is work, or the end has come
	ended   chan struct{}
}

// round is what one transaction stores. All who added to it wait for done.
type round struct {
	batch   store.Batch
	reports int // accepted ones
	bySite  map[string]int
	digests []store.Digest
	dirty   bool // holds reports or drops
	done    chan struct{}
	err     error // set before done is closed
}

const (
	defaultMaxReports = 20_000
	defaultMaxBytes   = 64 << 20

	// commitTimeout bounds a commit, and so how long Close and a sender wait for one.
	commitTimeout = 15 * time.Second
)

// New returns a Collector that runs one goroutine until Close.
func New(config Config) (*Collector, error) {
	if config.Store == nil {
		return nil, errors.New("collect: Config.Store is nil")
	}
	if config.MaxQueuedReports < 0 || config.MaxQueuedBytes < 0 {
		return nil, errors.New("collect: a limit in Config is negative")
	}
	stored, err := config.Store.Digests(context.Background())
	if err != nil {
		return nil, fmt.Errorf("collect: %w", err)
	}
	config = config.withDefaults()
	began := config.Now()
	c := &Collector{
		store: config.Store, log: config.Logger, now: config.Now, stored: config.Stored, dropped: config.Dropped,
		secret: config.Secret, maxReports: config.MaxQueuedReports, maxBytes: config.MaxQueuedBytes,
		reports: newBudget(config.Limits.Reports, began), newIssues: newBudget(config.Limits.NewIssues, began),
		policies: newPolicies(), sites: map[string]bool{}, wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	c.digests.load(stored)
	c.pending = c.newRound()
	go c.run()
	return c, nil
}

func (config Config) withDefaults() Config {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Stored == nil {
		config.Stored = func(string, int) {}
	}
	if config.Dropped == nil {
		config.Dropped = func(string, string, int64) {}
	}
	if config.Secret == nil {
		config.Secret = fresh()
	}
	config.Limits = config.Limits.orDefault()
	config.MaxQueuedReports = cmp.Or(config.MaxQueuedReports, defaultMaxReports)
	config.MaxQueuedBytes = cmp.Or(config.MaxQueuedBytes, defaultMaxBytes)
	return config
}

// SetLimits changes the limits from now on.
func (c *Collector) SetLimits(limits Limits) {
	limits = limits.orDefault()
	c.reports.set(limits.Reports)
	c.newIssues.set(limits.NewIssues)
}

// Handler takes the reports of one site, on any path. Two handlers may have the same site.
func (c *Collector) Handler(site Site) http.Handler {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sites[site.Name] = true
	h := &handler{collector: c, site: newHosts(site, len(c.sites), c.policies), client: site.Client}
	if h.client == nil {
		h.client = peer
	}
	return h
}

// Close stores what is queued and ends the goroutine. Reports that come later are answered 503. If ctx ends first, Close returns
// its error, and the last commit still runs to its end.
func (c *Collector) Close(ctx context.Context) error {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.signal()
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
