package cli_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
)

// nginxConfig is what every nginx here has. One process without a master ends with its test even when that is killed.
const nginxConfig = `daemon off;
master_process off;
pid DIR/pid;
error_log stderr warn;
events {}
http {
access_log off;
client_body_temp_path DIR/body;
proxy_temp_path DIR/proxy;
fastcgi_temp_path DIR/fastcgi;
uwsgi_temp_path DIR/uwsgi;
scgi_temp_path DIR/scgi;
HTTP
}
`

// writeNginx writes a configuration with this in its http block, in which DIR is its folder.
func writeNginx(t *testing.T, http string) string {
	t.Helper()
	dir := t.TempDir()
	text := strings.ReplaceAll(strings.Replace(nginxConfig, "HTTP", http, 1), "DIR", dir)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// startNginx starts nginx with this in its http block, in which LISTEN1 and so on stand for addresses, and returns those.
func startNginx(t *testing.T, http string) []string {
	t.Helper()
	var addresses []string
	for i := 1; strings.Contains(http, fmt.Sprint("LISTEN", i)); i++ {
		addresses = append(addresses, unusedAddress(t)) // nginx can take none that is open already, nor choose one
		http = strings.ReplaceAll(http, fmt.Sprint("LISTEN", i), addresses[i-1])
	}
	config := writeNginx(t, http)
	path := need.Program(t, "nginx-light", "nginx", "/usr/sbin/nginx")
	nginx := startProgram(t, exec.Command(path, "-c", config, "-p", filepath.Dir(config)))
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("nginx:\n" + nginx.String())
		}
	})
	for _, address := range addresses {
		awaitListener(t, address, nginx)
	}
	return addresses
}

// awaitListener waits until somebody listens there.
func awaitListener(t *testing.T, address string, nginx program) {
	t.Helper()
	for ctx := within(t); ; time.Sleep(5 * time.Millisecond) { // nginx says nothing when it is ready
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return
		}
		if ctx.Err() != nil || ended(nginx) {
			t.Fatalf("nginx does not listen on %s: %v\n%s", address, err, nginx)
		}
	}
}

func ended(p program) bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// documentedNginx returns the configuration that behind.md has under a comment of this name.
func documentedNginx(t *testing.T, name string) string {
	t.Helper()
	_, after, ok := strings.Cut(read(t, docs+"behind.md"), "\n<!-- "+name+" -->\n```nginx\n")
	text, _, closed := strings.Cut(after, "\n```\n")
	if !ok || !closed {
		t.Fatalf("behind.md has no nginx configuration %s", name)
	}
	return text
}

// replaced returns the text with each old part, which it must have, replaced by the new one after it.
func replaced(t *testing.T, text string, oldAndNew ...string) string {
	t.Helper()
	for i := 0; i < len(oldAndNew); i += 2 {
		if !strings.Contains(text, oldAndNew[i]) {
			t.Fatalf("no %q in\n%s", oldAndNew[i], text)
		}
		text = strings.ReplaceAll(text, oldAndNew[i], oldAndNew[i+1])
	}
	return text
}
