package dash_test

import (
	"io"
	"testing"
)

// BenchmarkPages renders each page over a site with as many issues as it can have.
func BenchmarkPages(b *testing.B) {
	r := newRig(b)
	r.crowd()
	cookie := r.logIn()
	for _, target := range []string{"/", "/issues", "/issues?text=nothing", "/issues/1", "/drops"} {
		b.Run(target, func(b *testing.B) {
			var size int64
			for b.Loop() {
				size, _ = io.Copy(io.Discard, r.do("GET", target, nil, cookie).Body)
			}
			b.ReportMetric(float64(size), "bytes/page")
		})
	}
}
