package gateway

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/merlon-sec/merlon"
)

// DashboardCookie is the name of the dashboard's session. Cookies know no ports, so that a browser sends it to the gateway
// when both are opened under one host name; it is never passed on.
const DashboardCookie = "merlon-dashboard"

// NonceHeader tells the application the nonce of the response that it is about to make.
const NonceHeader = "Merlon-Nonce"

// How long the gateway waits for an application. Bodies may take as long as they need.
const (
	dialTimeout   = 5 * time.Second
	headerTimeout = 60 * time.Second
	idleTimeout   = 90 * time.Second
)

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 nil, // the environment's proxy must not see traffic that is local by intent
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConnsPerHost:   64,
		DisableCompression:    true, // encodings pass through as the client asked for them
		ForceAttemptHTTP2:     true,
	}
}

// proxy forwards to one site's application.
type proxy struct {
	site Site
	log  *slog.Logger
	mark string // what tells this gateway's requests from all others
}

// markHeader carries the gateway's mark: an application that leads back to the gateway would go round for ever.
const markHeader = "Merlon-Gateway"

func (p *proxy) handler(transport http.RoundTripper) http.Handler {
	reverse := &httputil.ReverseProxy{
		Rewrite:        p.rewrite,
		Transport:      transport,
		ErrorLog:       log.New(logWriter{p.log}, "", 0),
		ErrorHandler:   p.unavailable,
		ModifyResponse: p.checkResponse,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(markHeader) == p.mark {
			p.log.Error("the application's address leads back to the gateway", "upstream", p.site.Upstream.String())
			errorPage(w, http.StatusLoopDetected, "The application's address leads back to this gateway.", "Its operator can correct the upstream.")
			return
		}
		reverse.ServeHTTP(w, r)
	})
}

// rewrite passes a request on as it came, with the scheme and the client that the gateway vouches for.
func (p *proxy) rewrite(pr *httputil.ProxyRequest) {
	out, guard := pr.Out, p.site.Guard
	out.URL.Scheme, out.URL.Host = p.site.Upstream.Scheme, p.site.Upstream.Host
	out.URL.RawQuery = pr.In.URL.RawQuery // ReverseProxy has dropped what Go cannot parse; the application may
	out.Host = pr.In.Host
	clean(out.Header)
	if guard.TrustsPeer(pr.In) {
		out.Header["X-Forwarded-For"] = pr.In.Header["X-Forwarded-For"]
	}
	pr.SetXForwarded()
	out.Header.Set("X-Forwarded-Proto", guard.Scheme(pr.In))
	out.Header.Set(markHeader, p.mark)
	if nonce := merlon.Nonce(pr.In.Context()); nonce != "" && p.site.Nonce.Forward {
		out.Header.Set(NonceHeader, nonce)
	}
	p.site.Nonce.prepare(out.Header)
	if !strings.EqualFold(out.Header.Get("Upgrade"), "websocket") || out.Method != http.MethodGet {
		// After h2c or another switch the client would speak to the application past the gateway.
		out.Header.Del("Upgrade")
		out.Header.Del("Connection")
		out.Header.Del("Http2-Settings")
	}
}

// clean removes what clients may not say: headers that only the gateway sets, headers that applications believe about
// client, scheme or path, names that CGI and its heirs fold into others, and the session of the dashboard, which a cookie
// on the same host would give away.
func clean(h http.Header) {
	for name := range h {
		if reserved(name) || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			delete(h, name)
		}
	}
	for i, line := range h["Cookie"] {
		h["Cookie"][i] = withoutCookie(line, DashboardCookie)
	}
}

func reserved(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "forwarded", "x-forwarded", "proxy", "x-real-ip", "x-client-ip", "client-ip", "true-client-ip", "front-end-https", "x-url-scheme", "x-original-url", "x-rewrite-url":
		return true
	}
	return strings.HasPrefix(name, "merlon-") || strings.HasPrefix(name, "x-forwarded-")
}

func withoutCookie(line, name string) string {
	if !strings.Contains(line, name) {
		return line
	}
	var kept []string
	for pair := range strings.SplitSeq(line, ";") {
		if n, _, _ := strings.Cut(strings.TrimSpace(pair), "="); n != name {
			kept = append(kept, strings.TrimSpace(pair))
		}
	}
	return strings.Join(kept, "; ")
}

// checkResponse refuses what net/http would panic over, and takes out what only the gateway may say.
func (p *proxy) checkResponse(res *http.Response) error {
	if res.StatusCode < 100 || res.StatusCode > 999 {
		return fmt.Errorf("the application answers with the status %d", res.StatusCode)
	}
	for name := range res.Header {
		if strings.HasPrefix(name, "Merlon-") {
			delete(res.Header, name)
		}
	}
	return p.site.Nonce.check(res)
}

// unavailable answers for an application that does not, with all of the site's headers.
func (p *proxy) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) { // the client left
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	p.log.Error("the application does not answer", "upstream", p.site.Upstream.String(), "method", r.Method, "path", r.URL.Path, "error", err)
	if errors.Is(err, os.ErrDeadlineExceeded) || os.IsTimeout(err) {
		errorPage(w, http.StatusGatewayTimeout, "The application took too long to answer.", "Please try again in a moment.")
		return
	}
	errorPage(w, http.StatusBadGateway, "The application does not answer.", "Please try again in a moment.")
}

// errorPage writes a page that needs nothing that a strict policy forbids.
func errorPage(w http.ResponseWriter, status int, what, hint string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	title := html.EscapeString(strconv.Itoa(status) + " " + http.StatusText(status))
	io.WriteString(w, "<!doctype html>\n<html lang=en><meta charset=utf-8><title>"+title+"</title>\n<h1>"+title+"</h1>\n<p>"+
		html.EscapeString(what)+" "+html.EscapeString(hint)+"</p>\n</html>\n")
}

// logWriter hands what net/http's packages print to the structured log.
type logWriter struct{ logger *slog.Logger }

func (l logWriter) Write(line []byte) (int, error) {
	l.logger.Warn(strings.TrimSpace(string(line)))
	return len(line), nil
}
