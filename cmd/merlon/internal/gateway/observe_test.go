package gateway_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

// observed starts a gateway whose requests have records, and returns its address, the records in the order of their ends, and
// the error log.
func observed(t *testing.T, edit func(*gateway.Site), app http.HandlerFunc) (string, chan *access.Record, *logged) {
	t.Helper()
	log := &logged{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	g := newGateway(t, merlon.Strict(), app, func(c *gateway.Config) {
		c.Sites[0].Name, c.Logger = "shop", logger
		edit(&c.Sites[0])
	})
	records := make(chan *access.Record, 10)
	return listen(t, &access.Handler{Next: g, Error: logger, Ended: func(r *access.Record) { records <- r }}), records, log
}

// logged is a log that several goroutines write.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestRecordOfARequest(t *testing.T) {
	secret := "n" + strings.Repeat("5f2a", 8)
	addr, records, _ := observed(t, func(s *gateway.Site) {
		s.Hosts, s.Nonce = []string{"shop.example"}, gateway.Nonce{Placeholder: secret}
	}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/page":
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<script nonce="+secret+"></script><p>"+secret)
		case "/half":
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "half")
		case "/hangs-up":
			panic(http.ErrAbortHandler)
		}
	})
	scrubbed := access.Page{Rewritten: true} // whatever its type
	for _, tc := range []struct {
		target, host string
		want         access.Record
	}{
		{"/page", "shop.example", access.Record{Site: "shop", Status: 200, UpstreamAsked: true, Page: access.Page{Rewritten: true, Nonced: 1, Scrubbed: 1}}},
		{"/half", "shop.example", access.Record{Site: "shop", Status: 200, UpstreamAsked: true, Aborted: true}},
		{"/hangs-up", "shop.example", access.Record{Site: "shop", Status: 502, UpstreamAsked: true, UpstreamFailed: true, Page: scrubbed}},
		{"/" + secret, "shop.example", access.Record{Site: "shop", Status: 400, Withheld: true}},
		{"/.merlon/r", "shop.example", access.Record{Site: "shop", Status: 404}},
		{"/page", "other.example", access.Record{Status: 421}},
		{"x:y", "shop.example", access.Record{Status: 400}},
	} {
		exchange(t, addr, "GET "+tc.target+" HTTP/1.1\r\nHost: "+tc.host+"\r\nConnection: close\r\n\r\n")
		got := <-records
		ignore := cmpopts.IgnoreFields(access.Record{}, "Context", "Start", "Duration", "Upstream", "Bytes")
		if diff := cmp.Diff(&tc.want, got, ignore, cmpopts.IgnoreUnexported(access.Record{})); diff != "" {
			t.Errorf("%s at %s: -want +got:\n%s", tc.target, tc.host, diff)
		}
	}
}

// A panic is answered with a page of the gateway, with the site's headers, as long as nothing else went out.
func TestPanicIsAnswered(t *testing.T) {
	broken := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3")
		if r.URL.RawQuery == "late" {
			w.WriteHeader(200)
		}
		if r.URL.RawQuery == "abort" {
			panic(http.ErrAbortHandler)
		}
		panic("boom")
	})
	addr, records, log := observed(t, func(s *gateway.Site) { s.Reports = broken }, http.NotFound)
	res, body := send(t, addr, "GET /.merlon/r HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if res.StatusCode != 500 || !strings.Contains(body, "The gateway failed") || res.Header.Get("X-Frame-Options") != "DENY" || res.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("a panic: %d %v %q", res.StatusCode, res.Header, body)
	}
	if rec := <-records; !rec.Panicked || rec.Aborted || rec.Status != 500 {
		t.Errorf("its record: %+v", rec)
	}
	if !strings.Contains(log.String(), "boom") || !strings.Contains(log.String(), "TestPanicIsAnswered") {
		t.Errorf("the log does not say where the panic was:\n%s", log)
	}
	for query, panicked := range map[string]bool{"late": true, "abort": false} {
		exchange(t, addr, "GET /.merlon/r?"+query+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if rec := <-records; rec.Panicked != panicked || !rec.Aborted {
			t.Errorf("%s: %+v, want it aborted", query, rec)
		}
	}
}

// What is the client's fault does not count as an application that does not answer: who counts that wakes somebody up.
func TestFaultsOfClientsAreNotTheApplications(t *testing.T) {
	secret := "n" + strings.Repeat("5f2a", 8)
	addr, records, log := observed(t, func(s *gateway.Site) {
		s.MaxBody, s.Nonce = 100, gateway.Nonce{Placeholder: secret}
	}, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	for name, request := range map[string]string{
		"too large":   "Transfer-Encoding: chunked\r\n\r\n65\r\n" + strings.Repeat("x", 101) + "\r\n0\r\n\r\n",
		"placeholder": "Transfer-Encoding: chunked\r\n\r\n21\r\n" + secret + "\r\n0\r\n\r\n",
		"breaks off":  "Content-Length: 10\r\n\r\n123",
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+request); err != nil {
			t.Fatal(err)
		}
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
		c.Close()
		if rec := <-records; !rec.UpstreamAsked || rec.UpstreamFailed || rec.Status/100 == 2 {
			t.Errorf("%s: %+v, log %s", name, rec, log)
		}
	}
}
