package starter_test

import (
	"context"
	"fmt"
	"io"
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
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
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
	program := nginx(t)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") }))
	defer app.Close()
	dir := t.TempDir()
	server := fmt.Sprintf(realServer, dir, app.URL)
	conf := writeNginx(t, dir, server)
	client := startNginx(t, program, dir, conf)
	r, err := starter.FromFile(starter.Options{}, conf)
	site := read(t, r, err).Sites[0]
	if site.Upstream.String() != app.URL {
		t.Errorf("the upstream is %s, want %s", site.Upstream, app.URL)
	}
	// /widget is not asked for: nginx redirects it to /widget/ by itself.
	for _, path := range []string{"/", "/x", "/widget/", "/widget/x", "/exact", "/exact/x", "/prefix", "/prefix/x"} {
		for name, values := range client("GET", path, "").Header {
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

const routedServer = `
client_max_body_size 64k;
upstream one { server unix:%[1]s/one; }
server {
  listen unix:%[1]s/socket;
  server_name shop.example;
  location / { proxy_pass %[2]s; }
  location /api/ { proxy_pass %[3]s; }
  location /api/shop/ { proxy_pass %[2]s; }
  location = /api/exact { proxy_pass http://one; }
  location ^~ /same { proxy_pass %[3]s/same; }
  location /same/deeper/ { proxy_pass http://unix:%[1]s/one; client_max_body_size 0; }
  location = /same { proxy_pass %[2]s; }
  location /upload/ { client_max_body_size 256k; proxy_pass %[2]s; }
  location /upload/small/ { client_max_body_size 2k; location /upload/small/er/ { proxy_pass %[3]s; } proxy_pass %[2]s; }
}
`

// Where nginx itself takes requests, the file made of its configuration takes them too, and bodies of the same sizes.
func TestNginxRoutesAgree(t *testing.T) {
	program, dir := nginx(t), t.TempDir()
	app := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("X-App", name+" "+r.URL.Path)
		})
	}
	root, api, one := httptest.NewServer(app("root")), httptest.NewServer(app("api")), httptest.NewUnstartedServer(app("one"))
	defer root.Close()
	defer api.Close()
	socket, err := net.Listen("unix", dir+"/one")
	if err != nil {
		t.Fatal(err)
	}
	one.Listener.Close()
	one.Listener = socket
	one.Start()
	defer one.Close()
	names := map[string]string{root.URL: "root", api.URL: "api", "unix:" + dir + "/one": "one"}
	conf := writeNginx(t, dir, fmt.Sprintf(routedServer, dir, root.URL, api.URL))
	client := startNginx(t, program, dir, conf)
	r, err := starter.FromFile(starter.Options{}, conf)
	site := read(t, r, err).Sites[0]
	for _, path := range []string{"/", "/x", "/api/", "/api/x", "/api/shop/", "/api/shop/x", "/api/exact", "/api/exact/x", "/same", "/same/", "/same/x", "/same/deeper/", "/same/deeper/x", "/upload/", "/upload/x", "/upload/small/", "/upload/small/er/x"} {
		for _, size := range []int{0, 1500, 3000, 65536, 65537, 262144, 262145} {
			want := client("POST", path, strings.Repeat("x", size))
			at := appOf(site, path)
			if refused := at.MaxBody > 0 && int64(size) > at.MaxBody; refused != (want.StatusCode == http.StatusRequestEntityTooLarge) {
				t.Errorf("%s with %d bytes: nginx answers %s, the limit is %d\n%s", path, size, want.Status, at.MaxBody, r.Text)
			} else if got := names[at.Upstream.String()] + " " + path; !refused && got != want.Header.Get("X-App") {
				t.Errorf("%s goes to %q, in nginx to %q\n%s", path, got, want.Header.Get("X-App"), r.Text)
			}
		}
	}
}

// appOf is the application of a path, as the gateway chooses it.
func appOf(site policyfile.Site, path string) policyfile.App {
	pattern := site.Guard.Pattern(httptest.NewRequest("POST", "http://shop.example"+path, nil))
	for _, route := range site.Routes {
		if route.Match == pattern {
			return route.App
		}
	}
	return site.App
}

// nginx returns the program.
func nginx(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/nginx") // where people who are not root do not look
	}
	if err != nil {
		need.Missing(t, "nginx", "apt-get install nginx")
	}
	return program
}

// writeNginx writes a configuration that leaves nothing outside of dir.
func writeNginx(t *testing.T, dir, server string) string {
	t.Helper()
	conf := filepath.Join(dir, "nginx.conf")
	head := "daemon off; master_process off; pid " + dir + "/pid; error_log stderr; events {}\nhttp { access_log off; client_body_temp_path " + dir + "/b; proxy_temp_path " + dir + "/p; fastcgi_temp_path " + dir + "/f; uwsgi_temp_path " + dir + "/u; scgi_temp_path " + dir + "/s;\n"
	if err := os.WriteFile(conf, []byte(head+server+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return conf
}

// startNginx returns what asks it, and gives answers without their body.
func startNginx(t *testing.T, program, dir, conf string) func(method, path, body string) *http.Response {
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
	return func(method, path, body string) *http.Response {
		req, err := http.NewRequestWithContext(ctx, method, "http://shop.example"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
}
