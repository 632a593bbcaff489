//go:build unix

package cli_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// child is merlon in a process of its own, for what signals, descriptors and the environment do.
type child struct {
	*exec.Cmd
	stdout, stderr *wait.Output
	done           chan struct{} // closed when it has ended
	site, admin    string
}

// startChild starts merlon with sockets as the descriptors from 3 on, and waits until it has printed ready.
func startChild(t *testing.T, ready string, env []string, sockets []*os.File, args ...string) *child {
	t.Helper()
	all := wait.NewOutput(nil)
	c := &child{stdout: wait.NewOutput(all), stderr: wait.NewOutput(all), done: make(chan struct{}), Cmd: exec.Command("merlon", args...)}
	if sockets != nil { // the shell knows the number of the process that it becomes
		c.Cmd = exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$ exec merlon "$@"`, "sh"}, args...)...)
	}
	c.Env, c.ExtraFiles, c.Stdout, c.Stderr = append(os.Environ(), env...), sockets, c.stdout, c.stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = c.Wait() // tests look at ProcessState
		close(c.done)
	}()
	t.Cleanup(func() {
		_ = c.Process.Kill() // it has ended, or the test has failed
		<-c.done
	})
	all.For(t, ready, c.done)
	urls := regexp.MustCompile(`https?://[\w.]+:\d+`).FindAllString(all.String(), -1)
	if len(urls) > 1 {
		c.site, c.admin = urls[0], urls[len(urls)-1]
	}
	return c
}

// gatewayArgs are those of a gateway with flags alone, on ports of its own.
func gatewayArgs(t *testing.T, upstream string, more ...string) []string {
	return append([]string{"gateway", "--upstream", upstream, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", t.TempDir()}, more...)
}

func (c *child) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := c.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// wait waits for the end and returns the exit code, -1 after a signal.
func (c *child) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(limit):
		t.Fatalf("does not end:\n%s", c.stderr)
	}
	return c.ProcessState.ExitCode()
}

// get returns status and body, over a connection of its own.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, body := do(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, req)
	return res.StatusCode, body
}

func refuses(addr string) bool {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return true
	}
	c.Close()
	return false
}

// drains waits until readyz says so.
func (c *child) drains(t *testing.T) {
	t.Helper()
	wait.Until(t, "readyz says no", func() bool { status, _ := get(t, c.admin+"/readyz"); return status == 503 })
}

var terminate = os.Signal(syscall.SIGTERM)
