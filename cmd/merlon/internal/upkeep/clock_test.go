package upkeep_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/upkeep"
)

// A clock that jumps ahead makes everything old, until somebody sets it right.
func TestClockThatWasSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steady, ahead := upkeep.Steady(), time.Duration(0)
		want := func(what string, want bool) {
			t.Helper()
			time.Sleep(time.Hour)
			if got := steady(time.Now().Add(ahead)); got != want {
				t.Errorf("%s: trusted %t, want %t", what, got, want)
			}
		}
		want("at the start", true)
		want("an hour later", true)
		ahead = 400 * 24 * time.Hour
		want("a year ahead", false)
		want("and still", false)
		ahead = 0
		for range 24 {
			want("set right", false)
		}
		want("after a day", true)
		ahead = -time.Minute
		want("a minute behind", true)
	})
}
