package collect_test

import (
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
)

func TestHealth(t *testing.T) {
	f := start(t, collect.Config{MaxQueuedReports: 1})
	want := func(when string, want collect.Health) {
		t.Helper()
		if got := f.collector.Health(); got != want {
			t.Errorf("%s: Health() = %+v, want %+v", when, got, want)
		}
	}
	want("at the start", collect.Health{Max: 1})
	if w := f.post(shop, "https://shop.example/r", "["+reportsAPI+","+reportsAPI+"]"); w.Code != 503 {
		t.Fatalf("two reports where one has room: status %d", w.Code)
	}
	want("with the queue full", collect.Health{Refused: 2, Max: 1})
	f.store.Close()
	if w := f.post(shop, "https://shop.example/r", legacy("")); w.Code != 503 {
		t.Fatalf("without a database: status %d", w.Code)
	}
	want("without a database", collect.Health{Failing: true, Refused: 3, Max: 1})
}

const reportsAPI = `{"type":"csp-violation","url":"https://shop.example/","body":{"documentURL":"https://shop.example/","effectiveDirective":"img-src","blockedURL":"https://a.example/","disposition":"enforce"}}`
