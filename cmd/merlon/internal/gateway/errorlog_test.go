package gateway_test

import (
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

// What a client chooses is printable ASCII in the error log too, and bounded: terminals obey U+009B, and a request that fails must
// not cost many times its length on the disk. What the application says wrong is there without its placeholder.
func TestErrorLog(t *testing.T) {
	app, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	go func() {
		for {
			c, err := app.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 "+secret+" x\r\n\r\n")
			c.Close()
		}
	}()
	guard, err := merlon.New(merlon.Strict())
	if err != nil {
		t.Fatal(err)
	}
	site := gateway.Site{App: gateway.App{Upstream: mustParse(t, "http://"+app.Addr().String()), Nonce: gateway.Nonce{Placeholder: secret}}, Guard: guard}
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"JSON": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		log := &logged{}
		g, err := gateway.New(gateway.Config{Sites: []gateway.Site{site}, Logger: slog.New(handler(log))})
		if err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(g)
		for _, line := range []string{"GET /%c2%9b31m%e2%80%ae" + strings.Repeat("%00", 5000), strings.Repeat("M", 5000) + " /", "GET /%c2%9b?" + secret} {
			send(t, srv.Listener.Addr().String(), line+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		}
		srv.Close()
		g.Close()
		text := log.String()
		if n := strings.Count(text, "\n"); n != 3 || strings.Contains(text, secret) {
			t.Errorf("%s: %d lines, want 3:\n%.2000s", name, n, text)
		}
		for line := range strings.Lines(text) {
			if len(line) > 4<<10 || strings.ContainsFunc(line, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }) {
				t.Errorf("%s: %d bytes: %.200q", name, len(line), line)
			}
		}
	}
}
