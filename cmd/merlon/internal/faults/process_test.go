//go:build linux

package faults_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// A proxyProcess is merlon gateway as a process of its own, whose descriptors, memory and goroutines nobody else touches.
type proxyProcess struct {
	cmd            *exec.Cmd
	stdout, stderr *wait.Output
	addr           string
	idle           level // before the first request
	ended          chan struct{}
}

// spawn starts a gateway with the strict preset in front of upstream. rest is more of its policy file.
func spawn(t *testing.T, upstream, rest string) *proxyProcess {
	t.Helper()
	return spawnProgram(t, "merlon", upstream, rest) // see TestMain
}

// spawnTLS is spawn with a certificate for 127.0.0.1.
func spawnTLS(t *testing.T, upstream, rest string) *proxyProcess {
	t.Helper()
	return spawn(t, upstream, certified(t)+"\n"+rest)
}

func spawnProgram(t *testing.T, program, upstream, rest string) *proxyProcess {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "merlon.yaml")
	policy := "version: 1\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndata: " + filepath.Join(dir, "data") + "\nupstream: " + upstream + "\npreset: strict\n" + rest + "\n"
	if err := os.WriteFile(path, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	all := wait.NewOutput(nil)
	p := &proxyProcess{cmd: exec.Command(program, "gateway", "--config", path), stdout: wait.NewOutput(all), stderr: wait.NewOutput(all), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.ended) }()
	t.Cleanup(func() { syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); <-p.ended })
	all.For(t, "the next one:", p.ended)
	p.addr = regexp.MustCompile(`https?://(127\.0\.0\.1:\d+)`).FindStringSubmatch(p.stdout.String())[1]
	p.idle = p.level(t)
	return p
}

// A level is what a process holds.
type level struct {
	descriptors, threads, goroutines int
	resident                         int // KiB
}

func (l level) String() string {
	return fmt.Sprintf("%d descriptors, %d threads, %d MiB", l.descriptors, l.threads, l.resident>>10)
}

func (p *proxyProcess) level(t *testing.T) level {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	files, err := os.ReadDir(dir + "fd")
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		t.Fatal(err)
	}
	number := func(key string) int {
		_, rest, _ := strings.Cut(string(status), "\n"+key+":")
		n, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return level{descriptors: len(files), threads: number("Threads"), resident: number("VmRSS")}
}

// settles waits until the gateway holds no more descriptors than before its first request, and wants no more goroutines than
// one that has only ever served a single request. The application must have left; clients are made to leave.
func (p *proxyProcess) settles(t *testing.T, what string, peak level, clients ...*http.Client) {
	t.Helper()
	wait.Until(t, what+": descriptors settle", func() bool {
		for _, c := range clients {
			c.CloseIdleConnections() // again and again: streams that were reset count as busy for a moment
		}
		return p.level(t).descriptors <= p.idle.descriptors
	})
	after := p.level(t)
	time.Sleep(time.Duration(upTo(100, 1000)) * time.Millisecond) // goroutines end a moment after their descriptors, and nothing signals that
	after.goroutines = p.goroutines(t)
	if want := restingGoroutines(); after.goroutines > want {
		t.Errorf("%s: %d goroutines, and %d in a gateway that rests:\n%s", what, after.goroutines, want, p.stderr)
	}
	t.Logf("%s: before %v; peak %v; after %v, %d goroutines", what, p.idle, peak, after, after.goroutines)
}

// goroutines ends the process and counts what it was doing.
func (p *proxyProcess) goroutines(t *testing.T) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	n := 0
	for stack := range strings.SplitSeq(p.stderr.String(), "\n\n") {
		if strings.HasPrefix(stack, "goroutine ") && !strings.Contains(stack, "created by runtime.") { // the collector has as many workers as it likes
			n++
		}
	}
	return n
}

// terminate sends SIGTERM.
func (p *proxyProcess) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

var resting struct {
	sync.Once
	goroutines int
}

// restingGoroutines is how many goroutines a gateway has when all that it served is over.
func restingGoroutines() int { return resting.goroutines }

// rest measures a gateway that has served one request. It is called before others are compared with it.
func rest(t *testing.T) {
	t.Helper()
	resting.Do(func() {
		app := serveRaw(t, "127.0.0.1:0", requests(func(c net.Conn, r *http.Request) bool {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
			return true
		}))
		gw := spawn(t, app.url(), "nonce: forward")
		client := clientFor(t)
		if res, body := exchange(t, client, "http://"+gw.addr); res.StatusCode != 200 || body != "x" {
			t.Fatalf("%v %q", res, body)
		}
		client.CloseIdleConnections()
		app.kill()
		wait.Until(t, "descriptors settle", func() bool { return gw.level(t).descriptors <= gw.idle.descriptors })
		resting.goroutines = gw.goroutines(t)
		if resting.goroutines == 0 {
			t.Fatalf("no goroutines counted in\n%s", gw.stderr)
		}
	})
}

// merlonProgram is the program as users have it, without the tests' packages and the race detector, where its memory is
// measured in earnest; in the fast run it is this test binary.
func merlonProgram(t *testing.T) string {
	t.Helper()
	if !need.Everything() {
		return "merlon"
	}
	path := filepath.Join(t.TempDir(), "merlon")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/merlon-sec/merlon/cmd/merlon").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}
