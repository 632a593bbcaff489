package upkeep

import "time"

// clock notices that the system's clock was set. What is old goes for good, and a clock that is wrong makes everything old.
type clock struct {
	wall     time.Time // without monotonic reading
	real     time.Time // its monotonic reading counts
	distrust time.Time // until then, by real
}

const (
	maxDrift = 30 * time.Minute // between two rounds of maintenance; less makes nothing old
	distrust = 24 * time.Hour   // in which somebody can set it right
)

// steady reports whether the clock has gone on as time has, for a day.
func (c *clock) steady(now time.Time) bool {
	wall, real := now.Round(0), time.Now()
	if !c.wall.IsZero() && (wall.Sub(c.wall)-real.Sub(c.real)).Abs() > maxDrift {
		c.distrust = real.Add(distrust)
	}
	c.wall, c.real = wall, real
	return !real.Before(c.distrust)
}
