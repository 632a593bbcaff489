//go:build unix

package cli_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// passed opens listeners as systemd does, before anybody serves them.
func passed(t *testing.T, n int) (sockets []*os.File, addrs []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		sockets, addrs = append(sockets, f), append(addrs, l.Addr().String())
	}
	return sockets, addrs
}

// A request that comes before the gateway is there waits in the socket and is answered.
func TestSocketActivation(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "app") }))
	defer app.Close()
	sockets, addrs := passed(t, 2)
	early, err := net.Dial("tcp", addrs[1])
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	io.WriteString(early, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	c := startChild(t, "the next one:", []string{"LISTEN_FDS=2", "LISTEN_FDNAMES=admin:public"}, sockets,
		"gateway", "--upstream", app.URL, "--listen", "127.0.0.1:1", "--admin", "127.0.0.1:2", "--data", t.TempDir())
	res, err := http.ReadResponse(bufio.NewReader(early), nil)
	if err != nil || res.StatusCode != 200 || res.Header.Get("X-Frame-Options") == "" {
		t.Fatalf("the early request: %v, %v\n%s", res, err, c.stderr)
	}
	if status, _ := get(t, "http://"+addrs[0]+"/healthz"); status != 200 {
		t.Errorf("the admin socket: %d", status)
	}
	if !strings.Contains(c.stdout.String(), addrs[1]) {
		t.Errorf("the gateway does not say where it listens:\n%s", c.stdout)
	}
	c.signal(t, terminate)
	if code := c.wait(t); code != 0 {
		t.Errorf("exit code %d:\n%s", code, c.stderr)
	}
}

// One socket is the public listener, whatever its unit is called.
func TestSocketWithoutAName(t *testing.T) {
	sockets, addrs := passed(t, 1)
	startChild(t, addrs[0], []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=merlon.socket"}, sockets, gatewayArgs(t, "http://127.0.0.1:9")...)
}

func TestSocketsThatAreNotOurs(t *testing.T) {
	sockets, _ := passed(t, 2)
	for _, tc := range []struct{ names, want string }{
		{"public:other", `socket named "other": write FileDescriptorName=public, http or admin`},
		{"public:public", "two sockets named public"},
		{"public", `socket named ""`},
	} {
		c := startChild(t, "merlon: ", []string{"LISTEN_FDS=2", "LISTEN_FDNAMES=" + tc.names}, sockets, gatewayArgs(t, "http://127.0.0.1:9")...)
		if code := c.wait(t); code != 2 || !strings.Contains(c.stderr.String(), tc.want) {
			t.Errorf("%s: exit code %d, want 2 and %q:\n%s", tc.names, code, tc.want, c.stderr)
		}
	}
	// The variables of a parent that was itself started so are not for its children.
	startChild(t, "the next one:", []string{"LISTEN_FDS=2", "LISTEN_PID=1"}, nil, gatewayArgs(t, "http://127.0.0.1:9")...)
}

// manager is a service manager that is told the state.
type manager struct{ *net.UnixConn }

func newManager(t *testing.T, name string) manager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return manager{conn}
}

// next returns the next state, watchdog pings left out.
func (m manager) next(t *testing.T) string {
	t.Helper()
	buf := make([]byte, 4096)
	for {
		if err := m.SetReadDeadline(time.Now().Add(limit)); err != nil {
			t.Fatal(err)
		}
		n, err := m.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(buf[:n]); text != "WATCHDOG=1" {
			return text
		}
	}
}

func (m manager) ping(t *testing.T) {
	t.Helper()
	buf := make([]byte, 4096)
	if err := m.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	if n, err := m.Read(buf); err != nil || string(buf[:n]) != "WATCHDOG=1" {
		t.Fatalf("the manager hears %q, %v, want the watchdog's ping", buf[:n], err)
	}
}

func TestNotify(t *testing.T) {
	g := newGate(t)
	names := []string{filepath.Join(t.TempDir(), "notify")}
	if runtime.GOOS == "linux" {
		names = append(names, "@merlon-test-"+filepath.Base(t.TempDir())+"-"+t.Name())
	}
	for _, name := range names {
		m := newManager(t, name)
		dir := t.TempDir()
		path := filepath.Join(dir, "merlon.yaml")
		writePolicy(t, path, g.URL, "frame: deny\nshutdown: {drain: 1m}")
		c := startChild(t, "the next one:", []string{"NOTIFY_SOCKET=" + name, "WATCHDOG_USEC=20000"}, nil, "gateway", "--config", path)
		if got := m.next(t); got != "READY=1" {
			t.Errorf("the manager hears %q, want READY=1", got)
		}
		m.ping(t)
		m.ping(t)
		c.signal(t, syscall.SIGHUP)
		if got := m.next(t); !regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=\d+$`).MatchString(got) || runtime.GOOS == "linux" && strings.HasSuffix(got, "=0") {
			t.Errorf("the manager hears %q, want RELOADING=1 and the time", got)
		}
		if got := m.next(t); got != "READY=1" {
			t.Errorf("after the reload the manager hears %q, want READY=1", got)
		}
		done := g.download(c.site)
		<-g.arrived
		c.signal(t, terminate)
		if got := m.next(t); got != "STOPPING=1" {
			t.Errorf("the manager hears %q, want STOPPING=1", got)
		}
		m.ping(t) // while it drains, too
		m.ping(t)
		g.release <- struct{}{}
		if got := <-done; got.err != nil {
			t.Error(got.err)
		}
		if code := c.wait(t); code != 0 {
			t.Errorf("exit code %d:\n%s", code, c.stderr)
		}
	}
}
