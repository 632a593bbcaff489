package gateway_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

func TestRequestsArriveAsTheyCame(t *testing.T) {
	addr := serve(t, merlon.Strict(), echo)
	for _, target := range []string{"/", "/a%2fb?x=%zz&y=1;2", "//double//slash", "/a/../b", "/?", "/%41?q=%20+", "/a%2F..%2fb;c"} {
		_, body := send(t, addr, "GET "+target+" HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
		if want := "GET " + target + " host=shop.example\n"; !strings.HasPrefix(body, want) {
			t.Errorf("the application got %.60q, want %q", body, want)
		}
	}
}

func TestClientsCannotSpeakForTheGateway(t *testing.T) {
	addr := serve(t, merlon.Strict(), echo)
	res, body := send(t, addr, "GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close, Merlon-Nonce, X-Forwarded-Proto, X-Forwarded-For\r\n"+
		"Merlon-Nonce: evil\r\nMerlon_Nonce: evil\r\nmerlon_nonce: evil\r\nMERLON-Nonce: evil\r\nX-Forwarded-Proto: evil\r\nX_Forwarded_Proto: evil\r\n"+
		"X-Forwarded_For: evil\r\nX_Forwarded-Host: evil\r\nForwarded: for=evil\r\nX-Forwarded-Prefix: evil\r\nMerlon_Route: evil\r\n"+
		"Merlon.Nonce: evil\r\nX.Forwarded.Proto: evil\r\nX-Real-IP: evil\r\nCF-Connecting-IP: evil\r\nX-Original-Host: evil\r\nX-Scheme: evil\r\nX-Original-URL: /evil\r\nProxy: evil\r\nContent_Length: evil\r\n"+
		"Cookie: a=1; merlon-dashboard=evil; b=2\r\n\r\n")
	if strings.Contains(body, "evil") {
		t.Errorf("a client's word reached the application:\n%s", body)
	}
	_, nonce, _ := strings.Cut(body, "Merlon-Nonce: ")
	nonce, _, _ = strings.Cut(nonce, "\n")
	if len(nonce) != 22 || !strings.Contains(res.Header.Get("Content-Security-Policy"), "'nonce-"+nonce+"'") {
		t.Errorf("the application was told the nonce %q, the policy is %s", nonce, res.Header.Get("Content-Security-Policy"))
	}
	for _, want := range []string{"X-Forwarded-Proto: http\n", "X-Forwarded-For: 127.0.0.1\n", "X-Forwarded-Host: shop.example\n", "Cookie: a=1; b=2\n"} {
		if !strings.Contains(body, want) {
			t.Errorf("the application lacks %q:\n%s", want, body)
		}
	}
}

func TestTrustedProxy(t *testing.T) {
	c := merlon.Strict()
	c.HTTPS.Proxies = merlon.Proxies{CIDR: []string{"127.0.0.0/8"}}
	addr := serve(t, c, echo)
	res, body := send(t, addr, "GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
	for _, want := range []string{"X-Forwarded-Proto: https\n", "X-Forwarded-For: 192.0.2.1, 127.0.0.1\n"} {
		if !strings.Contains(body, want) {
			t.Errorf("the application lacks %q:\n%s", want, body)
		}
	}
	if got := res.Header.Get("Strict-Transport-Security"); got == "" {
		t.Error("no HSTS although the trusted proxy says https")
	}
}

func TestNoNonceUnlessForwarded(t *testing.T) {
	addr := serve(t, merlon.Strict(), echo, func(s *gateway.Site) { s.Nonce = gateway.Nonce{} })
	if _, body := send(t, addr, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); strings.Contains(body, "Merlon-Nonce") {
		t.Errorf("the application was told a nonce:\n%s", body)
	}
}

func TestReportPathIsNeverForwarded(t *testing.T) {
	reports := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	addr := serve(t, merlon.Strict(), echo, func(s *gateway.Site) { s.Reports = reports })
	for _, target := range []string{"/.merlon/r", "/.merlon/r?d=e", "/.merlon/%72", "http://shop.example/.merlon/r"} {
		if res, body := send(t, addr, "POST "+target+" HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"); res.StatusCode != http.StatusNoContent {
			t.Errorf("POST %s: status %d, body %q", target, res.StatusCode, body)
		}
	}
}

func TestHosts(t *testing.T) {
	addr := serve(t, merlon.Strict(), echo, func(s *gateway.Site) { s.Hosts = []string{"shop.example", "admin.example:8443"} })
	for host, status := range map[string]int{
		"shop.example": 200, "SHOP.example": 200, "shop.example:8080": 200, "admin.example:8443": 200,
		"admin.example": 421, "evil.example": 421, "shop.example:99999": 400, "shop.example:x": 400, "[shop.example]:1": 400, "shop.example:": 400, "[::1]:80": 421, "shop.example.evil.example": 421, "evil.example:80@shop.example": 400, "127.0.0.1": 421,
	} {
		res, _ := send(t, addr, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
		if res.StatusCode != status {
			t.Errorf("Host: %s: status %d, want %d", host, res.StatusCode, status)
		}
		if status != 400 && res.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("Host: %s: X-Frame-Options %q", host, res.Header.Get("X-Frame-Options"))
		}
	}
}

func TestHostsBelowADomain(t *testing.T) {
	addr := serve(t, merlon.Strict(), echo, func(s *gateway.Site) { s.Hosts = []string{"*.shop.example", "*.admin.example:8443"} })
	for host, status := range map[string]int{
		"a.shop.example": 200, "a.b.shop.example:8080": 200, "x.admin.example:8443": 200, "x.admin.example": 421, "shop.example": 421, "evilshop.example": 421, "*.shop.example": 400,
	} {
		if res, _ := send(t, addr, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"); res.StatusCode != status {
			t.Errorf("Host: %s: status %d, want %d", host, res.StatusCode, status)
		}
	}
}

// A name is no longer than the DNS has them: a header of 60 KB with a dot at every other byte has 30 000 domains above it, and to look
// each up took a second.
func TestHostsAreBounded(t *testing.T) {
	addr := serve(t, merlon.Strict(), echo, func(s *gateway.Site) { s.Hosts = []string{"*.shop.example"} })
	longest := strings.Repeat("a.", 120) + "shop.example" // 252 bytes
	for host, status := range map[string]int{longest: 200, "b" + longest + ":80": 200, "b" + longest + ".": 421, "bb" + longest: 400, strings.Repeat("a.", 30_000) + "a": 400} {
		if res, _ := send(t, addr, "GET / HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"); res.StatusCode != status {
			t.Errorf("a Host of %d bytes: status %d, want %d", len(host), res.StatusCode, status)
		}
	}
}

// Load balancers ask by address, and get an answer where the site says so.
func TestHealthChecksUnderAnyHost(t *testing.T) {
	config := merlon.Strict()
	config.Hosts, config.Health = []string{"shop.example"}, []string{"GET /healthz"}
	addr := serve(t, config, echo, func(s *gateway.Site) { s.Hosts = config.Hosts })
	for line, status := range map[string]int{"GET /healthz": 200, "POST /healthz": 421, "GET /": 421, "GET /healthz/..%2fadmin": 421} {
		if res, _ := send(t, addr, line+" HTTP/1.1\r\nHost: 10.1.2.3\r\nConnection: close\r\n\r\n"); res.StatusCode != status || res.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s under an address: %d %v, want %d", line, res.StatusCode, res.Header, status)
		}
	}
}

// What servers read in different ways is refused, with all headers, and never reaches the application.
func TestAmbiguousRequestsAreRefused(t *testing.T) {
	addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the application got %s %s for %s", r.Method, r.RequestURI, r.Host)
	},
		func(s *gateway.Site) { s.Hosts = []string{"shop.example"} })
	for _, line := range []string{"GET x:http://other.example/admin", "GET x:admin/secret", "GET x:http://shop.example/.merlon/r", `GET /x"%2f..%2fadmin`, "GET /widget/|..%2fadmin",
		"CONNECT shop.example:80", "TRACE /", "OPTIONS *"} {
		res, _ := send(t, addr, line+" HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
		if res.StatusCode != http.StatusBadRequest || res.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: status %d, X-Frame-Options %q; want 400 and DENY", line, res.StatusCode, res.Header.Get("X-Frame-Options"))
		}
	}
}

func TestOnlyWebSocketsMaySwitch(t *testing.T) {
	addr := serve(t, merlon.Strict(), echo)
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
	} {
		if res, body := send(t, addr, request); res.StatusCode != 200 || strings.Contains(body, "Upgrade") || strings.Contains(body, "Http2-Settings") {
			t.Errorf("the application was asked to switch:\n%s", body)
		}
	}
}

func TestGatewayInFrontOfItself(t *testing.T) {
	guard, err := merlon.New(merlon.Strict())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	site := gateway.Site{App: gateway.App{Upstream: &url.URL{Scheme: "http", Host: l.Addr().String()}}, Guard: guard}
	g, err := gateway.New(gateway.Config{Sites: []gateway.Site{site}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	srv := &http.Server{Handler: g}
	go srv.Serve(l)
	defer srv.Close()
	if res, _ := send(t, l.Addr().String(), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); res.StatusCode != http.StatusLoopDetected {
		t.Errorf("status %d, want 508", res.StatusCode)
	}
}

func TestReportsCarryTheHeaders(t *testing.T) {
	addr := serve(t, merlon.Strict(), echo)
	res, _ := send(t, addr, "GET /.merlon/r HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if res.StatusCode != http.StatusNotFound || res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("status %d, headers %v", res.StatusCode, res.Header)
	}
}

func TestTwoSitesOneHost(t *testing.T) {
	guard, _ := merlon.New(merlon.Strict())
	site := gateway.Site{Hosts: []string{"a.example"}, App: gateway.App{Upstream: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}}, Guard: guard}
	if _, err := gateway.New(gateway.Config{Sites: []gateway.Site{site, site}, Logger: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "a.example") {
		t.Errorf("New = %v, want an error that names the host", err)
	}
}

// An application that misbehaves cannot take the protection away.
func TestUpstreamsThatMisbehave(t *testing.T) {
	hijack := func(answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(c, answer)
			c.Close()
		}
	}
	for name, c := range map[string]struct {
		answer string
		status int
	}{
		"nothing":           {"", 502},
		"garbage":           {"garbage\r\n\r\n", 502},
		"half a header":     {"HTTP/1.1 200 OK\r\nContent-Le", 502},
		"two lengths":       {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 502},
		"early hints":       {"HTTP/1.1 103 Early Hints\r\nX-Frame-Options: ALLOWALL\r\n\r\nHTTP/1.1 200 OK\r\nX-Frame-Options: ALLOWALL\r\nContent-Length: 1\r\n\r\nx", 200},
		"lower case":        {"HTTP/1.1 200 OK\r\nx-frame-options: allowall\r\ncontent-security-policy: frame-ancestors *\r\ncontent-length: 1\r\n\r\nx", 200},
		"loosening, joined": {"HTTP/1.1 404 No\r\nX-Frame-Options: SAMEORIGIN, SAMEORIGIN\r\nContent-Security-Policy: default-src *, frame-ancestors https:\r\nContent-Length: 1\r\n\r\nx", 404},
		"a strange status":  {"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", 502},
		"unasked switch":    {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 502},
	} {
		addr := serve(t, merlon.Strict(), hijack(c.answer))
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		in := bufio.NewReader(conn)
		res, err := http.ReadResponse(in, nil)
		for err == nil && res.StatusCode == http.StatusEarlyHints {
			res, err = http.ReadResponse(in, nil)
		}
		conn.Close()
		if err != nil || res.StatusCode != c.status {
			t.Errorf("%s: %v, %v, want status %d", name, res, err, c.status)
			continue
		}
		policies := res.Header.Values("Content-Security-Policy")
		if got := res.Header.Values("X-Frame-Options"); len(got) != 1 || got[0] != "DENY" || !strings.Contains(policies[len(policies)-1], "frame-ancestors 'none'") {
			t.Errorf("%s: X-Frame-Options %q, policies %q", name, got, policies)
		}
	}
}

// Error pages say what to do, and have nothing that a policy governs.
func TestErrorPages(t *testing.T) {
	addr := serve(t, merlon.Strict(), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	res, err := http.Get("http://" + addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	for _, want := range []string{"<title>502 Bad Gateway</title>", "name=viewport", "name=color-scheme", "Please try again in a moment. The gateway&#39;s log says why"} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the page for 502 lacks %q:\n%s", want, body)
		}
	}
	for _, bad := range []string{"style", "script", "src=", "href="} {
		if strings.Contains(string(body), bad) {
			t.Errorf("the page for 502 has %q:\n%s", bad, body)
		}
	}
}

func TestWebSocketsPass(t *testing.T) {
	addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
		c, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		line, _ := buf.ReadString('\n')
		io.WriteString(c, line)
	})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v, want 101", res, err)
	}
	io.WriteString(conn, "hello\n")
	if line, err := in.ReadString('\n'); line != "hello\n" {
		t.Errorf("through the switched connection: %q, %v", line, err)
	}
}

func TestStreamsAreFlushedAtOnce(t *testing.T) {
	next := make(chan struct{})
	addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 2 {
			io.WriteString(w, "data: x\n\n")
			w.(http.Flusher).Flush()
			<-next
		}
	})
	res, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	event := make([]byte, len("data: x\n\n"))
	for range 2 {
		if _, err := io.ReadFull(res.Body, event); err != nil { // the application waits until this event has arrived
			t.Fatal(err)
		}
		next <- struct{}{}
	}
}
