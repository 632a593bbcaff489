package alert

import (
	"fmt"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

var jump = Condition{ID: "jump", Title: "many more reports than usual",
	Why:   "A deployment that missed the policy looks like this, and so does an attack.",
	Over:  "An hour went by with the usual number, or somebody has decided about the issue.",
	Check: checkJump}

func checkJump(s *Snapshot) []Finding {
	var out []Finding
	for _, i := range s.Facts.Issues {
		unconfirmed, ok := tells(i)
		if !ok || s.Now.Sub(i.FirstSeen) < day { // what is new has no usual number
			continue
		}
		peak, usual := compare(i.Hours, i.FirstSeen, s.Now)
		if peak < s.Config.JumpFrom || float64(peak) < s.Config.Jump*usual {
			continue
		}
		f := about(i, unconfirmed)
		f.Why = fmt.Sprintf("%d reports in an hour; over the last week it were %.1f at this time of the day.", peak, usual)
		out = append(out, f)
	}
	return out
}

// compare returns the greater of the counts of this hour and the one before, and how many an hour had before: of all hours of a week, or
// of those around this time of the day where those have more, since most sites have a busy time each day.
func compare(hours []store.HourCount, first, now time.Time) (peak int64, usual float64) {
	this := now.Truncate(time.Hour)
	last := this.Add(-time.Hour)
	begin := later(last.Add(-week), first.Truncate(time.Hour))
	var all, near int64
	for _, h := range hours {
		switch {
		case !h.Hour.Before(last):
			peak = max(peak, h.Count)
		case !h.Hour.Before(begin):
			all += h.Count
			if aroundSameTime(h.Hour, last) {
				near += h.Count
			}
		}
	}
	past := last.Sub(begin).Hours()
	if past <= 0 {
		return peak, 0
	}
	// Four hours of a day are around the two that are looked at.
	return peak, max(float64(all)/past, float64(near)/max(past*4/24, 1))
}

// aroundSameTime reports whether an hour is from one before to two after another one on the clock.
func aroundSameTime(hour, other time.Time) bool {
	return (hour.Sub(other)%day+day+time.Hour)%day < 4*time.Hour
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

var silence = Condition{ID: "silence", Title: "no reports any more",
	Why:   "Reports that stop are more often a broken pipeline (a lost header, a blocked path) than a perfect site.",
	Over:  "Reports arrive again.",
	Check: checkSilence}

// expectedAtLeast is the usual number of reports in a span from which on none cannot be chance: e^-10 is one in twenty thousand.
const expectedAtLeast = 10

// leastDays are how many days tell what is usual.
const leastDays = 2

func checkSilence(s *Snapshot) []Finding {
	span := s.Config.Silence.Truncate(time.Hour)
	if s.Site == "" || s.Up < s.Config.Silence || s.Facts.Counted && s.Facts.Sent == 0 {
		return nil // a process that was down, or a site without visitors, has no reports
	}
	now := s.Now.Truncate(time.Hour)
	if total(s.Facts.Reports, now.Add(-span), s.Now) > 0 {
		return nil
	}
	var sum, days, empty int64
	for ago := day; ago <= week; ago += day {
		from := now.Add(-span - ago)
		if s.Facts.First.IsZero() || from.Before(s.Facts.First) {
			break
		}
		n := total(s.Facts.Reports, from, now.Add(-ago))
		sum, days = sum+n, days+1
		if n == 0 {
			empty = days
		}
	}
	// With a whole week to look at, the same day of the week decides: offices are closed on Sundays. With less, no day may be empty.
	if days < leastDays || sum < expectedAtLeast*days || empty == 7 || days < 7 && empty > 0 {
		return nil
	}
	what := fmt.Sprintf("none for %d hours", int(span.Hours()))
	why := fmt.Sprintf("At this time of the day there were %d on average over the last %d days.", sum/days, days)
	if s.Facts.Counted {
		why += fmt.Sprintf(" Meanwhile %d documents were sent.", s.Facts.Sent)
	}
	return []Finding{{What: what, Why: why}}
}

// total is the sum of the hours that begin from from until before to.
func total(hours []store.HourCount, from, to time.Time) (sum int64) {
	for _, h := range hours {
		if !h.Hour.Before(from) && h.Hour.Before(to) {
			sum += h.Count
		}
	}
	return sum
}
