package access_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
)

func hello(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }

// sink is a writer that keeps nothing, so that what is counted is the record's own.
type sink struct{ header http.Header }

func (s sink) Header() http.Header             { return s.header }
func (sink) Write(b []byte) (int, error)       { return len(b), nil }
func (sink) WriteString(b string) (int, error) { return len(b), nil }
func (sink) WriteHeader(int)                   {}
func (sink) Flush()                            {}
func (sink) CloseNotify() <-chan bool          { return nil }

// Without a log a record costs itself and a copy of the request that carries it; a line costs three more.
func TestAllocations(t *testing.T) {
	r := httptest.NewRequest("GET", "/a/b?c=d", nil)
	for name, tc := range map[string]struct {
		log  *access.Log
		most float64
	}{
		"off":  {nil, 2},
		"text": {access.NewLog(io.Discard, access.Options{Format: access.Text}), 5 + droppedByRace},
		"json": {access.NewLog(io.Discard, access.Options{Format: access.JSON}), 5 + droppedByRace},
	} {
		h := &access.Handler{Next: http.HandlerFunc(hello), Log: tc.log}
		if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(sink{}, r) }); n > tc.most {
			t.Errorf("%s: %v allocations, want at most %v", name, n, tc.most)
		}
	}
}

func BenchmarkHandler(b *testing.B) {
	r := httptest.NewRequest("GET", "/a/b?c=d", nil)
	for _, tc := range []struct {
		name string
		h    http.Handler
	}{
		{"bare", http.HandlerFunc(hello)},
		{"record", &access.Handler{Next: http.HandlerFunc(hello)}},
		{"text", &access.Handler{Next: http.HandlerFunc(hello), Log: access.NewLog(io.Discard, access.Options{Format: access.Text})}},
		{"json", &access.Handler{Next: http.HandlerFunc(hello), Log: access.NewLog(io.Discard, access.Options{Format: access.JSON})}},
	} {
		b.Run(tc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tc.h.ServeHTTP(sink{}, r)
			}
		})
	}
}
