package starter_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/starter"
)

const shopConf = `
# the shop
server { listen 80; server_name shop.example www.shop.example; return 301 https://$host$request_uri; }
server {
  listen 443 ssl;
  server_name shop.example www.shop.example;
  ssl_certificate cert.pem; ssl_certificate_key key.pem;
  add_header X-Frame-Options "SAMEORIGIN" always;
  add_header Strict-Transport-Security 'max-age=63072000; includeSubDomains';
  add_header Content-Security-Policy "default-src 'self'; script-src 'self' 'nonce-$request_id' https://$cdn; frame-ancestors 'self'";
  proxy_hide_header X-Powered-By;
  location / { proxy_pass http://app; proxy_set_header Host $host; proxy_set_header X-Tenant a; }
  location /widget/ { add_header Content-Security-Policy "frame-ancestors https://partner.example"; proxy_pass http://app; }
  location = /badge { add_header X-Robots-Tag noindex; proxy_pass http://app; }
  location /api { add_header Referrer-Policy no-referrer; proxy_pass http://127.0.0.1:9100; }
  location ~ \.php$ { add_header X-Frame-Options DENY; fastcgi_pass unix:/run/php.sock; }
}
`

const httpConf = `
user www-data;
events { worker_connections 768; }
http {
  include mime.types;
  upstream app { server 127.0.0.1:9000 weight=5; server 127.0.0.1:9001; }
  map $x $y { default ''; ~^a "b;{"; }
  content_by_lua_block { if a { b = "}" } }
  ` + shopConf + `
  server { listen 8080; server_name blog.example .blog.example; location / { add_header X-Frame-Options DENY; proxy_pass http://127.0.0.1:7000/; } }
}
`

func TestNginx(t *testing.T) {
	r, err := starter.Nginx("nginx.conf", []byte(httpConf))
	file := read(t, r, err)
	if len(file.Sites) != 2 {
		t.Fatalf("%d sites in\n%s", len(file.Sites), r.Text)
	}
	shop, blog := file.Sites[0], file.Sites[1]
	if fmt.Sprint(shop.Hosts, shop.Upstream, blog.Hosts, blog.Upstream) != "[shop.example www.shop.example] http://127.0.0.1:9000 [*.blog.example blog.example] http://127.0.0.1:7000" {
		t.Errorf("sites %v %s, %v %s", shop.Hosts, shop.Upstream, blog.Hosts, blog.Upstream)
	}
	for _, c := range []struct{ path, header, want string }{
		{"/", "X-Frame-Options", "SAMEORIGIN"},
		{"/", "Strict-Transport-Security", "max-age=63072000; includeSubDomains"},
		{"/", "Content-Security-Policy", "default-src 'self'; script-src 'self' 'nonce'; frame-ancestors 'self'"},
		{"/widget/x", "Content-Security-Policy", "default-src 'self'; script-src 'self' 'nonce'; frame-ancestors https://partner.example"},
		{"/widget/x", "X-Frame-Options", ""},
		{"/badge", "X-Robots-Tag", "noindex"},
		{"/badge", "X-Frame-Options", "SAMEORIGIN"},
		{"/badge/x", "X-Robots-Tag", ""},
		{"/api", "Referrer-Policy", "no-referrer"},
		{"/api/x", "Referrer-Policy", "no-referrer"},
		{"/apix", "Referrer-Policy", "strict-origin-when-cross-origin"},
	} {
		if got := sent(shop.Guard, c.path, c.header); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.path, c.header, got, c.want)
		}
	}
	wantSaid(t, r, `proxy_pass "http://app" stands for 2 servers, of which this is the first`, `proxy_set_header "X-Tenant" is not done by the gateway`,
		`location "/widget/" has lost Strict-Transport-Security: an add_header in a location drops all those around it. Here they are sent.`,
		`location "/api" has lost X-Frame-Options, Strict-Transport-Security, Content-Security-Policy: an add_header`, `In nginx "/api" begins other paths too, such as "/apix": those are the site's here.`, `location "~ \\.php$" sets "X-Frame-Options", and routes have no regular expressions.`,
		`location "~ \\.php$" is answered by fastcgi_pass`, `"$cdn" of nginx in "Content-Security-Policy" cannot be kept.`, "X-Powered-By: off",
		`what cannot be read here is not in force: "cert.pem" and "key.pem". Write it when it can be: tls: {cert: cert.pem, key: key.pem}`, "plain HTTP is redirected to HTTPS now. Write redirect: true when", "Print it in place of the application's own")
}

func TestNginxDetails(t *testing.T) {
	const proxy = " location / { proxy_pass http://127.0.0.1:8000; }"
	for _, c := range []struct {
		conf string
		want []string
	}{
		{"server { server_name a.example;" + proxy + " sub_filter '<script' '<script nonce=\"$request_id\"'; }", []string{"nonce: dangerously-inject", "sub_filter gives every script element a nonce, also one that somebody injects."}},
		{"server {" + proxy + " sub_filter NONCE $request_id; }", []string{"nonce: forward", `sub_filter replaces "NONCE" by "$request_id". {placeholder_file: F} does that with a secret`}},
		{"server {" + proxy + " sub_filter a b; }", []string{`sub_filter "a" is left out`}},
		{"server { location / { proxy_set_header X-CSP-Nonce $request_id; proxy_pass http://127.0.0.1:1; } }", []string{`the application reads the nonce from "X-CSP-Nonce". Here it is in Merlon-Nonce.`}},
		{"server { server_name ~^(?<x>.+)\\.a\\.example$ b.*;" + proxy + "}", []string{`server_name "~^(?<x>.+)\\.a\\.example$" is no host`, `server_name "b.*" is no host`}},
		{"server { root /srv; }", []string{"nginx has no location / that passes requests on", "upstream: http://127.0.0.1:8000"}},
		{"server { location / { fastcgi_pass unix:/x; } }", []string{"location / is answered by nginx itself or by FastCGI"}},
		{"server { location / { proxy_pass http://unix:/run/x.sock; } }", []string{`upstream: "unix:/run/x.sock"`}},
		{"server { location / { proxy_pass http://$up; } }", []string{`proxy_pass "http://$up" is no address`}},
		{"server { location / { proxy_pass http://127.0.0.1:8000/app/; } }", []string{"changes paths, and the gateway passes them on as they come"}},
		{"upstream u { server unix:/x; }\nserver { location / { proxy_pass http://u; } }", []string{`upstream: "unix:/x"`}},
		{"server { if ($host = a.example) { return 301 https://$host$request_uri; } server_name a.example; return 404; }\nserver { listen 443 ssl; server_name a.example;" + proxy + "}", []string{"hosts: [a.example]", "plain HTTP is redirected to HTTPS now."}},
		{"server { if ($slow) { set $x 1; }" + proxy + "}", []string{"if is not read. What it does must be done elsewhere."}},
		{"http { add_header X-Content-Type-Options nosniff; server { add_header X-Frame-Options DENY;" + proxy + "} }", []string{"the server has lost X-Content-Type-Options: its own add_header (nginx.conf:1) drops all those around it."}},
		{"http { add_header X-Frame-Options DENY; server {" + proxy + "} }", []string{"frame: deny"}},
		{"server { add_header X-Frame-Options DENY; location / { add_header Referrer-Policy origin; proxy_pass http://127.0.0.1:8000; } }", []string{"frame: deny", "referrer-policy: origin", "pages below / have lost X-Frame-Options"}},
		{"server { add_header X-Frame-Options $frame;" + proxy + "}", []string{`"$frame" of nginx in "X-Frame-Options" cannot be kept.`}},
		{"server {" + proxy + " location @x { add_header A b; } location \"/a/{x}\" { add_header A b; } location /%41/ { add_header A b; } }", nil},
		{"server { server_name a.example;" + proxy + "} server { server_name b.example a.example;" + proxy + "}", []string{`"a.example" is not kept: "a.example": another site has this host already`}},
		{"server { server_name a.example;" + proxy + "} server {" + proxy + "}", []string{"one site could not be kept: one of several sites names its hosts"}},
		{"server {" + proxy + " add_header \"X-#: y\" a; add_header X-Y \"a\nb: c\"; add_header A 'b'; proxy_hide_header 'X\n- y'; proxy_hide_header \"ü\"; }", nil},
		{"include /etc/passwd; include ../x.conf; include nothing.conf; include nothing/*.conf; server {" + proxy + "}", []string{`include "/etc/passwd" is not read: it is outside of the directory`, `include "../x.conf" is not read`, `include "nothing.conf" is not read: there is no such file`, `include "nothing/*.conf" finds no file here`}},
	} {
		r, err := starter.Nginx("nginx.conf", []byte(c.conf))
		read(t, r, err)
		wantSaid(t, r, c.want...)
	}
}

func TestNginxMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"server {":                       "nginx.conf:1: the { of \"server\" is never closed",
		"server { a b }":                 "nginx.conf:1: a } in a directive (a ; is missing)",
		"a b":                            "nginx.conf:1: the file ends in a directive (a ; is missing)",
		"a;\n}":                          "nginx.conf:2: a } closes nothing",
		"\n;":                            "nginx.conf:2: \";\" without a directive",
		"a 'b;\n":                        "nginx.conf:1: a quote is never closed",
		"a 'b'c;":                        "a space or ; is missing behind a quote",
		strings.Repeat("a {", 100):       "nested deeper than 16",
		strings.Repeat("server {}", 501): "has more than 500 servers",
		"server {" + strings.Repeat("location /a {}", 2001) + "}": "has more than 2000 locations",
		"events {}":                            "has no server that answers by itself",
		"server { return 301 https://a.b$x; }": "has no server that answers by itself",
	} {
		if _, err := starter.Nginx("nginx.conf", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestNginxIncludes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	main := write("nginx.conf", "http { include sites/*.conf; include "+dir+"/headers.conf; }")
	write("headers.conf", "add_header X-Frame-Options DENY;")
	write("sites/a.conf", "server { server_name a.example; location / { proxy_pass http://127.0.0.1:1; } }")
	write("sites/b.conf", "server { server_name b.example; location / { proxy_pass http://127.0.0.1:2; } }")
	r, err := starter.FromFile(starter.Options{}, main)
	if file := read(t, r, err); len(file.Sites) != 2 || sent(file.Sites[1].Guard, "/", "X-Frame-Options") != "DENY" {
		t.Errorf("%d sites in\n%s", len(file.Sites), r.Text)
	}
	loop := write("loop.conf", "include loop.conf;")
	if _, err := starter.FromFile(starter.Options{}, loop); err == nil || !strings.Contains(err.Error(), "nested deeper than 16") {
		t.Errorf("a file that includes itself: %v", err)
	}
	wide := write("wide.conf", strings.Repeat("include headers.conf;", 100))
	if _, err := starter.FromFile(starter.Options{}, wide); err == nil || !strings.Contains(err.Error(), "more than 64 files are included") {
		t.Errorf("a file that includes 100 others: %v", err)
	}
	large := write("large.conf", strings.Repeat("#", 2<<20))
	if _, err := starter.FromFile(starter.Options{}, large); err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("a file of 2 MiB: %v", err)
	}
}

func TestFileKinds(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"settings":     {"import os\nX_FRAME_OPTIONS = 'DENY'\n", ""},
		"site":         {"server { location / { proxy_pass http://127.0.0.1:1; } }", ""},
		"readme":       {"hello", "is neither a Django settings file nor an nginx configuration"},
		"settings.py":  {"server { }", "has none of Django's settings"},
		"nginx.conf.j": {"server { location / { proxy_pass http://127.0.0.1:1; } }", ""},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := starter.FromFile(starter.Options{}, path); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for name, want := range map[string]string{"shop.example": "for a live site write --from https://shop.example", dir: "is a directory", "absent.py": "no such file"} {
		if _, err := starter.FromFile(starter.Options{}, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// Whatever a configuration says, the file is right or there is none.
func FuzzNginx(f *testing.F) {
	f.Add([]byte(httpConf))
	f.Add([]byte("server { server_name a b; location /x { add_header A \"b\\\"c\"; } location / { add_header X-Frame-Options x; proxy_pass http://a:1; } }"))
	f.Add([]byte("upstream u { server x; } server { listen 443; ssl_certificate a; ssl_certificate_key b; location / { proxy_pass http://u; } proxy_hide_header X; sub_filter '<script' '<script nonce=$x'; }"))
	f.Add([]byte("server { location { proxy_pass http://a; } location = /x { proxy_pass http://unix:/x:/y; client_max_body_size 1g; } access_log off; send_timeout 1h30m; large_client_header_buffers 4 8k; }"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := starter.Nginx("nginx.conf", data)
		if err == nil {
			read(t, r, err)
		}
	})
}
