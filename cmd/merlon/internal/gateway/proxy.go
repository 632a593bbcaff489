package gateway

import (
	"context"
	"errors"
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

func newProxy(s Site, transport http.RoundTripper, logger *slog.Logger) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:      func(pr *httputil.ProxyRequest) { rewrite(s, pr) },
		Transport:    transport,
		ErrorLog:     log.New(logWriter{logger}, "", 0),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { unavailable(w, r, err, s, logger) },
		ModifyResponse: func(res *http.Response) error {
			dropOurs(res.Header)
			return nil
		},
	}
}

// rewrite passes a request on as it came, with the scheme and the client that the gateway vouches for.
func rewrite(s Site, pr *httputil.ProxyRequest) {
	pr.Out.URL.Scheme, pr.Out.URL.Host = s.Upstream.Scheme, s.Upstream.Host
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery // ReverseProxy has dropped what Go cannot parse; the application may
	pr.Out.Host = pr.In.Host
	dropOurs(pr.Out.Header)
	if s.Guard.TrustsPeer(pr.In) {
		pr.Out.Header["X-Forwarded-For"] = pr.In.Header["X-Forwarded-For"]
	}
	pr.SetXForwarded()
	pr.Out.Header.Set("X-Forwarded-Proto", s.Guard.Scheme(pr.In))
	if s.Nonce {
		if nonce := merlon.Nonce(pr.In.Context()); nonce != "" {
			pr.Out.Header.Set(NonceHeader, nonce)
		}
	}
}

// dropOurs removes headers that only the gateway may set, under every name that an application takes for the same: CGI
// and its heirs read "_" and "-" alike.
func dropOurs(h http.Header) {
	for name := range h {
		folded := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		if strings.HasPrefix(folded, "merlon-") || strings.HasPrefix(folded, "x-forwarded-") || folded == "forwarded" {
			delete(h, name)
		}
	}
}

// unavailable answers for an application that does not, with all of the site's headers.
func unavailable(w http.ResponseWriter, r *http.Request, err error, s Site, logger *slog.Logger) {
	if errors.Is(err, context.Canceled) { // the client left
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	logger.Error("the application does not answer", "upstream", s.Upstream.String(), "method", r.Method, "path", r.URL.Path, "error", err)
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
