package access_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
)

// logged returns the line of one request.
func logged(t *testing.T, o access.Options, r *http.Request, next http.HandlerFunc) map[string]any {
	t.Helper()
	log := newLines()
	o.Format = access.JSON
	h := &access.Handler{Next: next, Log: access.NewLog(log, o)}
	h.ServeHTTP(httptest.NewRecorder(), r)
	return log.next(t)
}

func TestLine(t *testing.T) {
	r := httptest.NewRequest("POST", "https://shop.example/a%20b/%0A?token=secret", nil)
	r.RemoteAddr = "192.0.2.77:1234"
	r.Header.Set("User-Agent", "browser")
	line := logged(t, access.Options{}, r, func(w http.ResponseWriter, r *http.Request) {
		rec := access.Of(r.Context())
		rec.ForSite("shop.example", 0)
		rec.Committed("POST /a", true)
		rec.Asked(1500*time.Microsecond, false)
		rec.RewrotePage(access.Page{Rewritten: true, Nonced: 3})
		http.Error(w, "no", 404)
	})
	for _, key := range []string{"time", "duration_us"} {
		if line[key] == nil {
			t.Errorf("the line has no %s", key)
		}
		delete(line, key)
	}
	want := map[string]any{"level": "INFO", "msg": "request", "site": "shop.example", "method": "POST", "host": "shop.example", "path": "/a%20b/%0A",
		"route": "POST /a", "status": 404., "bytes": 3., "upstream_us": 1500., "client": "192.0.2.77", "protocol": "HTTP/1.1", "tls": true, "nonce": true, "rewritten": 3.}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestOptions(t *testing.T) {
	nothing := func(http.ResponseWriter, *http.Request) {}
	request := func() *http.Request {
		r := httptest.NewRequest("GET", "/a?q=1", nil)
		r.RemoteAddr = "192.0.2.77:1234"
		r.Header.Set("User-Agent", "a\x1b[31m\u009b\"b\" x=1")
		return r
	}
	line := logged(t, access.Options{Query: true, UserAgent: true, Addresses: access.None}, request(), nothing)
	if line["path"] != "/a?q=1" || line["user_agent"] != `a\x1b[31m\xc2\x9b"b" x=1` || line["client"] != nil {
		t.Errorf("with query and user agent, without addresses: %v", line)
	}
	if line := logged(t, access.Options{}, request(), nothing); line["path"] != "/a" || line["user_agent"] != nil {
		t.Errorf("by default: %v", line)
	}
	long := httptest.NewRequest("GET", "/"+strings.Repeat("a", 10_000), nil)
	if line := logged(t, access.Options{}, long, nothing); len(line["path"].(string)) > 2100 {
		t.Errorf("a long path has %d bytes in the log", len(line["path"].(string)))
	}
	secret := logged(t, access.Options{Query: true}, request(), func(_ http.ResponseWriter, r *http.Request) { access.Of(r.Context()).Withhold() })
	if secret["path"] != "(withheld)" {
		t.Errorf("a target with a secret is logged as %v", secret["path"])
	}
}

// Nobody writes a line of his own, in either form.
func TestOneLine(t *testing.T) {
	for _, format := range []access.Format{access.Text, access.JSON} {
		var out strings.Builder
		h := &access.Handler{Next: http.NotFoundHandler(), Log: access.NewLog(&out, access.Options{Format: format, Query: true, UserAgent: true})}
		r := httptest.NewRequest("GET", "/x", nil)
		r.URL.Path, r.URL.RawQuery, r.Host = "/\nlevel=ERROR\u2028", "a\r\nb", "h\nx"
		r.Method = "GET\n"
		r.Header.Set("User-Agent", "\n\u2028status=200")
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got := out.String(); strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\r\u2028") || strings.Contains(got, " status=200") {
			t.Errorf("%s: %q", format, got)
		}
	}
}

func TestClientAddress(t *testing.T) {
	for _, tc := range []struct {
		peer, forwarded string
		hops            int
		how             access.Addresses
		want            string
	}{
		{"192.0.2.77:1", "198.51.100.1", 0, access.Full, "192.0.2.77"}, // a peer that nobody trusts says nothing
		{"192.0.2.77:1", "198.51.100.1", 1, access.Full, "198.51.100.1"},
		{"192.0.2.77:1", "203.0.113.9, 198.51.100.1", 1, access.Full, "198.51.100.1"}, // the client's own word is left of it
		{"192.0.2.77:1", "203.0.113.9, 198.51.100.1", 2, access.Full, "203.0.113.9"},
		{"192.0.2.77:1", "198.51.100.1", 2, access.Full, "192.0.2.77"},
		{"192.0.2.77:1", "", 1, access.Full, "192.0.2.77"},
		{"192.0.2.77:1", "[2001:db8::1]:99", 1, access.Full, "2001:db8::1"},
		{"192.0.2.77:1", "evil\nline", 1, access.Full, `evil\x0aline`},
		{"192.0.2.77:1", "", 0, access.Masked, "192.0.2.0/24"},
		{"[2001:db8:1:2::3%eth0]:1", "", 0, access.Masked, "2001:db8:1::/48"},
		{"[::ffff:192.0.2.77]:1", "", 0, access.Masked, "192.0.2.0/24"},
		{"@", "", 0, access.Full, "@"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tc.peer
		if tc.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tc.forwarded)
		}
		line := logged(t, access.Options{Addresses: tc.how}, r, func(_ http.ResponseWriter, r *http.Request) { access.Of(r.Context()).ForSite("x", tc.hops) })
		if line["client"] != tc.want {
			t.Errorf("peer %s, X-Forwarded-For %q, %d hops, %s: %v, want %s", tc.peer, tc.forwarded, tc.hops, tc.how, line["client"], tc.want)
		}
	}
}

func TestFileIsOpenedAnew(t *testing.T) {
	name := filepath.Join(t.TempDir(), "access.log")
	f, err := access.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	io.WriteString(f, "1\n")
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "2\n")
	if err := f.Reopen(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "3\n")
	for path, want := range map[string]string{name: "3\n", name + ".1": "1\n2\n"} {
		if got, err := os.ReadFile(path); string(got) != want || err != nil {
			t.Errorf("%s has %q, %v: want %q", filepath.Base(path), got, err, want)
		}
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Reopen(); err == nil {
		t.Error("a directory was opened as a log")
	}
	if _, err := io.WriteString(f, "4\n"); err != nil {
		t.Errorf("after that the file before is not in use: %v", err)
	}
	if _, err := access.OpenFile(name); err == nil || !strings.Contains(err.Error(), "--access-log") {
		t.Errorf("a directory as a log: %v", err)
	}
}
