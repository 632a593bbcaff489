package collect_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// BenchmarkPost posts reports over 64 connections: to a handler that decodes and drops them, and to one that stores them before
// it answers, as 1, 20 and very many distinct issues. Client and server share the machine.
func BenchmarkPost(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		post(b, 1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, report.MaxBatchBytes))
			if err == nil {
				_, err = report.Decode(data)
			}
			if err != nil {
				b.Error(err)
			}
			w.WriteHeader(http.StatusNoContent)
		}))
	})
	for _, distinct := range []int{1, 20, 50_000} {
		b.Run(fmt.Sprintf("durable-%d", distinct), func(b *testing.B) {
			s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "reports.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			c, err := collect.New(collect.Config{Store: s, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close(b.Context())
			post(b, distinct, c.Handler(shop))
		})
	}
}

func post(b *testing.B, distinct int, handler http.Handler) {
	server := httptest.NewServer(handler)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var n atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := legacy(fmt.Sprintf(`,"blocked-uri":"https://c%d.example/x"`, n.Add(1)%int64(distinct)))
			resp, err := client.Post(server.URL, "application/csp-report", strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusNoContent {
				b.Errorf("status %d", resp.StatusCode)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reports/s")
}
