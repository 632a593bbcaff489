package gateway

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"

	"github.com/merlon-sec/merlon"
)

// proxy forwards to one application.
type proxy struct {
	app      App
	guard    *merlon.Guard
	log      *slog.Logger
	mark     string // what tells this gateway's requests from all others
	timeouts Timeouts
	routes   requestRoutes
	believed []string // headers of trusted proxies that go on
}

// markHeader carries the gateway's mark: an application that leads back to the gateway would go round for ever.
const markHeader = "Merlon-Gateway"

func (p *proxy) handler(transport http.RoundTripper) http.Handler {
	reverse := &httputil.ReverseProxy{
		Rewrite:        p.passOn,
		Transport:      transport,
		BufferPool:     &buffers,
		ErrorLog:       log.New(logWriter{p.log}, "", 0),
		ErrorHandler:   p.unavailable,
		ModifyResponse: p.checkResponse,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(markHeader) == p.mark {
			p.log.Error("the application's address leads back to the gateway", "upstream", p.app.Upstream.String())
			errorPage(w, http.StatusLoopDetected, "The application's address leads back to this gateway.", "Its operator can correct the upstream.")
			return
		}
		if p.app.MaxBody > 0 && r.ContentLength > p.app.MaxBody {
			tooLarge(w)
			return
		}
		w.Header().Del("Connection") // it comes with the response: ReverseProxy would add another, and loses it after a 1xx
		a := newAnswer(w, r, p)
		a.body = bounded(a, r, p.timeouts.RequestBody, p.app.MaxBody)
		reverse.ServeHTTP(a, r)
		dropMerlon(a.Header()) // of the trailers
		a.stall.renew()
	})
}

// checkResponse refuses what net/http would panic over, and makes the header true of what the client gets.
func (p *proxy) checkResponse(res *http.Response) error {
	if res.StatusCode < 100 || res.StatusCode > 999 {
		return fmt.Errorf("the application answers with the status %d", res.StatusCode)
	}
	if to := upgrade(res.Header); res.StatusCode == http.StatusSwitchingProtocols && (to == "" || to != upgrade(res.Request.Header)) {
		return errors.New("the application switches to a protocol that it was not asked for") // ReverseProxy would leave its connection open
	}
	if err := p.app.Nonce.check(res); err != nil {
		return err
	}
	if isLast(res.Request) {
		res.Header.Set("Connection", "close")
	}
	if res.StatusCode == http.StatusNoContent {
		res.Header.Del("Content-Length") // which RFC 9110 §8.6 forbids: over HTTP/2 clients miss the body
	}
	if len(res.Trailer) > 0 {
		res.Header.Del("Content-Length") // HTTP/1.1 has trailers behind chunks alone
	}
	return nil
}

// upgrade is the protocol to which a header asks to switch, or switches, or "".
func upgrade(h http.Header) string {
	for token := range strings.SplitSeq(strings.Join(h["Connection"], ","), ",") {
		if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
			return strings.ToLower(h.Get("Upgrade"))
		}
	}
	return ""
}

// bufferSize is how much of a body is on its way at once.
const bufferSize = 32 << 10

// buffers are what bodies are copied through.
var buffers = bufferPool{sync.Pool{New: func() any { return new([bufferSize]byte) }}}

type bufferPool struct{ sync.Pool }

func (p *bufferPool) Get() []byte  { return p.Pool.Get().(*[bufferSize]byte)[:] }
func (p *bufferPool) Put(b []byte) { p.Pool.Put((*[bufferSize]byte)(b)) }

// logWriter hands what net/http's packages print to the structured log.
type logWriter struct{ logger *slog.Logger }

func (l logWriter) Write(line []byte) (int, error) {
	l.logger.Warn(strings.TrimSpace(string(line)))
	return len(line), nil
}
