package need_test

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
)

// recorder is a test that says how it ended.
type recorder struct {
	testing.TB
	ended string
}

func (r *recorder) Fatal(args ...any) { r.end("fatal", args) }
func (r *recorder) Skip(args ...any)  { r.end("skip", args) }
func (r *recorder) Name() string      { return "TestOf" + r.TB.Name() }

func (r *recorder) end(how string, args []any) {
	r.ended = how + ": " + fmt.Sprint(args...)
	runtime.Goexit()
}

func ending(t *testing.T, f func(testing.TB)) string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() { defer close(done); f(r) }()
	<-done
	return r.ended
}

func TestMissing(t *testing.T) {
	for value, how := range map[string]string{"": "skip", "0": "skip", "1": "fatal"} {
		t.Setenv(need.Require, value)
		got := ending(t, func(tb testing.TB) { need.Missing(tb, "a moon", "look up") })
		if want := how + ": needs a moon: look up"; got != want {
			t.Errorf("Missing with %s=%q: %q, want %q", need.Require, value, got, want)
		}
		got = ending(t, func(tb testing.TB) { need.Python(tb, "no_such_module_at_all") })
		if !strings.HasPrefix(got, how+": ") || !strings.Contains(got, "no_such_module_at_all") {
			t.Errorf("Python with a module that is not there and %s=%q: %q, want %s", need.Require, value, got, how)
		}
		got = ending(t, func(tb testing.TB) { need.Node(tb, "x.js", "no_such_module_at_all") })
		if !strings.HasPrefix(got, how+": ") || !strings.Contains(got, "no_such_module_at_all") {
			t.Errorf("Node with a module that is not there and %s=%q: %q, want %s", need.Require, value, got, how)
		}
		got = ending(t, func(tb testing.TB) { need.Program(tb, "moon-tools", "no-such-program") })
		if !strings.HasPrefix(got, how+": ") || !strings.Contains(got, "moon-tools") {
			t.Errorf("Program that is not there and %s=%q: %q, want %s", need.Require, value, got, how)
		}
	}
}

func TestFound(t *testing.T) {
	python := need.Python(t, "json", "http.server")
	out, err := exec.CommandContext(t.Context(), python, "-c", "print(6*7)").Output()
	if err != nil || strings.TrimSpace(string(out)) != "42" {
		t.Errorf("%s: %q, %v", python, out, err)
	}
	if path := need.Chromium(t); path == "" {
		t.Error("Chromium: no path")
	}
}
