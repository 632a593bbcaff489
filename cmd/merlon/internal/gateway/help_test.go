package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/coding"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

// echo is an application that answers with what it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintf(w, "%s %s host=%s\n", r.Method, r.RequestURI, r.Host)
	for name, values := range r.Header {
		fmt.Fprintf(w, "%s: %s\n", name, strings.Join(values, "|"))
	}
}

// newGateway makes a gateway whose only site has app behind it. edit changes what it is made of; nil changes nothing.
func newGateway(t testing.TB, config merlon.Config, app http.Handler, edit func(*gateway.Config)) *gateway.Gateway {
	t.Helper()
	upstream := httptest.NewServer(app)
	t.Cleanup(upstream.Close)
	guard, err := merlon.New(config)
	if err != nil {
		t.Fatal(err)
	}
	c := gateway.Config{Logger: slog.New(slog.DiscardHandler),
		Sites: []gateway.Site{{App: gateway.App{Upstream: mustParse(t, upstream.URL)}, Guard: guard, ReportPath: "/.merlon/r"}}}
	if edit != nil {
		edit(&c)
	}
	g, err := gateway.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// serve starts a gateway in front of app, which forwards nonces, and returns its address.
func serve(t *testing.T, config merlon.Config, app http.HandlerFunc, edit ...func(*gateway.Site)) string {
	t.Helper()
	return listen(t, newGateway(t, config, app, func(c *gateway.Config) {
		c.Sites[0].Nonce.Forward = true
		for _, e := range edit {
			e(&c.Sites[0])
		}
	}))
}

// listen lets h answer as the tool does, and returns its address.
func listen(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.DisableGeneralOptionsHandler = true
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetHTTP1(true)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// send writes raw bytes and returns the answer with its body.
func send(t *testing.T, addr, request string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, request)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	return res, string(body)
}

// exchange sends bytes and returns all responses until the connection ends, their bodies read.
func exchange(t *testing.T, addr, request string) []*http.Response {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, request)
	var out []*http.Response
	for in := bufio.NewReader(c); ; {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return out
		}
		body, _ := io.ReadAll(res.Body)
		res.Body = io.NopCloser(strings.NewReader(string(body)))
		out = append(out, res)
	}
}

func mustParse(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

var (
	pools   coding.Pools
	codings = []string{"gzip", "br", "zstd"}
)

func encoded(t testing.TB, name, text string) string {
	t.Helper()
	if name == "" {
		return text
	}
	var out strings.Builder
	w := pools.NewWriter(name, &out)
	io.WriteString(w, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func decoded(t testing.TB, name, text string) string {
	t.Helper()
	if name == "" {
		return text
	}
	r := pools.NewReader(name, io.NopCloser(strings.NewReader(text)))
	defer r.Close()
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("decoding %s: %v", name, err)
	}
	return string(plain)
}

// ask sends a request without a transport that would decode or retry.
func ask(t testing.TB, method, url string, headers ...string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	if err != nil { // such as a response that was aborted before its header went out
		return &http.Response{}, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res, string(text), err
}

func nonceOf(h http.Header) string {
	_, rest, _ := strings.Cut(h.Get("Content-Security-Policy"), "'nonce-")
	nonce, _, _ := strings.Cut(rest, "'")
	return nonce
}
