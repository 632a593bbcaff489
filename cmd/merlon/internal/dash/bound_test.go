package dash_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// crowd fills the store with as many confirmed issues as a site can have, and one for the rest, each with long hostile values.
func (r *rig) crowd() {
	r.t.Helper()
	long := strings.Repeat(`<"&`, 170)
	for from := 0; from < store.MaxIssues; from += 500 {
		var b store.Batch
		for i := from; i < from+500; i++ {
			h := r.complete(store.Hit{Directive: "img-src", Class: "origin", Blocked: fmt.Sprint(i, long), Sample: long[:120], Network: spot(i),
				Route: "/" + long[:250], Source: long[:250], Body: func() string { return long }})
			h.At = r.clock.Now().Add(-time.Duration(i) * time.Minute)
			b.Add(h)
			h.Network++ // a second one confirms it
			b.Add(h)
		}
		r.commit(&b)
	}
}

// The number of bytes of a page does not grow with the number of issues.
func TestPagesAreBounded(t *testing.T) {
	r := newRig(t)
	r.crowd()
	cookie := r.logIn()
	for target, most := range map[string]int{"/": 400 << 10, "/issues": 800 << 10, "/issues?sort=count&text=a": 800 << 10, "/issues/1": 200 << 10, "/drops": 8 << 10} {
		body, _ := io.ReadAll(r.do("GET", target, nil, cookie).Body)
		if len(body) > most || len(body) < 1000 {
			t.Errorf("%s has %d bytes, want at most %d", target, len(body), most)
		}
	}
	doc := r.page("/issues", 200, cookie)
	if n := len(find(doc, "table.rows tbody tr")); n != 50 {
		t.Errorf("%d rows, want 50", n)
	}
	wantText(t, doc, "p.total", "4 501 issues, 50 on this page")
}

// An issue whose every facet is full, with samples as large as they can be.
func TestTheLargestIssueIsBounded(t *testing.T) {
	r := newRig(t)
	long := strings.Repeat(`<"&`, 170)
	var b store.Batch
	for i := range 200 {
		s := fmt.Sprint(i, long)
		h := r.complete(store.Hit{Directive: "img-src", Route: s, Browser: s, Policy: s, Source: s, App: s, Verdict: store.Noise, Rule: s,
			Body: func() string { return "[" + strings.Repeat("[],", 1300) + "[]]" }})
		h.At = r.clock.Now().Add(-time.Duration(i) * time.Hour)
		h.Fingerprint = store.Fingerprint{}
		b.Add(h)
	}
	r.commit(&b)
	for range store.MaxSamples {
		r.clock.Advance(time.Hour)
		r.hit(store.Hit{Directive: "img-src", Body: func() string { return "[" + strings.Repeat("[],", 1300) + "[]]" }}, 1, report.Enforce)
	}
	body, _ := io.ReadAll(r.do("GET", "/issues/1", nil, r.logIn()).Body)
	if len(body) > 1<<20 {
		t.Errorf("%d bytes, want at most a megabyte", len(body))
	}
}
