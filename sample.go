package merlon

import "math/rand/v2"

// samples are the shares of responses that report, and that carry the trial.
type samples struct{ reports, trial float64 }

func newSamples(c Config) samples {
	var s samples
	s.reports, _ = parseShare(c.ReportSample)
	s.trial, _ = parseShare(c.TrialSample)
	return s
}

// any reports whether responses differ by chance, so that no cache may give one to everybody.
func (s samples) any() bool { return s.reports < 1 || s.trial < 1 }

// drawn reports whether this response belongs to the share. It protects nothing, so any randomness will do.
func drawn(share float64) bool { return share >= 1 || rand.Float64() < share }
