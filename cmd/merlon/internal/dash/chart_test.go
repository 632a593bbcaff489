package dash_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func TestRoundUp(t *testing.T) {
	for n, want := range map[int64]int64{0: 2, 1: 2, 2: 2, 3: 4, 4: 4, 5: 10, 10: 10, 11: 20, 21: 40, 99: 100, 101: 200, 1201: 2000} {
		if got := dash.RoundUp(n); got != want {
			t.Errorf("RoundUp(%d) = %d, want %d", n, got, want)
		}
	}
	if got := dash.RoundUp(math.MaxInt64); got <= 0 {
		t.Errorf("RoundUp of the largest number = %d", got)
	}
}

func TestPercent(t *testing.T) {
	for part, want := range map[float64]string{0: "0 %", 0.2: "< 1 %", 1: "1 %", 49.6: "50 %", 99.2: "> 99 %", 100: "100 %"} {
		if got := dash.Percent(part); got != want {
			t.Errorf("Percent(%v) = %q, want %q", part, got, want)
		}
	}
}

func TestPerThousand(t *testing.T) {
	for rate, want := range map[float64]string{0: "0.00", 0.001: "< 0.01", 0.25: "0.25", 20.55: "20.6", 999.7: "1000"} {
		if got := strings.ReplaceAll(dash.PerThousand(rate), "\u202f", ""); got != want {
			t.Errorf("PerThousand(%v) = %q, want %q", rate, got, want)
		}
	}
}

// Whatever the counts and times are, nothing of a chart leaves its drawing, and its table has all that is in it.
func FuzzChart(f *testing.F) {
	f.Add(int64(0), int64(1), int64(2), int64(3), true)
	f.Add(int64(-9e17), int64(1e9), int64(0), int64(0), false)
	f.Add(int64(3600_000), int64(0), int64(0), int64(1), true)
	f.Fuzz(func(t *testing.T, ago, enforced, reported, unknown int64, week bool) {
		now := time.Date(2026, 3, 24, 12, 0, 0, 0, time.UTC)
		days := 30
		if week {
			days = 7
		}
		const most = 1 << 50
		point := store.Point{At: time.UnixMilli(now.UnixMilli() - ago), Enforced: clamp(enforced, most), Reported: clamp(reported, most), Unknown: clamp(unknown, most)}
		bars, rows := dash.Chart(now, days, []store.Point{point, {At: now, Enforced: 1}})
		if len(bars) != rows || rows < 1 || rows > 2 {
			t.Errorf("%d bars and %d rows", len(bars), rows)
		}
		for _, parts := range bars {
			for _, p := range parts {
				y, err := strconv.ParseFloat(p[0], 64)
				height, err2 := strconv.ParseFloat(p[1], 64)
				if err != nil || err2 != nil || y < -5 || height < 0 || y+height > 100.01 {
					t.Errorf("a part at %s, %s high", p[0], p[1])
				}
			}
		}
	})
}

func clamp(n, most int64) int64 { return max(0, min(n, most)) }
