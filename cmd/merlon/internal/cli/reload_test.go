package cli_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// writePolicy writes a policy file with the framing to path, as editors do: another file that is renamed.
func writePolicy(t *testing.T, path, upstream, rest string) {
	t.Helper()
	text := fmt.Sprintf("version: 1\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndata: %s\nupstream: %s\n%s\n", filepath.Join(filepath.Dir(path), "data"), upstream, rest)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until the site sends the framing.
func eventually(t *testing.T, site, framing string) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		res, err := http.Get(site)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.Header.Get("X-Frame-Options") == framing {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the site sends %q, want %q", res.Header.Get("X-Frame-Options"), framing)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestReload(t *testing.T) {
	noLeaks(t)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x") }))
	defer app.Close()
	path := filepath.Join(t.TempDir(), "merlon.yaml")
	writePolicy(t, path, app.URL, "frame: deny")
	gw := start(t, "Dashboard:", "gateway", "--config", path)
	site := strings.Fields(gw.stdout.String())[4]
	eventually(t, site, "DENY")

	writePolicy(t, path, app.URL, "frame: self") // seen without being told
	eventually(t, site, "SAMEORIGIN")

	// A file with a mistake changes nothing, and the log has its place.
	writePolicy(t, path, app.URL, "frame: nobody")
	gw.stderr.For(t, "merlon.yaml:6:1", nil)
	eventually(t, site, "SAMEORIGIN")

	// What only a new start can change is said.
	writePolicy(t, path, app.URL, "frame: deny\ntls: {cert: a, key: b}")
	gw.stderr.For(t, "takes a new start", nil)

	writePolicy(t, path, app.URL, "frame: deny")
	hangUp(t)
	eventually(t, site, "DENY")
	gw.end(t)
}

// hangUp sends SIGHUP to the process, which is the gateway's too.
func hangUp(t *testing.T) {
	t.Helper()
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // for good: a signal that arrives when the gateway has ended would end the tests
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(syscall.SIGHUP)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Requests under way while the policy is reloaded again and again: each is answered, by one policy or the other.
func TestReloadUnderLoad(t *testing.T) {
	noLeaks(t)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat("x", 10_000)) }))
	defer app.Close()
	path := filepath.Join(t.TempDir(), "merlon.yaml")
	writePolicy(t, path, app.URL, "frame: deny")
	gw := start(t, "Dashboard:", "gateway", "--config", path)
	site := strings.Fields(gw.stdout.String())[4]

	duration := 2 * time.Second
	if os.Getenv("MERLON_TEST_ALL") != "" {
		duration = 30 * time.Second
	}
	var done atomic.Bool
	var answered [2]atomic.Int64
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for !done.Load() {
				res, err := http.Get(site)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				switch framing := res.Header.Get("X-Frame-Options"); {
				case err != nil || len(body) != 10_000 || res.StatusCode != 200:
					t.Errorf("%d with %d bytes: %v", res.StatusCode, len(body), err)
				case framing == "DENY":
					answered[0].Add(1)
				case framing == "SAMEORIGIN":
					answered[1].Add(1)
				default:
					t.Errorf("X-Frame-Options: %q", framing)
				}
			}
		})
	}
	for i, end := 0, time.Now().Add(duration); time.Now().Before(end); i++ {
		writePolicy(t, path, app.URL, "frame: "+[2]string{"self", "deny"}[i%2])
		hangUp(t)
		time.Sleep(100 * time.Millisecond)
	}
	done.Store(true)
	clients.Wait()
	if answered[0].Load() == 0 || answered[1].Load() == 0 {
		t.Errorf("answered %d by one policy and %d by the other", answered[0].Load(), answered[1].Load())
	}
	t.Logf("answered %d by one policy and %d by the other", answered[0].Load(), answered[1].Load())
	http.DefaultClient.CloseIdleConnections()
	gw.end(t)
}

// Beside TLS a second listener redirects plain HTTP, and a new certificate serves without a new start.
func TestCertificateAndPlainHTTP(t *testing.T) {
	noLeaks(t)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x") }))
	defer app.Close()
	dir := t.TempDir()
	writeCertificate(t, dir)
	path := filepath.Join(dir, "merlon.yaml")
	writePolicy(t, path, app.URL, fmt.Sprintf("hosts: [127.0.0.1]\nhttps: {redirect: true}\ntls: {cert: %s, key: %s, http: 127.0.0.1:0}", filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")))
	gw := start(t, "Dashboard:", "gateway", "--config", path)
	words := strings.Fields(gw.stdout.String())
	site, plain := strings.TrimPrefix(words[4], "https://"), words[10]

	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	res, err := client.Post(plain+"/pay?x=%2f", "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 308 || res.Header.Get("Location") != "https://127.0.0.1/pay?x=%2f" || res.Header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("plain HTTP: %d %v", res.StatusCode, res.Header)
	}

	before := certificateOf(t, site)
	writeCertificate(t, dir)
	deadline := time.Now().Add(limit)
	for certificateOf(t, site) == before {
		if time.Now().After(deadline) {
			t.Fatal("the old certificate still serves")
		}
		time.Sleep(20 * time.Millisecond)
	}
	gw.end(t)
}

func certificateOf(t *testing.T, addr string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return string(conn.ConnectionState().PeerCertificates[0].Raw)
}
