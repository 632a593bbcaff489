package starter_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/starter"
)

// What stands above all sites.
func TestNginxFileKeys(t *testing.T) {
	const site = "server { server_name a.example; location / { proxy_pass http://a:1; } }"
	for _, m := range []mapping{
		{conf: "client_header_timeout 15; client_body_timeout 20s; send_timeout 1m; keepalive_timeout 65 60; proxy_connect_timeout 500ms; proxy_read_timeout '1h 30m';" + site,
			lines: "timeouts:\n  request-header: 15s\n  request-body: 20s\n  response: 1m\n  idle: 1m5s\n  upstream-connect: 500ms\n  upstream-header: 1h30m\n  upstream-body: 1h30m\n",
			said:  []string{"From nginx.conf:1 client_body_timeout. Here a client that sends less than 512 bytes a second", "WebSockets may be silent for longer here."}},
		{conf: "server { location / { proxy_read_timeout 300; proxy_pass http://a:1; } }", lines: "timeouts:\n  upstream-header: 5m\n  upstream-body: 5m\n"},
		{conf: "keepalive_timeout 0; send_timeout 2x; client_body_timeout 0;" + site, absent: "timeouts", said: []string{"keepalive_timeout 0 closes connections after each response.", `send_timeout "2x" cannot be kept.`, `client_body_timeout "0" cannot be kept.`}},
		{conf: "send_timeout 2d;" + site, absent: "timeouts", said: []string{`response "48h" is not kept: "48h": no time from 1ms to 24h`}},
		{conf: "send_timeout 999999999y;" + site, absent: "timeouts", said: []string{`send_timeout "999999999y" cannot be kept.`}},
		{conf: "send_timeout 10s;" + site + "server { server_name b.example; send_timeout 20s; location / { proxy_pass http://b:1; } }", lines: "timeouts:\n  response: 20s\n", said: []string{"send_timeout differs from site to site in nginx. Here one time is for all: this is the longest."}},
		{conf: "server { location / { proxy_pass http://a:1; } location /ws/ { proxy_read_timeout 1d; proxy_pass http://a:1; } }", absent: "timeouts:", said: []string{`location "/ws/" has proxy_read_timeout 1d. Here a time is for all requests.`}},
		{conf: "large_client_header_buffers 4 16k;" + site, lines: "max-header: 64KiB\n", said: []string{"large_client_header_buffers, 4 of 16KiB. Here a single line may be as long as all of them."}},
		{conf: "large_client_header_buffers 4 1m;" + site, absent: "max-header", said: []string{`max-header "4MiB" is not kept: "4MiB": a header is limited to a size from 4KiB to 1MiB`}},
		{conf: "large_client_header_buffers x 1m;" + site, absent: "max-header", said: []string{`large_client_header_buffers "x 1m" cannot be kept.`}},
		{conf: "server { listen 8080 http2; location / { proxy_pass http://a:1; } }", lines: "h2c: true\n"},
		{conf: "server { listen 8080; http2 on; location / { proxy_pass http://a:1; } }", lines: "h2c: true\n"},
		{conf: "server { listen 8080; location / { proxy_pass http://a:1; } }", absent: "h2c"},
		{conf: "server { listen 443 ssl http2; listen 443 quic; location / { proxy_pass http://a:1; } }", absent: "h2c", said: []string{"CHECK: nginx.conf:1: the gateway speaks no HTTP/3."}},
		{conf: "access_log off;" + site, lines: "log:\n  access: off\n"},
		{conf: "access_log /var/log/nginx/access.log combined;" + site, lines: "log:\n  access: \"on\"\n", absent: "format", said: []string{"on is standard output. A file of its own can stand here, never that of nginx."}},
		{conf: "log_format j escape=json '{\"a\":\"$uri\"}'; access_log /x.log j;" + site, lines: "log:\n  access: \"on\"\n  format: json\n"},
		{conf: "access_log /x.log;" + site + "server { server_name b.example; access_log off; location / { proxy_pass http://b:1; } }", lines: "log:\n  access: \"on\"\n", said: []string{"has it off for its site. Here one log is for all."}},
		{conf: site, absent: "log:"},
		{conf: "worker_shutdown_timeout 30s; http {" + site + "}", lines: "shutdown:\n  drain: 30s\n"},
		{conf: "worker_shutdown_timeout 1d; http {" + site + "}", absent: "shutdown", said: []string{`drain "24h" is not kept`}},
		{conf: "worker_shutdown_timeout x;" + site, absent: "shutdown", said: []string{`worker_shutdown_timeout "x" cannot be kept.`}},
	} {
		m.test(t)
	}
}

func TestNginxCertificates(t *testing.T) {
	dir := t.TempDir()
	a, b, none := certificate(t, dir, "a.example"), certificate(t, dir, "b.example"), filepath.Join(dir, "none")
	server := func(name, certificate, listen string) string {
		return "server { listen 443 ssl" + listen + "; server_name " + name + "; ssl_certificate " + certificate + ".pem; ssl_certificate_key " + certificate + ".key; location / { proxy_pass http://a:1; } }\n"
	}
	entry := func(name string) string {
		return "    - cert: " + starter.Scalar(name+".pem") + "\n      key: " + starter.Scalar(name+".key") + "\n"
	}
	comment := "{cert: " + starter.Scalar(none+".pem") + ", key: " + starter.Scalar(none+".key") + "}"
	for _, m := range []mapping{
		{conf: server("a.example", a, ""), lines: "tls:\n  cert: " + starter.Scalar(a+".pem") + "\n  key: " + starter.Scalar(a+".key") + "\n"},
		{conf: server("a.example", a, "") + server("b.example", b, ""), lines: "tls:\n  certs:\n" + entry(a) + entry(b)},
		{conf: server("a.example", a, "") + server("b.example", b, " default_server"), lines: "tls:\n  certs:\n" + entry(b) + entry(a)},
		{conf: server("a.example", a, "") + server("b.example", a, ""), lines: "tls:\n  cert: ", absent: "certs:"},
		{conf: "ssl_certificate " + a + ".pem; ssl_certificate_key " + a + ".key; ssl_certificate " + b + ".pem; ssl_certificate_key " + b + ".key;\n" +
			"server { listen 443 ssl; location / { proxy_pass http://a:1; } }", lines: "tls:\n  certs:\n" + entry(a) + entry(b)},
		{conf: server("a.example", a, "") + server("b.example", none, ""), lines: "tls:\n  certs:\n" + entry(a), said: []string{"CHECK: what cannot be read here is not in force:", "Write it when it can be: - " + comment}},
		{conf: server("a.example", none, ""), absent: "tls:", said: []string{"tls: " + comment}},
		{conf: server("a.example", "/etc/letsencrypt/live/a.example/x", ""), absent: "tls:",
			said: []string{`"/etc/letsencrypt/live/a.example/x.pem" comes from a CA, by an ACME client such as Certbot.`, "tls: {http: 0.0.0.0:80, acme: {email: ops@shop.example, accept_tos: true}}"}},
		{conf: "server { listen 443 ssl; acme_certificate letsencrypt; server_name a.example; location / { proxy_pass http://a:1; } }", absent: "tls:", said: []string{"nginx.conf:1: an ACME client gets certificates from a CA."}},
		// The server on port 80 that Certbot's webroot needs is a redirect all the same.
		{conf: "server { listen 80; server_name a.example; location /.well-known/acme-challenge/ { root /var/www; } location / { return 301 https://$host$request_uri; } }\n" + server("a.example", a, ""),
			lines: "https:\n  redirect: true\n  hsts: 1d\n", said: []string{"an ACME client gets certificates from a CA."}},
	} {
		m.test(t)
	}
}

// certificate writes NAME.pem and NAME.key and returns their path without the end.
func certificate(t *testing.T, dir, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, strings.TrimSuffix(name, ".example"))
	for end, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: cert}, ".key": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path+end, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}
