package merlontest

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// answer is what a handler said to one request.
type answer struct {
	request *http.Request
	status  int
	header  http.Header
	body    string
	list    *csp.List // the enforced policies and those on trial
}

// ask serves r as a server would. The caller's request stays as it was, so that it can be asked again.
func ask(h http.Handler, r *http.Request) answer {
	in := r.Clone(r.Context())
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body) // what a test made up is read without errors
		r.Body = io.NopCloser(bytes.NewReader(body))
		in.Body = io.NopCloser(bytes.NewReader(body))
	}
	if in.URL.Scheme == "https" && in.TLS == nil { // http.NewRequest leaves it out, and then no guard takes it for HTTPS
		in.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true, ServerName: in.URL.Hostname()}
	}
	w := recorder{httptest.NewRecorder()}
	h.ServeHTTP(w, in)
	res := w.Result()
	return answer{request: in, status: res.StatusCode, header: res.Header, body: w.Body.String(), list: policies(res.Header)}
}

// recorder passes over interim responses, which httptest.ResponseRecorder takes for the final one.
type recorder struct{ *httptest.ResponseRecorder }

func (w recorder) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.ResponseRecorder.WriteHeader(status)
	}
}

func policies(h http.Header) *csp.List {
	var delivered []csp.Delivered
	for _, line := range h["Content-Security-Policy"] {
		delivered = append(delivered, csp.Delivered{Value: line})
	}
	for _, line := range h["Content-Security-Policy-Report-Only"] {
		delivered = append(delivered, csp.Delivered{Value: line, Disposition: csp.Report})
	}
	return csp.NewList(delivered...)
}

// url is the page's address as a browser has it.
func (a *answer) url() csp.URL {
	u, _ := csp.ParseURL(a.address()) // without a host it has no origin, and 'self' covers nothing
	return u
}

func (a *answer) address() string {
	scheme := "http"
	if a.request.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + a.request.Host + a.request.URL.RequestURI()
}

// isPage reports whether there is a page to ask about. Browsers follow redirects without a look at framing and loads,
// and on a path that is not there an assertion would hold for the wrong reason.
func (a *answer) isPage(t testing.TB, call string) bool {
	t.Helper()
	switch {
	case a.status/100 == 3, a.status/100 == 5, a.status == http.StatusNotFound, a.status == http.StatusMethodNotAllowed, a.status == http.StatusMisdirectedRequest, a.status == http.StatusNoContent:
		a.fail(t, call, failure{
			got:  strings.TrimSuffix(fmt.Sprintf("no page, %s %s", http.StatusText(a.status), a.header.Get("Location")), " "),
			want: "a page",
			do:   "request what a browser shows in the end; Protected asks about redirects and errors",
		})
		return false
	}
	return true
}

// failure is what a failed assertion tells: what was there, what should be and the way out.
type failure struct{ got, want, do string }

func (a *answer) fail(t testing.TB, call string, f failure) {
	t.Helper()
	t.Errorf("%s: %s %s, status %d\n\tgot:  %s\n\twant: %s\n\tdo:   %s", call, a.request.Method, a.address(), a.status, f.got, f.want, f.do)
}

// nextLine continues what is told, under its beginning.
const nextLine = "\n\t      "

// lines shows a header as it goes out.
func (a *answer) lines(name string) string {
	if len(a.header[name]) == 0 {
		return "no " + name
	}
	return name + ": " + strings.Join(a.header[name], nextLine+name+": ")
}
