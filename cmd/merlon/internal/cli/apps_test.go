package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// placeholder is the secret that the applications of testdata print in /placeholder.
const placeholder = "n5f2a1c0d4e8b7a6935f2a1c0d4e8b7a6"

// placeholderFile returns a new file with the secret.
func placeholderFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "placeholder")
	if err := os.WriteFile(name, []byte(placeholder+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// program is one that runs until its test ends, with what it prints.
type program struct {
	*wait.Output
	ended chan struct{}
}

// startProgram starts a program that ends with the test, its children included.
func startProgram(t *testing.T, cmd *exec.Cmd) program {
	t.Helper()
	p := program{wait.NewOutput(nil), make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.Output, p.Output
	cmd.WaitDelay = 5 * time.Second // for children that hold the output open
	ownGroup(cmd)
	started := make(chan error, 1)
	go func() {
		defer close(p.ended)
		runtime.LockOSThread() // on Linux the program is killed when the thread that started it ends (see ownGroup)
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait() // says that it was killed
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		killGroup(cmd)
		<-p.ended
		for deadline := time.Now().Add(limit); groupLives(cmd); time.Sleep(5 * time.Millisecond) { // nobody tells us of its children
			if time.Now().After(deadline) {
				t.Errorf("children of %s outlive it", cmd.Path)
				return
			}
		}
	})
	return p
}

// await waits until the output matches and returns the first group.
func (p program) await(t *testing.T, what *regexp.Regexp) string {
	t.Helper()
	var m []string
	p.Match(t, what.String(), p.ended, func(printed string) bool { m = what.FindStringSubmatch(printed); return m != nil })
	return m[1]
}

// portLine is what the applications print when they listen, PHP's server in its own words.
var portLine = regexp.MustCompile(`(?m)(?:^|http://127\.0\.0\.1:)(\d+)(?:$|\) started)`)

// startApp starts an application of testdata and returns its address.
func startApp(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	cmd.Env = append(cmd.Environ(), "MERLON_PLACEHOLDER_FILE="+placeholderFile(t))
	return "http://127.0.0.1:" + startProgram(t, cmd).await(t, portLine)
}

// startPython starts an application of testdata, with the framework as Debian ships it, and returns its address.
func startPython(t *testing.T, framework string, args ...string) string {
	t.Helper()
	return startApp(t, exec.Command(need.Python(t, framework), append([]string{"testdata/" + framework + "_site.py"}, args...)...))
}
