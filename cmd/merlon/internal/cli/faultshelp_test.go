//go:build linux

package cli_test

import (
	"crypto/tls"
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

// strictHeaders are on every response of a site with the strict preset.
var strictHeaders = []string{
	"Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy",
	"Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Origin-Agent-Cluster",
}

// protected fails the test for a response that lacks one of the strict preset's headers or has one twice.
func protected(t *testing.T, what string, res *http.Response) {
	t.Helper()
	for _, name := range strictHeaders {
		n, want := len(res.Header.Values(name)), 1
		if name == "Content-Security-Policy" && res.StatusCode == http.StatusNotModified {
			want = 0 // the page that the browser has stored keeps its policy, whose nonce is in it
		}
		if n != want {
			t.Errorf("%s: %d lines of %s, want %d", what, n, name, want)
		}
	}
}

// upTo is a number for the fast run, and one for scripts/test --all.
func upTo(fast, all int) int {
	if need.Everything() {
		return all
	}
	return fast
}

// heavy skips what takes too long for the fast run.
func heavy(t *testing.T) {
	t.Helper()
	if !need.Everything() {
		t.Skip("takes minutes: runs in scripts/test --all")
	}
}

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
	program, err := exec.LookPath("merlon")
	if err != nil {
		t.Fatal(err)
	}
	return spawnProgram(t, program, upstream, rest)
}

// spawnTLS is spawn with a certificate for 127.0.0.1.
func spawnTLS(t *testing.T, upstream, rest string) *proxyProcess {
	t.Helper()
	return spawn(t, upstream, certified(t)+"\n"+rest)
}

// certified is a setting with a certificate for 127.0.0.1.
func certified(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writeCertificate(t, dir)
	return fmt.Sprintf("tls: {cert: %s, key: %s}", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
}

func spawnProgram(t *testing.T, program, upstream, rest string) *proxyProcess {
	t.Helper()
	path := filepath.Join(t.TempDir(), "merlon.yaml")
	writePolicy(t, path, upstream, "preset: strict\n"+rest)
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
	var after level
	deadline := time.Now().Add(limit)
	for {
		for _, c := range clients {
			c.CloseIdleConnections() // again and again: streams that were reset count as busy for a moment
		}
		after = p.level(t)
		if after.descriptors <= p.idle.descriptors {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("%s: descriptors leak: before %v, after %v", what, p.idle, after)
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
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

// rewriting is a nonce setting for pages that are rewritten.
func rewriting(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "placeholder")
	if err := os.WriteFile(path, []byte("n0123456789abcdefghijklmnopqrstuvwxyz"), 0o600); err != nil {
		t.Fatal(err)
	}
	return "nonce: {placeholder_file: " + path + "}"
}

// clientFor returns a client with connections of its own, that of TLS over HTTP/2.
func clientFor(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 64, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: limit, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// fetch returns the answer with its body.
func exchange(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// dial opens a connection that ends with the test.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(limit))
	return c
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
		path, err := exec.LookPath("merlon") // see TestMain
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := filepath.Join(t.TempDir(), "merlon")
	out, err := exec.CommandContext(within(t), "go", "build", "-o", path, "github.com/merlon-sec/merlon/cmd/merlon").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}
