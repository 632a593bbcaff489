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

// debianNode are the folders where Debian has the modules of Node.js. Node.js from elsewhere does not look there by itself.
const debianNode = "/usr/share/nodejs:/usr/lib/nodejs"

// Node returns a command that runs Node.js, which can require the modules, with a script.
func Node(t testing.TB, script string, modules ...string) *exec.Cmd {
	t.Helper()
	node := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "node", args...)
		cmd.Env = append(os.Environ(), "NODE_PATH="+strings.TrimPrefix(os.Getenv("NODE_PATH")+":"+debianNode, ":"))
		return cmd
	}
	var test strings.Builder
	for _, m := range modules {
		test.WriteString("require('" + m + "');")
	}
	if err := node("-e", test.String()).Run(); err != nil {
		Missing(t, strings.Join(append([]string{"Node.js"}, modules...), " with "),
			"apt-get install node-"+strings.Join(modules, " node-")+" (Debian), or npm install "+strings.Join(modules, " ")+" and its folder in NODE_PATH")
	}
	return node(script)
}

// Program returns the path of a program, by the first of the names that is found. packages is what Debian calls it.
func Program(t testing.TB, packages string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, names[0], "apt-get install "+packages+" (Debian)")
	return ""
}

// Firefox returns the path of a Firefox.
func Firefox(t testing.TB) string {
	t.Helper()
	return Program(t, "firefox-esr", "firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox")
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
