package wait_test

import (
	"fmt"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// What is found in both is found in the one that it was written to.
func TestOutputIsInBothAtOnce(t *testing.T) {
	for i := range 1000 {
		both := wait.NewOutput(nil)
		one, line := wait.NewOutput(both), fmt.Sprintln("line", i)
		go fmt.Fprint(one, line)
		both.For(t, line, nil)
		if got := one.String(); got != line {
			t.Fatalf("both have the line, and the one that it was written to has %q", got)
		}
	}
}

func TestUntil(t *testing.T) {
	asked := 0
	wait.Until(t, "the third time", func() bool { asked++; return asked == 3 })
	if asked != 3 {
		t.Errorf("asked %d times, want 3", asked)
	}
}
