// Package need finds what a test needs from the machine. Without it the test is skipped,
// loudly, or fails when the environment variable MERLON_TEST_REQUIRE is 1, as it is in CI.
package need

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
)

// Require is the environment variable that turns what is missing into a failure.
const Require = "MERLON_TEST_REQUIRE"

// All is the environment variable that asks for the heavy tests, as scripts/test --all does.
const All = "MERLON_TEST_ALL"

// Everything reports whether heavy tests are asked for. A test may do less without them; one that skips must say that it
// runs in scripts/test --all.
func Everything() bool { return os.Getenv(All) == "1" }

// Chromium returns the path of a Chromium, Chrome or Edge.
func Chromium(t testing.TB) string {
	t.Helper()
	path, err := browser.Find()
	if err != nil {
		Missing(t, "a browser", err.Error())
	}
	return path
}

// Python returns the path of a Python 3 that can import the modules. The system's own is
// asked first: packages such as python3-django install for that one.
func Python(t testing.TB, modules ...string) string {
	t.Helper()
	script := "import sys"
	for _, m := range modules {
		script += "; import " + m
	}
	for _, name := range []string{"/usr/bin/python3", "python3", "python"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.CommandContext(t.Context(), path, "-c", script).Run() == nil {
			return path
		}
	}
	what := strings.Join(append([]string{"Python 3"}, modules...), " with ")
	Missing(t, what, "apt-get install python3 "+packages(modules)+"(Debian), or pip install "+strings.Join(modules, " "))
	return ""
}

func packages(modules []string) string {
	var list strings.Builder
	for _, m := range modules {
		list.WriteString("python3-" + m + " ")
	}
	return list.String()
}

// Missing ends the test because what is not there: it fails when MERLON_TEST_REQUIRE is 1,
// and is skipped otherwise. go test shows no output of packages that pass, so the skip is
// also written to the terminal, if there is one.
func Missing(t testing.TB, what, howToInstall string) {
	t.Helper()
	text := fmt.Sprintf("needs %s: %s", what, howToInstall)
	if os.Getenv(Require) == "1" {
		t.Fatal(text)
	}
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		fmt.Fprintf(tty, "SKIP %s %s\n", t.Name(), text)
		tty.Close()
	}
	t.Skip(text)
}
