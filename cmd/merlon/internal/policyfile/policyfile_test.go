package policyfile_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

const good = `version: 1
listen: 127.0.0.1:8443
admin: localhost:9000
data: /var/lib/merlon
tls: {cert: cert.pem, key: key.pem}
log: {format: json, level: warn, access: /var/log/merlon/access.log, addresses: masked, query: true, user-agent: true}
shutdown: {delay: 5s, drain: 1m30s}
sites:
  - hosts: [Shop.example, "shop.example:8443"]
    upstream: http://127.0.0.1:8000
    preset: compat
    frame: deny
    csp: >-
      object-src 'none';
      base-uri 'self'
    trial: >-
      default-src 'self'; script-src 'nonce' 'strict-dynamic'; object-src 'none'; base-uri 'none'
    nonce: forward
    https: {hsts: 365d, proxies: {cidr: [10.0.0.0/8], hops: 1}}
    routes:
      - {match: GET /widget/, frame: {by: [https://partner.example]}, reason: contract 114}
      - {match: GET /map, allow: img-src https://tiles.example, reason: map tiles}
      - {match: /api/, preset: api}
  - hosts: [blog.example]
    upstream: https://10.0.0.7:8443/
    reports: off
`

func TestGoodFile(t *testing.T) {
	f, err := policyfile.Parse("merlon.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if f.Listen != "127.0.0.1:8443" || f.Admin != "localhost:9000" || f.Data != "/var/lib/merlon" || !reflect.DeepEqual(f.TLS, policyfile.TLS{Certs: []policyfile.Cert{{Cert: "cert.pem", Key: "key.pem"}}, Min: tls.VersionTLS12}) || len(f.Sites) != 2 {
		t.Errorf("file = %+v", f)
	}
	if want := (policyfile.Log{Format: "json", Level: "warn", Access: "/var/log/merlon/access.log", Addresses: "masked", Query: true, UserAgent: true}); f.Log != want {
		t.Errorf("log = %+v, want %+v", f.Log, want)
	}
	if *f.Shutdown.Delay != 5*time.Second || *f.Shutdown.Drain != 90*time.Second {
		t.Errorf("shutdown = %v, %v", *f.Shutdown.Delay, *f.Shutdown.Drain)
	}
	shop, blog := f.Sites[0], f.Sites[1]
	if !reflect.DeepEqual(shop.Hosts, []string{"shop.example", "shop.example:8443"}) || shop.Name != "shop.example" || !shop.Nonce.Forward || shop.Upstream.String() != "http://127.0.0.1:8000" {
		t.Errorf("shop = %+v", shop)
	}
	if blog.Upstream.String() != "https://10.0.0.7:8443" || blog.Nonce != (policyfile.Nonce{}) {
		t.Errorf("blog = %+v", blog)
	}
	for _, c := range []struct {
		guard      int
		path, want string
	}{
		{0, "/", "object-src 'none'; base-uri 'self'; frame-ancestors 'none'; report-uri /.merlon/r?d=e"},
		{0, "/widget/", "object-src 'none'; base-uri 'self'; frame-ancestors https://partner.example; report-uri /.merlon/r?d=e"},
		{0, "/api/x", "default-src 'none'; base-uri 'none'; form-action 'none'; sandbox; frame-ancestors 'none'; report-uri /.merlon/r?d=e"},
		{1, "/", "object-src 'none'; base-uri 'self'; frame-ancestors 'none'"},
	} {
		rec := httptest.NewRecorder()
		h := f.Sites[c.guard].Guard.Proxy(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		h.ServeHTTP(rec, httptest.NewRequest("GET", c.path, nil))
		if got := rec.Header().Get("Content-Security-Policy"); got != c.want {
			t.Errorf("site %d %s:\n got %s\nwant %s", c.guard, c.path, got, c.want)
		}
	}
}

func TestByteOrderMark(t *testing.T) {
	if _, err := policyfile.Parse("m", []byte("\ufeffversion: 1\r\nupstream: http://127.0.0.1:8000\r\n")); err != nil {
		t.Error(err)
	}
}

// What a route does not say of its application is the site's.
func TestRoutesHaveApplications(t *testing.T) {
	f, err := policyfile.Parse("m", []byte(`version: 1
h2c: true
max-header: 32KiB
timeouts: {request-header: 5s, upstream-body: off}
upstream: http://127.0.0.1:8000
nonce: forward
max-body: 10MB
routes:
  - {match: /api/, upstream: "unix:/run/api.sock", preset: api}
  - {match: POST /upload, max-body: off}
  - {match: /embed/, upstream-may-loosen: true, reason: the application knows its partners}
  - {match: /plain/, preset: api}
`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range f.Sites[0].Routes {
		got[r.Match] = fmt.Sprint(r.Upstream, r.Nonce.Forward, r.MaxBody, r.MayLoosen)
	}
	want := map[string]string{"/api/": "unix:/run/api.sock true 10000000 false", "POST /upload": "http://127.0.0.1:8000 true 0 false",
		"/embed/": "http://127.0.0.1:8000 true 10000000 true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the routes differ (-want +got):\n%s", diff)
	}
	if n := len(f.Sites[0].Guard.Routes()); n != 4 {
		t.Errorf("the Guard has %d routes, want 4", n)
	}
	if !f.H2C || f.MaxHeader != 32<<10 || f.Timeouts.RequestHeader != 5*time.Second || f.Timeouts.Body != -1 || f.Timeouts.Header != 0 {
		t.Errorf("Parse = %+v", f)
	}
}

func TestOneSiteAtTheTop(t *testing.T) {
	f, err := policyfile.Parse("m", []byte("version: 1\nupstream: http://127.0.0.1:8000\nframe: self\n"))
	if err != nil || len(f.Sites) != 1 || f.Sites[0].Name != "default" || f.Sites[0].Hosts != nil || f.Log != (policyfile.Log{}) || f.Shutdown != (policyfile.Shutdown{}) {
		t.Errorf("Parse = %+v, %v", f, err)
	}
}

func TestMistakesHavePlaces(t *testing.T) {
	const site = "version: 1\nupstream: http://127.0.0.1:8000\n"
	for _, c := range []struct{ text, want string }{
		{"", "m:1:1: the file is empty (begin it with version: 1)"},
		{"- a", "m:1:1: a policy file is a map of keys (begin it with version: 1)"},
		{"upstream: http://a:1", "m:1:1: the version of the file's format is missing (begin it with version: 1)"},
		{"version: 2\nupstream: http://a:1", `m:1:1: version: "2": the file is for a newer merlon; this one reads version 1 (get a newer merlon; `},
		{"version: 1", "m:1:1: the application's address is missing (write upstream: http://127.0.0.1:8000)"},
		{"version: 1\nupstream: 127.0.0.1:8000", `m:2:1: upstream: "127.0.0.1:8000": no URL (write http://127.0.0.1:8000, or unix:/run/app.sock)`},
		{site + "frmae: deny", "m:3:1: frmae: unknown key (did you mean frame?)"},
		{site + "nonces: forward", "m:3:1: nonces: unknown key (did you mean nonce?)"},
		{site + "X-Frame-Options: DENY", "m:3:1: X-Frame-Options: unknown key (write frame: deny)"},
		{site + "wholly: unknown", "m:3:1: wholly: unknown key (keys here: upstream, hosts, preset, frame, csp, trial, nonce, https, routes, headers, "},
		{site + "frame: denied", `m:3:1: frame: "denied": an origin begins with https:// or http:// (write deny, self or {by: [https://partner.example]})`},
		{site + "frame: {by: [https://a.example, partner.example]}", `m:3:33: frame.by[1]`},
		{site + "csp: [a]", `m:3:1: csp: "[\"a\"]": this key takes a text`},
		{site + "csp: 5", `m:3:1: csp: "5": this key takes a text`},
		{site + "csp:", `m:3:6: csp: no value (to inherit leave the key out; to send nothing write off)`},
		{site + "csp: default-src *self", `m:3:1: csp.default-src: "*self"`},
		{site + "csp: *self", `m:3:6: csp: "*": YAML reads * as a reference`},
		{site + "csp: &x a", `m:3:6: csp: "&": YAML reads & as a name`},
		{site + "csp: !!str a", `m:3:6: csp: "!!str": YAML reads ! as a type`},
		{site + "csp: a\ncsp: b", `m:4:1: csp is here twice, first on line 3 (keep one of the two)`},
		{site + "routes:\n  - match: GET /a\n    frame: self\n", "m:4:5: routes[0].reason: this route is looser than the rest of the site: frame lets in self"},
		{site + "routes:\n  - match: GET a\n", "m:4:5: routes[0].match"},
		{site + "routes:\n  - {match: /a, allow: img-src self}\n", "m:4:17: routes[0].allow.img-src"},
		{site + "hosts: shop.example", "m:3:1: hosts"},
		{site + "hosts: [https://shop.example]", "m:3:9: hosts[0]"},
		{site + "nonce: inject", "m:3:1: nonce"},
		{site + "preset: strict\nnonce: dangerously-inject", "m:4:1: nonce: \"dangerously-inject\": every script element gets a nonce, an injected one too"},
		{site + "nonce: {placeholder_file: /absent/secret}", "m:3:9: nonce.placeholder_file: \"/absent/secret\": no such file or directory (make it with"},
		{site + "nonce: {placeholder: x}", "m:3:1: nonce"},
		{"version: 1\nupstream: unix:app.sock", `m:2:1: upstream: "unix:app.sock": a Unix socket is unix: and an absolute path`},
		{"version: 1\nupstream: unix://run/app.sock", "a Unix socket is unix: and an absolute path"},
		{site + "upstream_ca_file: /absent\n", "m:3:1: upstream_ca_file: \"/absent\": no such file"},
		{site + "upstream_ca_file: /dev/null\n", "m:3:1: upstream_ca_file"},
		{site + "max-body: ten", `m:3:1: max-body: "ten": no size (write a number of bytes such as 10MB, 512KiB or 65536, or off for no limit)`},
		{site + "max-body: -1", "m:3:1: max-body"},
		{site + "max-body: 1e300GB", "m:3:1: max-body"},
		{site + "max-header: 1", "m:3:1: max-header: \"1\": a header is limited to a size from 4KiB to 1MiB"},
		{site + "max-header: off", "m:3:1: max-header"},
		{site + "timeouts: 5s", "m:3:1: timeouts: \"5s\": it takes the keys idle, request-body, request-header, response, upstream-body, upstream-connect, upstream-header (write timeouts: {upstream-header: 60s})"},
		{site + "timeouts: {header: 5s}", "m:3:12: timeouts.header: unknown key (keys here: idle, request-body"},
		{site + "timeouts: {idle: 5}", `m:3:12: timeouts.idle: "5": no time from 1ms to 24h (write 30s, 5m or off)`},
		{site + "transport: fast", `m:3:1: transport: "fast": no value of this key (write pooled or net/http)`},
		{site + "h2c: on", `m:3:1: h2c: "on": this key takes true or false`},
		{site + "routes:\n  - {match: /a, upstream: ftp://x}\n", "m:4:17: routes[0].upstream"},
		{site + "routes:\n  - {match: /a, nonce: often}\n", "m:4:17: routes[0].nonce"},
		{site + "routes:\n  - {match: /a, preset: strict, nonce: dangerously-inject}\n", "m:4:33: routes[0].nonce: \"dangerously-inject\": every script"},
		{site + "routes:\n  - {match: /a, upstream-may-loosen: true}\n", "m:4:6: routes[0]: on this route the application may loosen what protects it (say why in words"},
		{site + "routes:\n  - {match: /a, upstream-may-loosen: 1}\n", "m:4:17: routes[0].upstream-may-loosen: \"1\": this key takes true or false"},
		{site + "routes:\n  - {match: /a, upstraem: http://b}\n", "m:4:17: routes[0].upstraem: unknown key"},
		{site + "nonce: {placeholder_file: policyfile.go}", "m:3:9: nonce.placeholder_file: \"policyfile.go\": it has more than 4096 bytes (make it with"},
		{site + "nonce: {placeholder_file: testdata/short}", "m:3:9: nonce.placeholder_file: \"testdata/short\": what is in it is no placeholder: a letter and at least 31 random letters and digits (make it with"},
		{site + "nonce: {placeholder: secret}", "m:3:1: nonce: no way to hand out nonces"},
		{site + "listen: 443", `m:3:1: listen: "443": an address is host and port (write listen: 127.0.0.1:443; 0.0.0.0`},
		{site + "nonce: {placeholder_env: n0123456789abcdef}", "m:3:9: nonce.placeholder_env: no name of an environment variable"},
		{site + "nonce: {placeholder_env: X, placeholder_file: x}", "m:3:1: nonce"},
		{site + "tls: {cert: a}", "m:3:1: tls: a certificate and its key belong together"},
		{site + "log: on", "m:3:1: log: \"on\": it takes the keys format, level, access, addresses, query, user-agent (write log: {access: on})"},
		{site + "log: {}", "m:3:1: log: it takes the keys"},
		{site + "log: {format: xml}", `m:3:7: log.format: "xml": no value of this key (write text or json)`},
		{site + "log: {level: loud}", `m:3:7: log.level: "loud"`},
		{site + "log: {addresses: none}", `m:3:7: log.addresses: "none": no value of this key (write full or masked or off)`},
		{site + "log: {query: on}", `m:3:7: log.query: "on": this key takes true or false`},
		{site + "log: {access: true}", `m:3:7: log.access: "true": this key takes a text`},
		{site + "log: {file: a}", "m:3:7: log.file: unknown key (keys here: format, level, access, addresses, query, user-agent)"},
		{site + "shutdown: {drain: 5}", `m:3:12: shutdown.drain: "5": this key takes a text (write 5s)`},
		{site + "shutdown: {drain: 1d}", `m:3:12: shutdown.drain: "1d": no time from 0s to 1h0m0s (write 30s)`},
		{site + "shutdown: {delay: -1s}", `m:3:12: shutdown.delay: "-1s": no time`},
		{site + "shutdown: {drain: 2h}", `m:3:12: shutdown.drain: "2h": no time`},
		{site + "reports: /csp", "m:3:1: reports: \"/csp\": the gateway collects on /.merlon/r"},
		{site + "csp: ';'", "m:3:1: csp: \";\": no directive"},
		{site + "# a comment\rframe: off\n", "m:3:1: a carriage return within a line"},
		{site + "frame: {by: [off]}", "m:3:14: frame.by[0]"},
		{site + "frame: {By: [https://a.example]}", "m:3:9: frame.By: unknown key"},
		{site + "https: {proxies: {cidr: [0.0.0.0/0]}}", "everybody would be believed"},
		{site + "https: {hsts: 1y}", "m:3:9: https.hsts"},
		{site + "---\nversion: 1", "a second YAML document"},
		{site + "a: [", "m:3:"},
		{"version: 1\nframe: deny\nsites:\n  - {hosts: [a], upstream: http://b:1}", "m:2:1: frame: beside sites: only the keys"},
		{"version: 1\nsites:\n  - {hosts: [a], upstream: http://b:1}\n  - {hosts: [A], upstream: http://b:1}", `m:4:14: sites[1].hosts[0]: "a": another site has this host already`},
		{"version: 1\nsites:\n  - upstream: http://b:1\n  - {hosts: [A], upstream: http://b:1}", "m:3:5: sites[0]: one of several sites names its hosts"},
	} {
		_, err := policyfile.Parse("m", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Parse(%q)\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestMistakesComeInTheOrderOfLines(t *testing.T) {
	_, err := policyfile.Parse("m", []byte("version: 1\nrefererpolicy: x\nupstream: ftp://a\nroutes:\n  - {match: a}\nframe: x\n"))
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		lines = append(lines, line[:4])
	}
	if want := []string{"m:2:", "m:3:", "m:5:", "m:6:"}; !reflect.DeepEqual(lines, want) {
		t.Errorf("mistakes at %q, want %q:\n%v", lines, want, err)
	}
	var e *policyfile.Error
	if !errors.As(err, &e) || e.Line != 2 || e.Mistake.Field != "refererpolicy" {
		t.Errorf("first mistake: %+v", e)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	if _, err := policyfile.Read(filepath.Join(dir, "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, make([]byte, policyfile.MaxBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := policyfile.Read(large); err == nil || !strings.Contains(err.Error(), "over the limit") {
		t.Errorf("a file that is too large: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("version: 1\nupstream: http://a:1\ncsp: *x\nroutes: [{match: /}]"))
	f.Add([]byte("? a\n: b\n<<: {c: d}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := policyfile.Parse("m", data)
		if (file == nil) != (err != nil) {
			t.Errorf("Parse = %v, %v", file, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "m:") {
			t.Errorf("a mistake without its place: %v", err)
		}
	})
}

// A collector needs no upstream, and every other mistake is one for it too.
func TestParseForCollector(t *testing.T) {
	f, err := policyfile.ParseForCollector("m", []byte("version: 1\nsites:\n  - hosts: [shop.example]\n  - {hosts: [blog.example], upstream: 'http://127.0.0.1:8000'}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if f.Sites[0].Upstream != nil || f.Sites[1].Upstream.Host != "127.0.0.1:8000" {
		t.Errorf("upstreams %v and %v, want none and 127.0.0.1:8000", f.Sites[0].Upstream, f.Sites[1].Upstream)
	}
	for _, text := range []string{"upstream: ftp://a", "frame: nobody", "max-body: x"} {
		if _, err := policyfile.ParseForCollector("m", []byte("version: 1\n"+text+"\n")); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
