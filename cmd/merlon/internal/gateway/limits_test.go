package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

// serveWithin starts a gateway in front of app with the timeouts, and returns its address.
func serveWithin(t *testing.T, timeouts gateway.Timeouts, app http.HandlerFunc, edit ...func(*gateway.Site)) string {
	t.Helper()
	return listen(t, newGateway(t, merlon.Strict(), app, func(c *gateway.Config) {
		c.Timeouts = timeouts
		for _, e := range edit {
			e(&c.Sites[0])
		}
	}))
}

func TestMaxBody(t *testing.T) {
	addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && len(body) > 10 {
			t.Errorf("the application got %d bytes", len(body))
		}
		w.Write(body)
	}, func(s *gateway.Site) { s.MaxBody = 10 })
	for body, status := range map[string]int{
		"Content-Length: 10\r\n\r\n0123456789":                                     200,
		"Content-Length: 11\r\n\r\n0123456789x":                                    413,
		"Content-Length: 1000000000000\r\n\r\n":                                    413,
		"Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n":           200,
		"Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n": 413,
	} {
		res := exchange(t, addr, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+body)
		if len(res) != 1 || res[0].StatusCode != status || res[0].Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%q: %+v, want %d", body, res, status)
		}
	}
}

// Each phase in which somebody does nothing has an end, with a page that carries all headers while the header is not out.
func TestTimeouts(t *testing.T) {
	brief := 50 * time.Millisecond
	release, ended := make(chan struct{}), make(chan struct{})
	app := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/mute":
			<-release
		case "/stops":
			io.WriteString(w, "begins")
			w.(http.Flusher).Flush()
			<-release
		case "/floods":
			defer close(ended)
			for chunk := make([]byte, 64<<10); ; {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		default:
			if body, err := io.ReadAll(r.Body); err == nil {
				t.Errorf("the application got the whole of %q", body)
			}
		}
	}
	addr := serveWithin(t, gateway.Timeouts{RequestBody: brief, Response: brief, Header: brief, Body: brief}, app)
	defer close(release)
	for request, status := range map[string]int{
		"GET /mute HTTP/1.1\r\nHost: a\r\n\r\n":                                         504,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf":                  408,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n": 408,
	} {
		res := exchange(t, addr, strings.Replace(request, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1))
		if len(res) != 1 || res[0].StatusCode != status || res[0].Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%q: %+v, want %d", request, res, status)
		}
	}

	res, err := http.Get("http://" + addr + "/stops")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if string(body) != "begins" || err == nil {
		t.Errorf("a body that stops: %q, %v, want it cut", body, err)
	}

	// A client that takes nothing: the gateway leaves the application.
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /floods HTTP/1.1\r\nHost: a\r\n\r\n")
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the application still writes to a client that reads nothing")
	}
}

// Who sends a byte now and then holds a connection to the application no longer than a body of that size may take.
func TestTrickledBody(t *testing.T) {
	silence := 200 * time.Millisecond
	addr := serveWithin(t, gateway.Timeouts{RequestBody: silence}, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil {
			t.Error("the application got the whole body")
		}
	})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for tick := time.NewTicker(silence / 4); ; {
			select {
			case <-tick.C:
				c.Write([]byte("x"))
			case <-stop:
				tick.Stop()
				return
			}
		}
	}()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("%+v, %v, want 408", res, err)
	}
}

// A body that arrives in time leaves no bound behind: the response may take as long as it needs.
func TestTheBoundOfTheBodyEndsWithIt(t *testing.T) {
	silence := 50 * time.Millisecond
	addr := serveWithin(t, gateway.Timeouts{RequestBody: silence}, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			t.Error("the request was cancelled after its body had come")
		case <-time.After(4 * silence):
		}
		io.WriteString(w, "done")
	})
	res, err := http.Post("http://"+addr, "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); string(body) != "done" {
		t.Errorf("%d %q, %v", res.StatusCode, body, err)
	}
}

// An application that stands still in the middle of a coded body ends with an aborted response, whose decoder nobody uses from two
// goroutines at once: -race sees it.
func TestSilenceInACodedBody(t *testing.T) {
	for _, netHTTP := range []bool{false, true} {
		for _, name := range codings {
			app := func(w http.ResponseWriter, r *http.Request) {
				text := encoded(t, name, page+strings.Repeat("<p>x", 10_000))
				w.Header().Set("Content-Type", "text/html")
				w.Header().Set("Content-Encoding", name)
				io.WriteString(w, text[:len(text)/2])
				http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
			addr := listen(t, newGateway(t, merlon.Strict(), http.HandlerFunc(app), func(c *gateway.Config) {
				c.Timeouts.Body, c.NetHTTP = 50*time.Millisecond, netHTTP
				withPlaceholder(&c.Sites[0])
			}))
			for range 5 {
				if res, _, err := ask(t, "GET", "http://"+addr, "Accept-Encoding", name); err == nil {
					t.Errorf("%s, net/http's transport %v: %d looks complete", name, netHTTP, res.StatusCode)
				}
			}
		}
	}
}
