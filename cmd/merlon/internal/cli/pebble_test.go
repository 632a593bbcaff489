package cli_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// authority is a Pebble and the addresses at which it looks for the gateway. Every name is 127.0.0.1 to it.
type authority struct {
	dir, directory, management string
	public, plain              string // where it visits for tls-alpn-01 and http-01
	log                        *wait.Output
	config                     map[string]any
	running                    *exec.Cmd
	dns                        string
}

// newAuthority prepares a Pebble that does not run yet. Addresses come from the system, so tests may run beside others.
func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), public: unusedAddress(t), plain: unusedAddress(t), management: unusedAddress(t), dns: unusedAddress(t), log: wait.NewOutput(nil)}
	writeCertificate(t, a.dir)
	listen := unusedAddress(t)
	a.directory = "https://" + listen + "/dir"
	a.config = map[string]any{
		"listenAddress": listen, "managementListenAddress": a.management, "keyAlgorithm": "ecdsa",
		"certificate": filepath.Join(a.dir, "cert.pem"), "privateKey": filepath.Join(a.dir, "key.pem"),
		"tlsPort": portNumber(t, a.public), "httpPort": portNumber(t, a.plain), "retryAfter": map[string]int{"authz": 1, "order": 1},
	}
	launch(t, wait.NewOutput(nil), "pebble-challtestsrv", nil, "-dnsserver", a.dns, "-management", unusedAddress(t), "-defaultIPv6", "",
		"-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
	waitForPort(t, a.dns)
	return a
}

func portNumber(t *testing.T, addr string) int {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return a.Port
}

// launch starts one of Pebble's programs, which has no children, and kills it with the test.
func launch(t *testing.T, log *wait.Output, name string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(filepath.Join(need.Pebble(t), name), args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	return cmd
}

func kill(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		cmd.Process.Kill()
		cmd.Wait()
	}
}

func waitForPort(t *testing.T, addr string) {
	t.Helper()
	wait.Until(t, "somebody listens on "+addr, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// start runs the CA, with an empty memory. It refuses every twentieth nonce, as it always does.
func (a *authority) start(t *testing.T) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"pebble": a.config})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(a.dir, "pebble.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	a.running = launch(t, a.log, "pebble", []string{"PEBBLE_VA_NOSLEEP=1"}, "-config", file, "-dnsserver", a.dns)
	waitForPort(t, a.management)
}

// end kills the CA.
func (a *authority) end() { kill(a.running) }

// orders counts those that the CA was asked for.
func (a *authority) orders() int { return strings.Count(a.log.String(), "Added order ") }

// roots are the certificates that the CA signs by. It makes them when it starts.
func (a *authority) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	res, err := client.Get("https://" + a.management + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatalf("the CA's root: %v\n%s", err, text)
	}
	return pool
}

// policy writes a policy file for a gateway that asks this CA and stands where the CA looks. more goes into acme.
func (a *authority) policy(t *testing.T, upstream, hosts, more string) (path string) {
	t.Helper()
	path = filepath.Join(a.dir, "merlon.yaml")
	text := fmt.Sprintf(`version: 1
listen: %s
admin: 127.0.0.1:0
data: %s
tls:
  http: %s
  acme: {directory: "%s", ca_file: "%s", accept_tos: true%s}
upstream: %s
hosts: [%s]
https: {redirect: true}
`, a.public, filepath.Join(a.dir, "data"), a.plain, a.directory, filepath.Join(a.dir, "cert.pem"), more, upstream, hosts)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// handshake connects to addr as a client that speaks that configuration.
func handshake(addr string, config *tls.Config) (tls.ConnectionState, error) {
	conn, err := tls.Dial("tcp", addr, config)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.ConnectionState(), nil
}

// issued waits for a certificate of the host that a browser with those roots takes.
func (a *authority) issued(t *testing.T, host string, roots *x509.CertPool) *x509.Certificate {
	t.Helper()
	var leaf *x509.Certificate
	wait.Until(t, "a certificate for "+host, func() bool {
		state, err := handshake(a.public, &tls.Config{ServerName: host, RootCAs: roots})
		if err == nil {
			leaf = state.PeerCertificates[0]
		}
		return err == nil
	})
	return leaf
}
