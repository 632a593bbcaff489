package cli_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
)

// balancer is the nginx of docs/behind.md, with plain HTTP at its first address and HTTPS at its second. Its connections come from
// 127.0.0.2, so that the gateway can tell it from others on this machine. It passes on names with underscores.
func balancer(t *testing.T, gateway string) string {
	t.Helper()
	dir := t.TempDir()
	writeCertificate(t, dir)
	return "underscores_in_headers on;\n" + replaced(t, documentedNginx(t, "balancer"),
		"listen 80;", "listen LISTEN1;", "listen 443 ", "listen LISTEN2 ",
		"/etc/ssl/shop.example.pem", filepath.Join(dir, "cert.pem"), "/etc/ssl/shop.example.key", filepath.Join(dir, "key.pem"),
		"proxy_pass http://127.0.0.1:8080;", "proxy_bind 127.0.0.2; proxy_pass "+gateway+";")
}

const balancedPolicy = djangoPolicy + `hosts: [shop.localhost]
https: {proxies: {cidr: [127.0.0.2/32]}}
`

// balanced is Django behind the gateway behind a TLS balancer.
type balanced struct{ secure, plain, gateway, django string }

func startBalanced(t *testing.T) balanced {
	t.Helper()
	if l, err := net.Listen("tcp", "127.0.0.2:0"); err != nil {
		need.Missing(t, "the address 127.0.0.2", "Linux has it; elsewhere: ifconfig lo0 alias 127.0.0.2")
	} else {
		l.Close()
	}
	django := startPython(t, "django", t.TempDir(), "https")
	_, gateway := startGateway(t, balancedPolicy, django, t.TempDir())
	addresses := startNginx(t, balancer(t, gateway))
	return balanced{plain: "http://" + asShop(addresses[0]), secure: "https://" + asShop(addresses[1]),
		gateway: "http://" + asShop(strings.TrimPrefix(gateway, "http://")), django: "http://" + asShop(strings.TrimPrefix(django, "http://"))}
}

// asShop gives an address of this machine the shop's name.
func asShop(address string) string {
	return strings.Replace(address, "127.0.0.1:", "shop.localhost:", 1)
}

// shopClient finds every host on this machine, believes every certificate and follows no redirect.
func shopClient(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
		}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// The cookies are Secure, and Django redirects plain HTTP and checks where forms come from: whoever logs in does so over HTTPS
// as Django sees it too.
func TestLogInBehindATLSBalancer(t *testing.T) {
	noLeaks(t)
	site := startBalanced(t)
	useAdmin(t, site.secure)
	res, err := shopClient(t).Get(site.plain + "/admin/?x=1")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got, want := res.Header.Get("Location"), strings.Replace(site.plain, "http:", "https:", 1)+"/admin/?x=1"; res.StatusCode != http.StatusMovedPermanently || got != want {
		t.Errorf("plain HTTP: %d to %q, want Django's 301 to %q", res.StatusCode, got, want)
	}
}

// spoofed are headers by which clients try to seem elsewhere. CGI and its heirs read _ and - alike.
var spoofed = http.Header{
	"X-Forwarded-Proto": {"SCHEME"}, "X_Forwarded_Proto": {"SCHEME"}, "X-Forwarded_Proto": {"SCHEME"}, "x_forwarded-proto": {"SCHEME"},
	"Forwarded": {"for=192.0.2.1;proto=SCHEME;host=other.localhost"}, "X-Forwarded-Ssl": {"on"}, "X-Forwarded-Scheme": {"SCHEME"},
	"X-Url-Scheme": {"SCHEME"}, "Front-End-Https": {"on"}, "Front_End_Https": {"on"},
	"X-Forwarded-Host": {"other.localhost"}, "X_Forwarded_Host": {"other.localhost"}, "X-Forwarded-Server": {"other.localhost"}, "X-Forwarded-Port": {"1"},
	"X-Forwarded-For": {"192.0.2.1"}, "X_Forwarded_For": {"192.0.2.1"}, "X-Real-Ip": {"192.0.2.1"}, "Client-Ip": {"192.0.2.1"}, "True-Client-Ip": {"192.0.2.1"},
	"X-Original-Url": {"/admin/"}, "X-Rewrite-Url": {"/admin/"}, "X_Original_Url": {"/admin/"}, "Proxy": {"http://192.0.2.1"},
	"Merlon-Nonce": {"AAAAAAAAAAAAAAAAAAAAAA"}, "Merlon_Nonce": {"AAAAAAAAAAAAAAAAAAAAAA"}, "Merlon-Gateway": {"x"},
}

// seen asks Django what it knows of a request with these headers: scheme, host and all that CGI would hand on.
func (b balanced) seen(t *testing.T, client *http.Client, site, host string, headers http.Header) (status int, what string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", site+"/seen/", nil)
	if err != nil {
		t.Fatal(err)
	}
	scheme := "https"
	if site == b.secure {
		scheme = "http"
	}
	for name, values := range headers {
		req.Header[name] = []string{strings.ReplaceAll(values[0], "SCHEME", scheme)}
	}
	req.Host = host
	res, body := do(t, client, req)
	return res.StatusCode, body
}

func TestSpoofedHeadersChangeNothing(t *testing.T) {
	noLeaks(t)
	b, client := startBalanced(t), shopClient(t)
	for name, site := range map[string]string{"through the balancer over HTTPS": b.secure, "through the balancer over HTTP": b.plain, "past the balancer": b.gateway} {
		scheme, host, _ := strings.Cut(site, "://")
		status, want := b.seen(t, client, site, "", nil)
		if status != http.StatusOK || !strings.HasPrefix(want, `["`+scheme+`", "`+host+`", `) {
			t.Errorf("%s: %d %s, want %s and %s", name, status, want, scheme, host)
		}
		each := map[string]http.Header{"all": spoofed}
		for header, values := range spoofed {
			each[header] = http.Header{header: values}
		}
		for header, headers := range each {
			if status, got := b.seen(t, client, site, "", headers); status != http.StatusOK || got != want {
				t.Errorf("%s, spoofed %s: Django sees %d %s\nwant %s", name, header, status, got, want)
			}
		}
		for _, host := range []string{"other.localhost", "shop.localhost.other.localhost", "other.localhost:1"} {
			if status, got := b.seen(t, client, site, host, nil); status != http.StatusMisdirectedRequest {
				t.Errorf("%s, Host %s: %d, want 421: %s", name, host, status, got)
			}
		}
	}
	for header := range spoofed { // all reach Django where nobody takes them away, and some are believed
		_, before := b.seen(t, client, b.django, "", nil)
		_, after := b.seen(t, client, b.django, "", http.Header{header: spoofed[header]})
		if after == before {
			t.Errorf("without a gateway Django does not see %s", header)
		}
		folded := strings.ToLower(strings.ReplaceAll(header, "_", "-"))
		if folded == "x-forwarded-proto" && !strings.HasPrefix(after, `["https"`) || folded == "x-forwarded-host" && !strings.Contains(after, `, "other.localhost", `) {
			t.Errorf("without a gateway Django does not believe %s: %s", header, after)
		}
	}
}
