package middleware_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/merlon-sec/merlon"
)

// nineHeaders is Strict with a policy that needs no nonce, and without Origin-Agent-Cluster, which unrolled/secure
// does not know.
func nineHeaders() merlon.Config {
	config := merlon.Strict()
	config.CSP = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'"
	config.OriginAgentCluster = merlon.Remove
	return config
}

func withNonce() merlon.Config {
	config := merlon.Strict()
	config.OriginAgentCluster = merlon.Remove
	return config
}

func headerContenders(tb testing.TB) []contender {
	m := guarded(tb, nineHeaders())
	headers := record(m)
	return []contender{bare(), loop(headers), calls(headers), m, unrolled(headers)}
}

func nonceContenders(tb testing.TB) []contender {
	m := guarded(tb, withNonce())
	headers := record(m)
	return []contender{bare(), nonceLoop(headers), m, unrolled(headers)}
}

func BenchmarkHeaders(b *testing.B) { race(b, headerContenders(b)) }

func BenchmarkNonce(b *testing.B) { race(b, nonceContenders(b)) }

func race(b *testing.B, contenders []contender) {
	for _, c := range contenders {
		b.Run(c.name, func(b *testing.B) {
			handler := c.wrap(page(c.nonce))
			w, r := &response{header: http.Header{}}, request()
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				handler.ServeHTTP(w, r)
			}
		})
	}
}

// A comparison of contenders that do different work would say nothing.
func TestContendersSendTheSame(t *testing.T) {
	for name, contenders := range map[string][]contender{"headers": headerContenders(t), "nonce": nonceContenders(t)} {
		want := sorted(record(contenders[1]))
		if len(want) != 9 {
			t.Errorf("%s: %s sends %d headers, want 9: %v", name, contenders[1].name, len(want), want)
		}
		for _, c := range contenders[2:] {
			if got := sorted(record(c)); !slices.Equal(got, want) {
				t.Errorf("%s: %s sends\n%v\nwant the same as %s\n%v", name, c.name, got, contenders[1].name, want)
			}
		}
	}
}

func sorted(headers []header) []header {
	slices.SortFunc(headers, func(a, b header) int { return cmp.Compare(a.name, b.name) })
	return headers
}

// page is a handler that allocates nothing itself. A page with a script asks for its nonce.
func page(nonce func(context.Context) string) http.Handler {
	contentType, body := []string{"text/html; charset=utf-8"}, []byte("<!doctype html><title>page</title>")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = contentType
		nonce(r.Context())
		w.Write(body)
	})
}

func request() *http.Request {
	r := httptest.NewRequest("GET", "/page", nil)
	r.Host = "shop.example"
	r.TLS = &tls.ConnectionState{}
	return r
}

// A response forgets what is written to it. Its header map is used again, so that no contender pays for its growth.
type response struct{ header http.Header }

func (w *response) Header() http.Header         { return w.header }
func (w *response) Write(p []byte) (int, error) { return len(p), nil }
func (w *response) WriteHeader(int)             {}
