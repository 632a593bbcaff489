package cli_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/metrics"
)

// What logs and metrics add to a small page through the gateway, over loopback. The numbers count client, gateway and
// application, which share this process.
func BenchmarkObserved(b *testing.B) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<p>page")
	}))
	defer app.Close()
	file, err := access.OpenFile(filepath.Join(b.TempDir(), "access.log"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	for _, tc := range []struct {
		name    string
		counted bool
		log     *access.Log
	}{
		{name: "bare"},
		{name: "metrics", counted: true},
		{name: "text", counted: true, log: access.NewLog(file, access.Options{Format: access.Text})},
		{name: "json", counted: true, log: access.NewLog(file, access.Options{Format: access.JSON})},
	} {
		b.Run(tc.name, func(b *testing.B) {
			h := &access.Handler{Log: tc.log}
			m := metrics.New(metrics.Build{}, h.InFlight)
			var hooks merlon.Hooks
			if tc.counted {
				hooks = m.Hooks("shop")
				h.Ended = m.Ended
			}
			h.Next = newBenchGateway(b, app.URL, hooks)
			var public http.Handler = h
			if !tc.counted {
				public = h.Next
			}
			requestAgain(b, public)
		})
	}
}

func newBenchGateway(b *testing.B, app string, hooks merlon.Hooks) http.Handler {
	b.Helper()
	upstream, err := url.Parse(app)
	if err != nil {
		b.Fatal(err)
	}
	guard, err := merlon.NewHooked(merlon.Strict(), hooks)
	if err != nil {
		b.Fatal(err)
	}
	g, err := gateway.New(gateway.Config{Logger: slog.New(slog.DiscardHandler),
		Sites: []gateway.Site{{Name: "shop", App: gateway.App{Upstream: upstream, Nonce: gateway.Nonce{Forward: true}}, Guard: guard}}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(g.Close)
	return g
}

func requestAgain(b *testing.B, h http.Handler) {
	srv := httptest.NewServer(h)
	defer srv.Close()
	b.ReportAllocs()
	for b.Loop() {
		res, err := http.Get(srv.URL)
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
}
