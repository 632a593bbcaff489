package dash

import (
	"fmt"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// spark is a small chart of one issue's reports. It says its numbers by the day.
type spark struct {
	first time.Time
	bars  []int64 // of sparkStep each
}

const (
	sparkDays   = 7
	sparkStep   = 6 * time.Hour
	sparkBar    = 4
	sparkHeight = 24
)

func newSpark(now time.Time, points []store.Point) *spark {
	s := &spark{first: firstDay(now, sparkDays), bars: make([]int64, sparkDays*24*time.Hour/sparkStep)}
	for _, p := range points {
		if i := int(p.At.Sub(s.first) / sparkStep); !p.At.Before(s.first) && i < len(s.bars) {
			s.bars[i] += p.Enforced + p.Reported + p.Unknown
		}
	}
	return s
}

// Width is that of the drawing.
func (s *spark) Width() int { return len(s.bars) * sparkBar }

// Height is that of the drawing.
func (s *spark) Height() int { return sparkHeight }

// Path draws the bars as one shape.
func (s *spark) Path() string {
	var highest int64 = 1
	for _, n := range s.bars {
		highest = max(highest, n)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M0 %dH%dv-1H0z", sparkHeight, s.Width())
	for i, n := range s.bars {
		if n > 0 {
			height := max(float64(n)/float64(highest)*sparkHeight, 2)
			fmt.Fprintf(&b, "M%d %dv-%.1fh%dV%dz", i*sparkBar, sparkHeight, height, sparkBar-1, sparkHeight)
		}
	}
	return b.String()
}

// Summary says the numbers of the days.
func (s *spark) Summary() string {
	const perDay = int(24 * time.Hour / sparkStep)
	var days []string
	for day := range sparkDays {
		var n int64
		for _, bar := range s.bars[day*perDay : (day+1)*perDay] {
			n += bar
		}
		days = append(days, s.first.AddDate(0, 0, day).Format("2 Jan")+": "+number(n))
	}
	return "Reports by the day: " + strings.Join(days, ", ")
}
