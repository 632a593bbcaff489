package middleware_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
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

// routeContenders serve the same page on a route that may be framed by a partner. By hand that is another set of headers.
func routeContenders(tb testing.TB) []contender {
	guard, err := merlon.New(nineHeaders())
	if err != nil {
		tb.Fatal(err)
	}
	route := guard.With("contract 114", merlon.FrameBy("https://partner.example"))
	m := contender{"merlon", func(next http.Handler) http.Handler { return guard.Handler(route.Handler(next)) }, merlon.Nonce}
	headers := record(m)
	return []contender{bare(), loop(headers), calls(headers), m, unrolled(headers)}
}

// randomContenders send from 3 to 15 headers that a seed chooses. Unrolled knows too few of them to take part.
func randomContenders(tb testing.TB, seed uint64) []contender {
	m := guarded(tb, randomConfig(rand.New(rand.NewPCG(seed, 0))))
	headers := record(m)
	return []contender{bare(), loop(headers), calls(headers), m}
}

func randomConfig(r *rand.Rand) merlon.Config {
	config := merlon.Off()
	config.CSP, config.Frame = "default-src 'self'; img-src 'self' data: https:", merlon.Frame{"deny"}
	choices := []func(){
		func() { config.ContentTypeOptions = "nosniff" },
		func() { config.ReferrerPolicy = "same-origin" },
		func() { config.PermissionsPolicy = "camera=(), microphone=()" },
		func() { config.OpenerPolicy = "same-origin" },
		func() { config.EmbedderPolicy = "require-corp" },
		func() { config.ResourcePolicy = "same-origin" },
		func() { config.OriginAgentCluster = "?1" },
		func() { config.XSSProtection = "0" },
		func() { config.DNSPrefetchControl = "deny" },
		func() { config.CrossDomainPolicies = "none" },
		func() { config.Trial = "require-trusted-types-for 'script'" },
		func() { config.HTTPS.HSTS = "365d" },
		func() { config.Headers = map[string]string{"X-Robots-Tag": "noindex"} },
	}
	r.Shuffle(len(choices), func(i, j int) { choices[i], choices[j] = choices[j], choices[i] })
	for _, choose := range choices[:1+r.IntN(len(choices))] {
		choose()
	}
	return config
}

func BenchmarkHeaders(b *testing.B) { race(b, headerContenders(b)) }

func BenchmarkRoute(b *testing.B) { race(b, routeContenders(b)) }

func BenchmarkRandom(b *testing.B) {
	const seeds = 5
	for seed := range uint64(seeds) {
		contenders := randomContenders(b, seed)
		b.Run(fmt.Sprintf("%d-headers", len(record(contenders[1]))), func(b *testing.B) { race(b, contenders) })
	}
}

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
	all := map[string][]contender{"headers": headerContenders(t), "nonce": nonceContenders(t), "route": routeContenders(t)}
	for seed := range uint64(20) {
		all[fmt.Sprint("random ", seed)] = randomContenders(t, seed)
	}
	for name, contenders := range all {
		want := sorted(record(contenders[1]))
		if n := len(want); (name == "headers" || name == "nonce") && n != 9 || n < 3 || n > 15 {
			t.Errorf("%s: %s sends %d headers: %v", name, contenders[1].name, len(want), want)
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
