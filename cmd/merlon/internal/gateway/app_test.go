package gateway_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/inline"
)

// named starts an application that says its name and the path that it was asked for.
func named(t *testing.T, name string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name, " ", r.RequestURI) }))
	t.Cleanup(srv.Close)
	return srv.URL
}

// Routes lead to applications of their own. A path that servers read in different ways belongs to no route, as it has no route's policy.
func TestRoutesToOtherApplications(t *testing.T) {
	config := merlon.Strict()
	config.Routes = []merlon.RouteConfig{{Match: "/api/"}, {Match: "POST /up"}}
	addr := serve(t, config, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "site ", r.RequestURI) }, func(s *gateway.Site) {
		s.Routes = map[string]gateway.App{"/api/": {Upstream: mustParse(t, named(t, "api"))}, "POST /up": {Upstream: mustParse(t, named(t, "up"))}}
	})
	for line, want := range map[string]string{
		"GET /": "site /", "GET /api/x?y": "api /api/x?y", "GET /api": "site /api", "GET /api/%41": "api /api/%41", "POST /up": "up /up", "GET /up": "site /up",
		"GET /api/..%2fadmin": "site /api/..%2fadmin", "GET //api/x": "site //api/x", "GET /x/../api/y": "site /x/../api/y", "GET /api/;x": "site /api/;x",
	} {
		if _, body := send(t, addr, line+" HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"); body != want {
			t.Errorf("%s is answered by %q, want %q", line, body, want)
		}
	}
}

// framing gives X-Frame-Options and the sources of frame-ancestors, with a - for none.
func framing(h http.Header) string {
	options, ancestors := h.Get("X-Frame-Options"), "-"
	for _, policy := range h.Values("Content-Security-Policy") {
		if _, rest, ok := strings.Cut(policy, "frame-ancestors "); ok {
			ancestors, _, _ = strings.Cut(rest, ";")
		}
	}
	if options == "" {
		options = "-"
	}
	return options + " " + ancestors
}

// Where its route permits it the application decides who may frame it, by its own headers or by Merlon-Route. Elsewhere it can only
// tighten, and in no case does a client see the header.
func TestUpstreamMayLoosen(t *testing.T) {
	config := merlon.Strict()
	config.Routes = []merlon.RouteConfig{{Match: "/open/", Reason: "the application knows its partners"}}
	addr := serve(t, config, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		for name, values := range r.URL.Query() {
			w.Header()[http.CanonicalHeaderKey(name)] = values
		}
		fmt.Fprint(w, "<p>x")
	}, func(s *gateway.Site) {
		open := s.App
		open.MayLoosen = true
		s.Routes = map[string]gateway.App{"/open/": open}
	})
	for _, c := range []struct{ query, closed, open string }{
		{"", "DENY 'none'", "DENY 'none'"},
		{"X-Frame-Options=SAMEORIGIN", "DENY 'none'", "SAMEORIGIN 'self'"},
		{"X-Frame-Options=ALLOWALL", "DENY 'none'", "DENY 'none'"},
		{"Content-Security-Policy=frame-ancestors+*", "DENY 'none'", "- *"},
		{"Merlon-Route=frame-exempt", "DENY 'none'", "- -"},
		{"Merlon-Route=csp-exempt,+Frame-Exempt", "DENY 'none'", "- -"},
		{"Merlon-Route=csp-exempt", "DENY 'none'", "DENY 'none'"},
		{"Merlon-Route=everything", "DENY 'none'", "DENY 'none'"},
		{"Merlon-Route=frame-exempt&Merlon-Nonce=x&Merlon-Gateway=y", "DENY 'none'", "- -"},
	} {
		for path, want := range map[string]string{"/closed/": c.closed, "/open/": c.open, "/open/..%2fclosed": c.closed, "//open/": c.closed} {
			res, _ := send(t, addr, "GET "+path+"?"+c.query+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			if got := framing(res.Header); got != want {
				t.Errorf("%s with %q: framing %s, want %s", path, c.query, got, want)
			}
			for name := range res.Header {
				if strings.HasPrefix(name, "Merlon-") {
					t.Errorf("%s with %q: the client sees %s", path, c.query, name)
				}
			}
			exempt := path == "/open/" && strings.Contains(c.query, "csp-exempt")
			if got := strings.Contains(fmt.Sprint(res.Header["Content-Security-Policy"]), "script-src"); got == exempt && !strings.Contains(c.query, "Content-Security-Policy") {
				t.Errorf("%s with %q: a policy for scripts: %v", path, c.query, got)
			}
		}
	}
}

// An informational response carries nothing that only the gateway says, and asks for nothing.
func TestHintsAskForNothing(t *testing.T) {
	config := merlon.Strict()
	config.Routes = []merlon.RouteConfig{{Match: "/", Reason: "the application knows its partners"}}
	addr := serve(t, config, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</x.css>; rel=preload")
		w.Header().Set("Merlon-Route", "frame-exempt")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Merlon-Route")
		w.Write([]byte("x"))
	}, func(s *gateway.Site) {
		open := s.App
		open.MayLoosen = true
		s.Routes = map[string]gateway.App{"/": open}
	})
	responses := exchange(t, addr, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if len(responses) != 2 || responses[0].StatusCode != 103 || responses[0].Header.Get("Link") == "" || responses[0].Header.Get("Merlon-Route") != "" {
		t.Fatalf("the responses are %+v", responses)
	}
	if got := framing(responses[1].Header); got != "DENY 'none'" {
		t.Errorf("framing %s", got)
	}
}

// Trailers carry nothing that only the gateway says either, announced or not.
func TestTrailersSayNothingForTheGateway(t *testing.T) {
	addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Merlon-Route, X-Sum")
		w.Write([]byte("x"))
		w.Header().Set("X-Sum", "1")
		w.Header().Set("Merlon-Route", "frame-exempt")
		w.Header().Set(http.TrailerPrefix+"Merlon-Nonce", "2")
	})
	res, _ := send(t, addr, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if got := fmt.Sprint(res.Trailer["X-Sum"], res.Trailer["Merlon-Route"], res.Trailer["Merlon-Nonce"]); got != "[1] [] []" {
		t.Errorf("the trailers are %v", res.Trailer)
	}
}

// One placeholder is in force on all of a site: the application may print it everywhere.
func TestOnePlaceholderForASite(t *testing.T) {
	config := merlon.Strict()
	config.Routes = []merlon.RouteConfig{{Match: "/legacy/"}, {Match: "/static/"}}
	addr := serve(t, config, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(page))
	}, func(s *gateway.Site) {
		s.Routes = map[string]gateway.App{"/legacy/": {Upstream: s.Upstream, Nonce: gateway.Nonce{Placeholder: secret}},
			"/static/": {Upstream: s.Upstream, Nonce: gateway.Nonce{Hashes: &inline.Manifest{}}}}
	})
	for _, path := range []string{"/", "/legacy/", "/static/", "//legacy/", "/legacy/..%2fx"} {
		if res, body := send(t, addr, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); res.StatusCode != 200 || strings.Contains(body, secret) {
			t.Errorf("%s: %d, the client sees %s", path, res.StatusCode, body)
		}
	}

	guard, err := merlon.New(config)
	if err != nil {
		t.Fatal(err)
	}
	app := func(host string, n gateway.Nonce) gateway.App {
		return gateway.App{Upstream: mustParse(t, "http://"+host), Nonce: n}
	}
	mine, other := gateway.Nonce{Placeholder: secret}, gateway.Nonce{Placeholder: "m" + secret}
	for name, sites := range map[string][]gateway.Site{
		"two in a site":        {{App: app("a", mine), Routes: map[string]gateway.App{"/legacy/": app("b", other)}, Guard: guard}},
		"injection beside it":  {{App: app("a", mine), Routes: map[string]gateway.App{"/legacy/": app("b", gateway.Nonce{Inject: true})}, Guard: guard}},
		"one of two sites":     {{Hosts: []string{"x"}, App: app("a", mine), Guard: guard}, {Hosts: []string{"y"}, App: app("a", gateway.Nonce{}), Guard: guard}},
		"another in two sites": {{Hosts: []string{"x"}, App: app("a", mine), Guard: guard}, {Hosts: []string{"y"}, App: app("a", other), Guard: guard}},
	} {
		if _, err := gateway.New(gateway.Config{Sites: sites, Logger: slog.New(slog.DiscardHandler)}); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: New = %v", name, err)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	app := &http.Server{Handler: http.HandlerFunc(echo)}
	go app.Serve(l)
	defer app.Close()
	addr := serve(t, merlon.Strict(), echo, func(s *gateway.Site) { s.Upstream = mustParse(t, "unix:"+path) })
	for range 2 {
		if res, body := send(t, addr, "GET /x HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"); res.StatusCode != 200 || !strings.HasPrefix(body, "GET /x host=shop.example\n") {
			t.Errorf("%d %s", res.StatusCode, body)
		}
	}
}

// HTTP/2 to both sides: over TLS, and without it where it is asked for.
func TestHTTP2ToBothSides(t *testing.T) {
	protocol := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprint(w, r.Proto, " ", r.Host, " ", string(body), " ", err, " ", r.Trailer)
		w.Header().Set("X-Sum", "1")
	})
	clear := httptest.NewUnstartedServer(protocol)
	clear.Config.Protocols = new(http.Protocols)
	clear.Config.Protocols.SetUnencryptedHTTP2(true)
	clear.Start()
	defer clear.Close()
	addr := serve(t, merlon.Strict(), echo, func(s *gateway.Site) {
		s.Upstream = mustParse(t, strings.Replace(clear.URL, "http:", "h2c:", 1))
	})
	client := &http.Client{Transport: &http.Transport{Protocols: new(http.Protocols)}}
	client.Transport.(*http.Transport).Protocols.SetUnencryptedHTTP2(true)
	defer client.CloseIdleConnections()
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		c := client
		if version == "HTTP/1.1" {
			c = http.DefaultClient
		}
		req, err := http.NewRequest("POST", "http://"+addr+"/", io.MultiReader(strings.NewReader("a"), strings.NewReader("b")))
		if err != nil {
			t.Fatal(err)
		}
		req.Host, req.Trailer = "shop.example", http.Header{"X-End": {"2"}}
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if want := "HTTP/2.0 shop.example ab <nil> map[X-End:[2]]"; err != nil || string(body) != want || res.Proto != version || res.Trailer.Get("X-Sum") != "1" || res.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %s %q %v, trailers %v, %v, want %q", version, res.Proto, body, res.Header, res.Trailer, err, want)
		}
	}
}

// Of what a trusted proxy sends, only the headers that the Guard believes go on: proxies pass others through as clients send them.
func TestForwardedFromATrustedProxy(t *testing.T) {
	spoofed := "X-Forwarded-Host: evil\r\nX-Forwarded-Prefix: /evil\r\nX-Forwarded-Port: 1\r\nX-Real-Ip: evil\r\n"
	for name, c := range map[string]struct {
		proxies      merlon.Proxies
		header, want string
	}{
		"its own":      {merlon.Proxies{Header: "X-Scheme"}, "X-Scheme: https\r\n", "X-Scheme: https\n"},
		"Forwarded":    {merlon.Proxies{Header: "Forwarded"}, "Forwarded: for=192.0.2.1;proto=https\r\n", "Forwarded: for=192.0.2.1;proto=https\n"},
		"not believed": {merlon.Proxies{}, "X-Forwarded-Proto: https\r\nForwarded: for=evil;host=evil\r\n", "X-Forwarded-Host: shop.example\n"},
	} {
		config := merlon.Strict()
		config.HTTPS.Proxies = c.proxies
		config.HTTPS.Proxies.CIDR = []string{"127.0.0.0/8"}
		addr := serve(t, config, echo)
		res, body := send(t, addr, "GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n"+c.header+spoofed+"\r\n")
		if strings.Contains(body, "evil") || !strings.Contains(body, c.want) || !strings.Contains(body, "X-Forwarded-Proto: https\n") || res.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: the application got\n%s", name, body)
		}
	}
}

// An application over HTTPS is trusted by its own CA where the site names one, over HTTP/2 too, and by no other.
func TestUpstreamOverHTTPS(t *testing.T) {
	app := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	app.EnableHTTP2 = true
	app.Config.ErrorLog = log.New(io.Discard, "", 0)
	app.StartTLS()
	defer app.Close()
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: app.Certificate().Raw})
	for name, c := range map[string]struct {
		roots  []byte
		status int
		body   string
	}{"its own CA": {own, 200, "HTTP/2.0"}, "those of the system": {nil, 502, ""}, "none": {[]byte("nothing"), 502, ""}} {
		addr := serve(t, merlon.Strict(), echo, func(s *gateway.Site) { s.Upstream, s.Roots = mustParse(t, app.URL), c.roots })
		res, body := send(t, addr, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if res.StatusCode != c.status || c.body != "" && body != c.body || res.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("trusted by %s: %d %q %v", name, res.StatusCode, body, res.Header)
		}
	}
}
