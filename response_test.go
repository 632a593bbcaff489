package merlon_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/csp"
)

func TestHandlersHeadersMeetOurs(t *testing.T) {
	for _, m := range slices.Concat(cacheMeetings(), statusMeetings(), framingMeetings(), spellingMeetings(), proxyMeetings()) {
		t.Run(m.name, m.run)
	}
}

func lines(v ...string) []string { return v }

func cacheMeetings() []meeting {
	const cc = "Cache-Control"
	private := but(merlon.Strict(), func(c *merlon.Config) { c.NonceCache = "private" })
	mandatory := but(private, func(c *merlon.Config) { c.CacheControl, c.Mandatory = "no-cache", lines(cc) })
	sampled := but(merlon.Strict(), func(c *merlon.Config) {
		c.CacheControl, c.Mandatory, c.Reports, c.ReportSample = "public", lines(cc), "/r", "50%"
	})
	static := but(merlon.Off(), func(c *merlon.Config) {
		c.Headers = map[string]string{"CDN-Cache-Control": "max-age=60", "Expires": "0"}
	})
	out := []meeting{
		{name: "a stricter choice stays", config: merlon.Strict(), theirs: http.Header{cc: {"no-store, no-transform"}}, want: http.Header{cc: {"no-store, no-transform"}}},
		{name: "several lines are one list", config: private, theirs: http.Header{cc: {"no-cache", "public, max-age=5"}}, want: http.Header{cc: {"private, no-cache, max-age=5"}}},
		{name: "a mandatory value is the one made private", config: mandatory, theirs: http.Header{cc: {"max-age=60"}}, want: http.Header{cc: {"private, no-cache"}}},
		{name: "a sample does not undo no-store", config: sampled, want: http.Header{cc: {"no-store"}}},
		{name: "a CDN's own header goes", config: merlon.Strict(), theirs: http.Header{"Cdn-Cache-Control": {"max-age=60"}}, want: http.Header{cc: {"no-store"}, "Cdn-Cache-Control": nil}},
		{name: "and leaves the policy alone", config: policyOf("script-src 'nonce'"), theirs: http.Header{"Expires": {"0"}, "Content-Security-Policy": {"img-src 'none'"}}, want: http.Header{"Expires": nil, "Content-Security-Policy": {"img-src 'none'", "frame-ancestors 'none'"}}},
		{name: "a handler's header for CDNs is kept", config: static, theirs: http.Header{"Cdn-Cache-Control": {"no-store"}}, want: http.Header{"Cdn-Cache-Control": {"no-store"}}},
		{name: "and keeps no other away", config: static, theirs: http.Header{"Cdn-Cache-Control": {"no-store"}}, want: http.Header{"Expires": {"0"}}},
	}
	for theirs, want := range map[string]string{"public,, max-age=5": "private, max-age=5", "public,max-age=5": "private, max-age=5", `ext="a,b"`: `private, ext="a,b"`,
		`max-age=5, ext="a\", b"`: `private, max-age=5, ext="a\", b"`, `x\,public`: `private, x\`, `public, ext="a`: "private, no-store"} {
		out = append(out, meeting{name: "made private: " + theirs, config: private, theirs: http.Header{cc: {theirs}}, want: http.Header{cc: {want}}})
	}
	return out
}

// Which answers carry a nonce, and are kept out of caches for it.
func statusMeetings() []meeting {
	var out []meeting
	for name, c := range map[string]struct {
		status int
		theirs http.Header
		nonce  bool
	}{
		"a redirect": {302, http.Header{"Location": {"/"}}, false}, "choices": {300, nil, true}, "something made": {201, http.Header{"Location": {"/new"}}, true},
		"other protocols": {101, nil, false}, "nothing": {204, nil, false}, "a reset": {205, nil, false}, "an error": {500, nil, true}, "a page behind 200 and Location": {200, http.Header{"Location": {"/"}}, true},
	} {
		want := http.Header{"Content-Security-Policy": {"script-src 'none'; frame-ancestors 'none'"}, "Cache-Control": nil, "X-Frame-Options": {"DENY"}}
		if c.nonce {
			want["Content-Security-Policy"], want["Cache-Control"] = lines("script-src 'nonce'; frame-ancestors 'none'"), lines("no-store")
		}
		out = append(out, meeting{name: "nonce of " + name, config: policyOf("script-src 'nonce'"), status: c.status, theirs: c.theirs, want: want})
	}
	for mime, document := range map[string]bool{"text/plain, text/html": true, "nonsense": true, "/json": true, "text/": true, "text/xsl": true, "application/rdf": true, "multipart/x-mixed-replace; boundary=x": true,
		"unknown/unknown": true, "application/unknown": true, "*/*": true, "\ttext/html\t; charset=x": true, "text/plain": false, "text/css": false} {
		want := lines("script-src 'none'; frame-ancestors 'none'")
		if document {
			want = lines("script-src 'nonce'; frame-ancestors 'none'")
		}
		out = append(out, meeting{name: "nonce in " + mime, config: policyOf("script-src 'nonce'"), theirs: http.Header{"Content-Type": {mime}}, want: http.Header{"Content-Security-Policy": want}})
	}
	etag, one := http.Header{"Etag": {`"v1"`}}, merlon.Config{CSP: "script-src 'nonce'", Trial: "script-src 'nonce' https:"}
	const trial = "Content-Security-Policy-Report-Only"
	return append(out,
		meeting{name: "304 leaves the stored page's policies", config: one, status: 304, theirs: etag, want: http.Header{"Content-Security-Policy": nil, trial: nil, "Cache-Control": {"no-store"}}},
		meeting{name: "304 renews policies without a nonce", config: merlon.Config{CSP: "img-src 'self'", Trial: "img-src 'none'"}, status: 304, want: http.Header{"Content-Security-Policy": {"img-src 'self'; frame-ancestors 'none'"}, trial: {"img-src 'none'"}}},
		meeting{name: "HEAD of a page with an ETag", config: one, request: "HEAD " + shop, theirs: etag, want: http.Header{"Content-Security-Policy": {"script-src 'none'; frame-ancestors 'none'"}, trial: {"script-src https:"}}},
		meeting{name: "a nonce in both policies", config: one, want: http.Header{"Content-Security-Policy": {"script-src 'nonce'; frame-ancestors 'none'"}, trial: {"script-src 'nonce' https:"}}},
		meeting{name: "HSTS of a handler over plain HTTP", config: merlon.Config{}, request: "GET http://shop.example/", theirs: http.Header{"Strict-Transport-Security": {"max-age=5"}}, want: http.Header{"Strict-Transport-Security": nil}},
		meeting{name: "HSTS of a handler over HTTPS", config: merlon.Config{}, theirs: http.Header{"Strict-Transport-Security": {"max-age=5"}}, want: http.Header{"Strict-Transport-Security": {"max-age=5"}}},
		meeting{name: "a handler's trial", config: merlon.Config{Trial: "img-src 'none'"}, theirs: http.Header{trial: {"img-src *"}}, want: http.Header{trial: {"img-src *"}}},
		meeting{name: "no trial of a handler that has a policy", config: merlon.Config{Trial: "img-src 'none'"}, theirs: http.Header{"Content-Security-Policy": {"img-src *"}}, want: http.Header{trial: {"img-src 'none'"}}},
		meeting{name: "trials over plain HTTP upgrade nothing", config: merlon.Config{Trial: "img-src 'none'; upgrade-insecure-requests"}, request: "GET http://shop.example/", want: http.Header{trial: {"img-src 'none'"}}},
		meeting{name: "other headers over plain HTTP", config: merlon.Config{Headers: map[string]string{"X-Site": "a", "Server": "off"}}, request: "GET http://shop.example/", theirs: http.Header{"Server": {"x"}}, want: http.Header{"X-Site": {"a"}, "Server": nil}},
		meeting{name: "a cookie that is well", config: merlon.Config{Cookies: merlon.Cookies{Secure: true}}, theirs: http.Header{"Set-Cookie": {"a=b"}}, want: http.Header{"Set-Cookie": {"a=b; Secure"}}},
		meeting{name: "without the nonce no source is left", config: policyOf("style-src 'nonce' 'report-sample'"), request: "HEAD " + shop, want: http.Header{"Content-Security-Policy": {"style-src 'none'; frame-ancestors 'none'"}}},
		meeting{name: "without the nonce a hash is left", config: policyOf("script-src 'nonce' 'strict-dynamic' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'report-sample'"), request: "HEAD " + shop,
			want: http.Header{"Content-Security-Policy": {"script-src 'strict-dynamic' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'report-sample'; frame-ancestors 'none'"}}},
	)
}

const partner = "https://partner.example"

func framingMeetings() []meeting {
	const xfo, policy = "X-Frame-Options", "Content-Security-Policy"
	byPartner := merlon.Config{CSP: "img-src 'self'", Trial: "off", Frame: merlon.Frame{partner}} // neither DENY nor SAMEORIGIN
	var out []meeting
	for _, c := range []struct {
		theirs []string
		want   []string // nil where theirs protect nothing, so that ours goes out, which X-Frame-Options cannot say
	}{
		{lines("DENY", "DENY"), lines("DENY")}, {lines("SAMEORIGIN, DENY"), lines("DENY")}, {lines("SAMEORIGIN", "SAMEORIGIN"), lines("SAMEORIGIN")}, {lines("SAMEORIGIN, ALLOWALL"), lines("DENY")},
		{lines("ALLOWALL, BOGUS"), lines("DENY")}, {lines("BOGUS", "SAMEORIGIN"), lines("DENY")}, {lines("BOGUS, deny"), lines("DENY")}, {lines(" \tSAMEORIGIN\t"), lines("SAMEORIGIN")},
		{lines("ALLOWALL"), nil}, {lines("BOGUS", "ALLOW-FROM x"), nil}, {lines("ALLOWALL, allowall"), nil},
	} {
		m := meeting{name: fmt.Sprintf("X-Frame-Options %q", c.theirs), config: byPartner, theirs: http.Header{xfo: c.theirs}, want: http.Header{xfo: c.want}}
		if c.want == nil {
			m.misuse = lines("ignored-framing: " + strings.Join(c.theirs, ", ") + " protects nothing")
		}
		out = append(out, m)
	}
	long := strings.Repeat(" ", csp.MaxBytes-len("img-src *; frame-ancestors 'self'")) + "img-src *; frame-ancestors 'self'"
	for _, c := range []struct {
		name    string
		theirs  http.Header
		options []string
		others  []string // policies beside theirs
	}{
		{"partners beside SAMEORIGIN", http.Header{xfo: {"SAMEORIGIN"}, policy: {"frame-ancestors " + partner}}, nil, nil},
		{"'none'", http.Header{policy: {"frame-ancestors 'none'"}}, lines("DENY"), nil},
		{"no source", http.Header{policy: {"frame-ancestors"}}, lines("DENY"), nil},
		{"'none' beside others", http.Header{policy: {"frame-ancestors 'none' https://a.example"}}, nil, nil},
		{"what a Frame cannot say", http.Header{policy: {"frame-ancestors *.a.example"}}, nil, nil},
		{"two that have nobody in common", http.Header{policy: {"frame-ancestors https://a.example, frame-ancestors 'self'"}}, lines("DENY"), nil},
		{"the longest line that is read", http.Header{policy: {long}}, lines("SAMEORIGIN"), nil},
		{"a line that is too long to be read", http.Header{policy: {" " + long}}, nil, lines("frame-ancestors " + partner)},
		{"an unknown directive behind a known one", http.Header{policy: {"img-src *; bogus x"}}, nil, lines("frame-ancestors " + partner)},
	} {
		out = append(out, meeting{name: "frame-ancestors: " + c.name, config: byPartner, theirs: c.theirs, want: http.Header{xfo: c.options, policy: append(slices.Clone(c.theirs[policy]), c.others...)}})
	}
	return out
}

func spellingMeetings() []meeting {
	const xfo, referrer = "X-Frame-Options", "Referrer-Policy"
	long := "X-" + strings.Repeat("A", 70)
	config := but(policyOf("img-src 'self'"), func(c *merlon.Config) {
		c.Frame, c.ReferrerPolicy, c.Headers = merlon.Frame{partner}, "no-referrer", map[string]string{long: "ours"}
	})
	return []meeting{
		{name: "spelled in two ways", config: config, theirs: http.Header{xfo: {"DENY"}, "x-frame-options": {"SAMEORIGIN"}}, want: http.Header{xfo: {"DENY"}, "x-frame-options": nil}},
		{name: "a control character under another spelling", config: config, theirs: http.Header{"x-frame-options": {"\nSAMEORIGIN"}}, want: http.Header{xfo: {"SAMEORIGIN"}, "x-frame-options": nil}},
		{name: "nothing but a line break", config: config, theirs: http.Header{referrer: {"\r\n"}}, want: http.Header{referrer: {"no-referrer"}}},
		{name: "nothing but space", config: config, theirs: http.Header{referrer: {" \t"}}, want: http.Header{referrer: {"no-referrer"}}},
		{name: "a tab", config: config, theirs: http.Header{referrer: {"origin,\tunsafe-url"}}, want: http.Header{referrer: {"origin,\tunsafe-url"}}},
		{name: "DEL", config: config, theirs: http.Header{referrer: {"origin\x7f"}}, want: http.Header{referrer: {"origin "}}},
		{name: "others in lower case", config: config, theirs: http.Header{"x-mine-referrer": {"a"}}, want: http.Header{"x-mine-referrer": {"a"}}},
		{name: "others without a value", config: config, theirs: http.Header{"X-Mine-Referrer": {""}}, want: http.Header{"X-Mine-Referrer": {""}}},
		{name: "a long name", config: config, theirs: http.Header{http.CanonicalHeaderKey(long): {"own"}}, want: http.Header{http.CanonicalHeaderKey(long): {"own"}}},
	}
}

func proxyMeetings() []meeting {
	const policy, trial = "Content-Security-Policy", "Content-Security-Policy-Report-Only"
	two := merlon.Config{CSP: "img-src 'self'", Trial: "img-src 'none'", Frame: merlon.Frame{"https://a.example", "https://b.example"}, ReferrerPolicy: "origin", HTTPS: merlon.HTTPS{HSTS: "1d"}}
	return []meeting{
		{name: "a trial of another server", config: two, proxy: true, theirs: http.Header{trial: {"img-src *"}}, want: http.Header{trial: {"img-src *", "img-src 'none'"}}},
		{name: "another server lets in one of two", config: two, proxy: true, theirs: http.Header{policy: {"frame-ancestors https://a.example"}}, want: http.Header{policy: {"frame-ancestors https://a.example", "img-src 'self'; frame-ancestors https://a.example"}}},
		{name: "another server's wildcard", config: two, proxy: true, theirs: http.Header{policy: {"frame-ancestors *.a.example"}}, want: http.Header{policy: {"frame-ancestors *.a.example", "img-src 'self'; frame-ancestors https://a.example https://b.example"}}},
		{name: "browsers read the first line of HSTS", config: two, proxy: true, theirs: http.Header{"Strict-Transport-Security": {"max-age=99999999", "max-age=5"}}, want: http.Header{"Strict-Transport-Security": {"max-age=99999999"}}},
		{name: "browsers read all lines of Referrer-Policy", config: two, proxy: true, theirs: http.Header{"Referrer-Policy": {"unsafe-url", "no-referrer"}}, want: http.Header{"Referrer-Policy": {"no-referrer"}}},
	}
}

// Neither a handler nor a middleware outside reaches another header through the slice of one.
func TestHeadersShareNoBackingArray(t *testing.T) {
	g := newGuard(t, policyOf("default-src 'self'"))
	shared := []string{"img-src 'none'", "the handler's"}
	ask(g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header()["Content-Security-Policy"] = shared[:1] })), "GET", shop)
	if shared[1] != "the handler's" {
		t.Errorf("the Guard wrote %q into the handler's array", shared[1])
	}
	rec := httptest.NewRecorder()
	g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) })).ServeHTTP(appending{rec}, httptest.NewRequest("GET", shop, nil))
	for name, v := range rec.Result().Header {
		if len(v) != 2 || v[1] != "of "+name || strings.HasPrefix(v[0], "of ") {
			t.Errorf("%s is %q after a line was added to each header", name, v)
		}
	}
}

// appending is the writer of a middleware that adds a line to each header.
type appending struct{ http.ResponseWriter }

func (a appending) WriteHeader(status int) {
	for name := range a.Header() {
		a.Header().Add(name, "of "+name)
	}
	a.ResponseWriter.WriteHeader(status)
}

// The optional methods of a server's writer.
type (
	flushes struct{ on *[]string }
	hijacks struct {
		on    *[]string
		works bool
	}
	reads  struct{ on *[]string }
	closes struct{}
)

func (f flushes) Flush()                          { *f.on = append(*f.on, "flush") }
func (closes) CloseNotify() <-chan bool           { return closed }
func (r reads) ReadFrom(io.Reader) (int64, error) { *r.on = append(*r.on, "read"); return 7, nil }
func (h hijacks) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	*h.on = append(*h.on, "hijack")
	if h.works {
		return nil, nil, nil
	}
	return nil, nil, io.ErrNoProgress
}

var closed = make(<-chan bool)

// Handlers assert what the server's writer can do, whichever it is, and what they then call does it with the headers on.
func TestOptionalMethodsOfAnyWriter(t *testing.T) {
	file, err := os.Open("engine_test.go")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var on []string
	f, h, r, c := flushes{&on}, hijacks{on: &on}, reads{&on}, closes{}
	type plain struct{ http.ResponseWriter }
	for name, wrap := range map[string]func(plain) http.ResponseWriter{
		"": func(w plain) http.ResponseWriter { return w },
		"F": func(w plain) http.ResponseWriter {
			return struct {
				plain
				flushes
			}{w, f}
		},
		"H": func(w plain) http.ResponseWriter {
			return struct {
				plain
				hijacks
			}{w, h}
		},
		"R": func(w plain) http.ResponseWriter {
			return struct {
				plain
				reads
			}{w, r}
		},
		"FH": func(w plain) http.ResponseWriter {
			return struct {
				plain
				flushes
				hijacks
			}{w, f, h}
		},
		"FR": func(w plain) http.ResponseWriter {
			return struct {
				plain
				flushes
				reads
			}{w, f, r}
		},
		"HR": func(w plain) http.ResponseWriter {
			return struct {
				plain
				hijacks
				reads
			}{w, h, r}
		},
		"FC": func(w plain) http.ResponseWriter {
			return struct {
				plain
				flushes
				closes
			}{w, f, c}
		},
		"FHR": func(w plain) http.ResponseWriter {
			return struct {
				plain
				flushes
				hijacks
				reads
			}{w, f, h, r}
		},
		"FHRC": func(w plain) http.ResponseWriter {
			return struct {
				plain
				flushes
				hijacks
				reads
				closes
			}{w, f, h, r, c}
		},
	} {
		serve := func(use func(w http.ResponseWriter)) (http.Header, []string) {
			on = nil
			rec := httptest.NewRecorder()
			newGuard(t, merlon.Config{}).Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { use(w) })).ServeHTTP(wrap(plain{rec}), httptest.NewRequest("GET", shop, nil))
			return rec.Header(), on
		}
		has := ""
		for _, ability := range []string{"F", "H", "R", "C"} {
			header, did := serve(func(w http.ResponseWriter) {
				before := len(w.Header())
				switch ability {
				case "F":
					if flusher, ok := w.(http.Flusher); ok {
						has += "F"
						flusher.Flush()
					}
				case "H":
					if hijacker, ok := w.(http.Hijacker); ok {
						has += "H"
						if _, _, err := hijacker.Hijack(); err != io.ErrNoProgress {
							t.Errorf("%s: Hijack: %v", name, err)
						}
						return
					}
				case "R":
					if from, ok := w.(io.ReaderFrom); ok {
						has += "R"
						if n, err := from.ReadFrom(file); n != 7 || err != nil {
							t.Errorf("%s: ReadFrom: %d, %v", name, n, err)
						}
					}
				case "C":
					if notifier, ok := w.(interface{ CloseNotify() <-chan bool }); ok {
						has += "C"
						if notifier.CloseNotify() != closed {
							t.Errorf("%s: another channel of CloseNotify", name)
						}
						return
					}
				}
				if after := len(w.Header()); strings.HasSuffix(has, ability) && after == before {
					t.Errorf("%s: %s began the response without its headers", name, ability)
				}
			})
			if header.Get("X-Frame-Options") != "DENY" || strings.HasSuffix(has, ability) != (len(did) > 0) && ability != "C" {
				t.Errorf("%s: %s did %q and sent %v", name, ability, did, header)
			}
		}
		if has != name {
			t.Errorf("a writer that can %q seems to be one that can %q", name, has)
		}
	}
}

// From a file to the socket there is a short way, which is the server's ReadFrom; from elsewhere the first byte decides.
func TestReadFromKeepsTheShortWayForFiles(t *testing.T) {
	file, err := os.Open("engine_test.go")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, c := range []struct {
		name  string
		copy  func(w http.ResponseWriter)
		short bool
	}{
		{"io.Copy of a file", func(w http.ResponseWriter) { io.Copy(w, file) }, true},
		{"io.CopyN of a file", func(w http.ResponseWriter) { io.CopyN(w, file, 5) }, true},
		{"ReadFrom of a file", func(w http.ResponseWriter) { w.(io.ReaderFrom).ReadFrom(file) }, true},
		{"io.CopyN of other readers", func(w http.ResponseWriter) { io.CopyN(w, struct{ io.Reader }{strings.NewReader("123456")}, 5) }, false},
		{"io.Copy of other readers", func(w http.ResponseWriter) { io.Copy(w, struct{ io.Reader }{strings.NewReader("12345")}) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var on []string
			rec := httptest.NewRecorder()
			w := struct {
				http.ResponseWriter
				reads
			}{rec, reads{&on}}
			newGuard(t, merlon.Config{}).Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.copy(w) })).ServeHTTP(w, httptest.NewRequest("GET", shop, nil))
			if short := len(on) > 0; short != c.short || !short && rec.Body.String() != "12345" {
				t.Errorf("takes the short way: %v, and sends %d bytes another way", short, rec.Body.Len())
			}
		})
	}
}

// What goes out on a connection that was handed over is not the Guard's.
func TestHijackedResponsesAreNotCommitted(t *testing.T) {
	g, committed, _ := watched(t, merlon.Config{})
	rec := httptest.NewRecorder()
	w := struct {
		http.ResponseWriter
		hijacks
	}{rec, hijacks{on: new([]string), works: true}}
	g.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, _, err := w.(http.Hijacker).Hijack(); err != nil {
			t.Error(err)
		}
	})).ServeHTTP(w, httptest.NewRequest("GET", shop, nil))
	if len(*committed) > 0 || len(rec.Header()) > 0 {
		t.Errorf("committed %+v with %v", *committed, rec.Header())
	}
}

func TestFlushThroughAController(t *testing.T) {
	rec := httptest.NewRecorder()
	h := newGuard(t, merlon.Config{}).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil || !rec.Flushed || rec.Header().Get("X-Frame-Options") != "DENY" {
			t.Errorf("Flush: %v, flushed %v with %v", err, rec.Flushed, rec.Header())
		}
	}))
	h.ServeHTTP(unwrappable{rec}, httptest.NewRequest("GET", shop, nil))
}

func TestCommittedStatus(t *testing.T) {
	g, committed, _ := watched(t, policyOf("img-src 'self'"))
	for name, answer := range map[string]http.HandlerFunc{
		"nothing": func(http.ResponseWriter, *http.Request) {}, "Write": func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("x")) }, "WriteString": func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "x") },
		"Flush": func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush() }, "a file": func(w http.ResponseWriter, r *http.Request) {
			f, err := os.Open("engine_test.go")
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			io.CopyN(w, f, 5)
		},
	} {
		*committed = nil
		visit(t, g.Handler(answer), 1, "GET", "http://shop.example/")
		if len(*committed) != 1 || (*committed)[0].Status != 200 || (*committed)[0].Nonce != "" {
			t.Errorf("%s is committed as %+v", name, *committed)
		}
	}
	ask(g.Handler(own("Content-Type", "application/json")), "GET", shop)
	if last := (*committed)[len(*committed)-1]; last.Document {
		t.Errorf("JSON is committed as %+v", last)
	}
}

// The policies' hash tells both policies apart.
func TestPolicyHash(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []merlon.Config{{CSP: "img-src a.example", Trial: "off"}, {CSP: "img-src b.example", Trial: "off"}, {CSP: "img-src a.example", Trial: "img-src a.example"}, {CSP: "img-src a.example", Trial: "img-src b.example"}} {
		g, committed, _ := watched(t, c)
		ask(g.Handler(text("x")), "GET", shop)
		seen[(*committed)[0].Policy] = true
	}
	if len(seen) != 4 {
		t.Errorf("four pairs of policies have %d hashes", len(seen))
	}
}

type key struct{}

// Whatever the Guard puts into the context, what others put there stays to be found.
func TestContextsOfOthers(t *testing.T) {
	h := newGuard(t, merlon.Strict()).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Context().Value(key{}); got != "theirs" || r.Context().Value("absent") != nil {
			t.Errorf("the context has %v", got)
		}
	}))
	ask(h, "GET", shop, func(r *http.Request) { *r = *r.WithContext(context.WithValue(r.Context(), key{}, "theirs")) })
	if got := merlon.Nonce(t.Context()); got != "" {
		t.Errorf("outside of a Guard the nonce is %q", got)
	}
}

func TestGuardsInsideAGuard(t *testing.T) {
	g, committed, misuse := watched(t, policyOf("img-src 'self'"))
	same := own("X-Frame-Options", "SAMEORIGIN")
	for name, c := range map[string]struct {
		h    http.Handler
		want string
	}{
		"the same, behind a writer of another": {g.Handler(wrapWriter(g.Handler(same))), "SAMEORIGIN"},
		"a proxy in a site":                    {g.Handler(g.Proxy(same)), "DENY"},
		"a site in a proxy":                    {g.Proxy(g.Handler(same)), "DENY"},
	} {
		*committed = nil
		if got := ask(c.h, "GET", shop).Header.Get("X-Frame-Options"); got != c.want || len(*committed) != 1 {
			t.Errorf("%s: X-Frame-Options %q, want %q; committed %d times", name, got, c.want, len(*committed))
		}
	}
	foreign := newGuard(t, merlon.Config{}).With("x", merlon.FrameSelf()).Handler(text("x"))
	ask(g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		foreign.ServeHTTP(w, r)
	})), "GET", shop)
	if len(*misuse) != 1 || (*misuse)[0].Kind != merlon.ForeignRoute {
		t.Errorf("after the response began a foreign route is told as %+v", *misuse)
	}
}

func mistakes(err error) (out []string) {
	for e := range cfgerrors.All(err) {
		out = append(out, fmt.Sprintf("%s %s %s", e.Field, e.Code, e.Value))
	}
	return out
}
