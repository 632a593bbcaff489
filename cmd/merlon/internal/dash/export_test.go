package dash

import (
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// What the tests reach besides the exported names.
var (
	Cut    = cut
	Prose  = prose
	Number = number

	RoundUp     = roundUp
	Percent     = percent
	PerThousand = perThousand
)

func Ago(now, at time.Time) string { return instant{at, now}.Ago() }

func Headline(i store.Issue) string { return newRulebook().adviceFor(i).Headline }

// Chart draws a chart: of each bar its parts, as their place and height, and how many rows the table has.
func Chart(now time.Time, days int, points []store.Point) (bars [][][2]string, rows int) {
	c := newChart("", "", now, days, points)
	for _, b := range c.Bars() {
		var parts [][2]string
		for _, p := range b.Parts {
			parts = append(parts, [2]string{p.Y, p.Height})
		}
		bars = append(bars, parts)
	}
	return bars, len(c.Filled())
}
