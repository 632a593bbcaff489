package dash

import (
	"fmt"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// series is one of the things that a chart stacks. Class names its color and its key in the style sheet.
type series struct{ Class, Name string }

// dispositions are what charts of reports stack, from the bottom up. The gravest stands on the ground, where heights compare best.
func dispositions() []series {
	return []series{{"enforced", "blocked"}, {"reported", "report-only"}, {"unknown", "not said"}}
}

// slot is a stretch of time with a count for each series.
type slot struct {
	At     time.Time
	Counts []int64
}

// Total is the height of the whole stack.
func (s slot) Total() (n int64) {
	for _, count := range s.Counts {
		n += count
	}
	return n
}

// chart is a row of stacked bars. Each comes with a table of the same numbers.
type chart struct {
	ID     string // of the elements that name it
	Title  string
	Series []series
	Slots  []slot
	Step   time.Duration
	Labels []string // below it, each under as many slots as the others
}

// The measures of a chart's drawing, which the style sheet stretches to the width of the page.
const (
	slotWidth   = 10
	barWidth    = 8
	chartHeight = 100
	leastHeight = 1.5 // so that one report among thousands is seen
)

// bar is one slot as it is drawn.
type bar struct {
	X     int
	Title string
	Parts []part
}

type part struct {
	Class     string
	Y, Height string
}

// newChart lays reports out over a row of days that ends with today. It takes hours for a week, and whole days for longer.
func newChart(id, title string, now time.Time, days int, points []store.Point) chart {
	c := chart{ID: id, Title: title, Series: dispositions(), Step: 24 * time.Hour}
	if days <= hourlyDays {
		c.Step = time.Hour
	}
	first := firstDay(now, days)
	for at := first; at.Before(first.AddDate(0, 0, days)); at = at.Add(c.Step) {
		c.Slots = append(c.Slots, slot{at, make([]int64, len(c.Series))})
	}
	for _, p := range points {
		if i := int(p.At.Sub(first) / c.Step); !p.At.Before(first) && i < len(c.Slots) {
			for s, n := range []int64{p.Enforced, p.Reported, p.Unknown} {
				c.Slots[i].Counts[s] += n
			}
		}
	}
	c.Labels = labels(first, days)
	return c
}

// firstDay is the beginning of a row of days that ends with today.
func firstDay(now time.Time, days int) time.Time {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-days)
}

// hourlyDays is how many days a chart by the hour has: more bars would be thinner than a pixel.
const hourlyDays = 7

// labels are the dates below a chart: of each day, or of the first of five.
func labels(first time.Time, days int) (names []string) {
	step := 1
	if days > hourlyDays {
		step = 5
	}
	for day := 0; day < days; day += step {
		names = append(names, first.AddDate(0, 0, day).Format("2 Jan"))
	}
	return names
}

// Width is that of the drawing.
func (c chart) Width() int { return len(c.Slots) * slotWidth }

// Height is that of the drawing.
func (c chart) Height() int { return chartHeight }

// Top is the count at the upper edge: a round one, no less than the highest stack.
func (c chart) Top() int64 {
	var highest int64
	for _, s := range c.Slots {
		highest = max(highest, s.Total())
	}
	return roundUp(highest)
}

// roundUp returns the next of 2, 4, 10, 20, 40, 100 ..., whose halves are whole.
func roundUp(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, digit := range []int64{2, 4, 10} {
			if n <= digit*unit || unit > 1e16 {
				return digit * unit
			}
		}
	}
}

// Half is the count of the line in the middle.
func (c chart) Half() int64 { return c.Top() / 2 }

// Total is the sum of everything in the chart.
func (c chart) Total() (n int64) {
	for _, s := range c.Slots {
		n += s.Total()
	}
	return n
}

// Filled are the slots with reports, the last one first, for the table.
func (c chart) Filled() []slot {
	var filled []slot
	for i := range c.Slots {
		if s := c.Slots[len(c.Slots)-1-i]; s.Total() > 0 {
			filled = append(filled, s)
		}
	}
	return filled
}

// When names a slot.
func (c chart) When(s slot) string {
	if c.Step < 24*time.Hour {
		return s.At.Format("2 Jan 15:04")
	}
	return s.At.Format("2 Jan 2006")
}

// Unit is what one bar stands for.
func (c chart) Unit() string {
	if c.Step < 24*time.Hour {
		return "Hour"
	}
	return "Day"
}

// Bars draws the slots that have something to draw.
func (c chart) Bars() []bar {
	top := float64(c.Top())
	var bars []bar
	for i, s := range c.Slots {
		if s.Total() == 0 {
			continue
		}
		b := bar{X: i*slotWidth + (slotWidth-barWidth)/2, Title: c.describe(s)}
		ground := float64(chartHeight)
		for k, n := range s.Counts {
			if n > 0 {
				height := max(float64(n)/top*chartHeight, leastHeight)
				ground -= height
				b.Parts = append(b.Parts, part{c.Series[k].Class, decimal(ground), decimal(height)})
			}
		}
		bars = append(bars, b)
	}
	return bars
}

// describe says a slot in words, for who points at it.
func (c chart) describe(s slot) string {
	var words []string
	for k, n := range s.Counts {
		if n > 0 {
			words = append(words, number(n)+" "+c.Series[k].Name)
		}
	}
	return c.When(s) + ": " + strings.Join(words, ", ")
}

// Summary says the chart in a sentence, for who cannot see it.
func (c chart) Summary() string {
	highest := slot{}
	for _, s := range c.Slots {
		if s.Total() > highest.Total() {
			highest = s
		}
	}
	if highest.Total() == 0 {
		return c.Title + ": none."
	}
	return fmt.Sprintf("%s: %s, the most in one %s on %s. The table below has the numbers.",
		c.Title, number(c.Total()), strings.ToLower(c.Unit()), c.describe(highest))
}

func decimal(f float64) string { return fmt.Sprintf("%.2f", f) }
