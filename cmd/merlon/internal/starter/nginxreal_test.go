package starter_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/starter"
)

const realServer = `
add_header X-Content-Type-Options nosniff;
server {
  listen unix:%s/socket;
  server_name shop.example;
  add_header X-Content-Type-Options nosniff;
  add_header X-Frame-Options "SAMEORIGIN" always;
  add_header Permissions-Policy 'camera=(), usb=(self "https://a.example")' always;
  add_header Content-Security-Policy "default-src 'self'; img-src data: \"x\" 'self'" always;
  location / { proxy_pass %[2]s; }
  location /widget/ { add_header X-Frame-Options DENY; proxy_pass %[2]s; }
  location = /exact { add_header Referrer-Policy origin; proxy_pass %[2]s; }
  location /prefix { add_header Referrer-Policy "no-referrer"; proxy_pass %[2]s; }
  location "/quo\"ted/" { add_header Referrer-Policy unsafe-url; proxy_pass %[2]s; }
}
`

// What nginx itself sends with a configuration, the file made of it sends too: same tokens, same locations.
func TestNginxAgrees(t *testing.T) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/nginx") // where people who are not root do not look
	}
	if err != nil {
		need.Missing(t, "nginx", "apt-get install nginx")
	}
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") }))
	defer app.Close()
	dir := t.TempDir()
	server := fmt.Sprintf(realServer, dir, app.URL)
	conf := filepath.Join(dir, "nginx.conf")
	head := "daemon off; master_process off; pid " + dir + "/pid; error_log stderr; events {}\nhttp { access_log off; client_body_temp_path " + dir + "/b; proxy_temp_path " + dir + "/p; fastcgi_temp_path " + dir + "/f; uwsgi_temp_path " + dir + "/u; scgi_temp_path " + dir + "/s;\n"
	if err := os.WriteFile(conf, []byte(head+server+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	client := startNginx(t, program, dir, conf)
	r, err := starter.FromFile(starter.Options{}, conf)
	site := read(t, r, err).Sites[0]
	if site.Upstream.String() != app.URL {
		t.Errorf("the upstream is %s, want %s", site.Upstream, app.URL)
	}
	// /widget is not asked for: nginx redirects it to /widget/ by itself.
	for _, path := range []string{"/", "/x", "/widget/", "/widget/x", "/exact", "/exact/x", "/prefix", "/prefix/x"} {
		for name, values := range client(path) {
			switch got := sent(site.Guard, path, name); {
			case name == "Server" || name == "Date" || name == "Content-Type" || name == "Content-Length" || name == "Connection" || name == "Transfer-Encoding":
			case name == "Content-Security-Policy":
				if !strings.HasPrefix(got, "default-src 'self'; img-src data: 'self'") {
					t.Errorf("%s: %s: %s, nginx sends %s", path, name, got, values)
				}
			case got != strings.Join(values, " | "):
				t.Errorf("%s: %s: %s, nginx sends %s\n%s", path, name, got, values, r.Text)
			}
		}
	}
}

// startNginx returns what gets the headers of a path.
func startNginx(t *testing.T, program, dir, conf string) func(path string) http.Header {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, program, "-p", dir, "-c", conf)
	var messages strings.Builder
	cmd.Stderr = &messages
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", dir+"/socket")
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) { // nginx signals nothing
		c, err := dial(ctx, "", "")
		if err == nil {
			c.Close()
			break
		}
		select {
		case <-ended:
			t.Fatalf("nginx ended: %s", &messages)
		default:
			if time.Now().After(deadline) {
				t.Fatalf("nginx does not listen: %v", err)
			}
		}
	}
	client := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	return func(path string) http.Header {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://shop.example"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.Header
	}
}
