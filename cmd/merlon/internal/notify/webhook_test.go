package notify_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var message = notify.Message{Headline: "[merlon] shop: scripts from a new origin: hxxps://evil[.]example by script-src-elem",
	Lines: []string{"First seen today.", ".", "A line that is longer than the 76 characters that quoted-printable lets a line have, = included."}, At: noon,
	Data: map[string]any{"schema": "merlon/alert", "version": 1}}

// resolver answers each question about a host with the next of its answers, and the last one again.
type resolver struct {
	answers [][]string
	asked   atomic.Int32
}

func (r *resolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	n := int(r.asked.Add(1)) - 1
	if len(r.answers) == 0 {
		return nil, errors.New("no such host")
	}
	var out []netip.Addr
	for _, text := range r.answers[min(n, len(r.answers)-1)] {
		out = append(out, netip.MustParseAddr(text))
	}
	return out, nil
}

// hook is a webhook with TLS by a CA of its own.
func hook(t *testing.T, h http.HandlerFunc) (server *httptest.Server, roots *x509.CertPool) {
	t.Helper()
	server = httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	roots = x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server, roots
}

func send(t *testing.T, c notify.WebhookConfig) error {
	t.Helper()
	w, err := notify.NewWebhook(c)
	if err != nil {
		t.Fatal(err)
	}
	return w.Send(t.Context(), message)
}

func TestWebhook(t *testing.T) {
	var got map[string]any
	server, roots := hook(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err = errors.Join(err, json.Unmarshal(body, &got)); err != nil {
			t.Error(err)
		}
		if r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s with %q", r.Method, r.Header.Get("Content-Type"))
		}
		io.WriteString(w, "ok")
	})
	if err := send(t, notify.WebhookConfig{URL: server.URL + "/hook", Roots: roots, AllowPrivate: true}); err != nil {
		t.Fatal(err)
	}
	text := message.Headline + "\n" + strings.Join(message.Lines, "\n")
	block := got["blocks"].([]any)[0].(map[string]any)["text"].(map[string]any)
	if got["text"] != text || got["mrkdwn"] != false || got["unfurl_links"] != false || got["unfurl_media"] != false {
		t.Errorf("the message is %v", got)
	}
	if block["type"] != "plain_text" || block["text"] != text || block["emoji"] != false {
		t.Errorf("the block is %v", block)
	}
	if data := got["merlon"].(map[string]any); data["schema"] != "merlon/alert" || data["version"] != 1.0 {
		t.Errorf("the part for programs is %v", data)
	}
}

func TestWebhookFailures(t *testing.T) {
	var reached atomic.Int32
	inner, _ := hook(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	for _, tc := range []struct {
		name string
		h    http.HandlerFunc
		want string
	}{
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inner.URL, http.StatusTemporaryRedirect)
		}, "it answers 307, a redirect, and none is followed"},
		{"an error", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "invalid\x1b[31m <token>", 500) }, "it answers 500: invalid[31m %3Ctoken%3E"},
		{"an error without text", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) }, "it answers 404"},
		{"an endless error", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			for range 1000 {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
			t.Error("all of an endless answer was read")
		}, "it answers 500"},
		{"an endless header", func(w http.ResponseWriter, r *http.Request) {
			for n := range 100 {
				w.Header().Set(fmt.Sprint("X-", n), strings.Repeat("x", 1<<10))
			}
		}, "exceeded"},
	} {
		server, roots := hook(t, tc.h)
		err := send(t, notify.WebhookConfig{URL: server.URL + "/secret-token", Roots: roots, AllowPrivate: true})
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret-token") {
			t.Errorf("%s: %v, want an error with %q and without the URL", tc.name, err, tc.want)
		}
	}
	if reached.Load() != 0 {
		t.Error("a redirect was followed")
	}
	server, _ := hook(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	err := send(t, notify.WebhookConfig{URL: server.URL + "/secret-token", AllowPrivate: true})
	if err == nil || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "secret-token") || reached.Load() != 0 {
		t.Errorf("a certificate of a CA that is not trusted: %v", err)
	}
}

// Where a name leads is decided once, and what was checked is what is dialled.
func TestWebhookAddresses(t *testing.T) {
	var reached atomic.Int32
	server, roots := hook(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name    string
		answers [][]string
		allow   bool
		want    string
	}{
		{"a private address", [][]string{{"127.0.0.1"}}, false, "127.0.0.1 is not on the public internet (write allow_private: true"},
		{"a private one beside a public one", [][]string{{"8.8.8.8", "127.0.0.1"}}, false, "127.0.0.1 is not on the public internet"},
		{"none", nil, false, "no such host"},
		{"an empty answer", [][]string{{}}, false, "no address"},
		{"metadata, whatever is allowed", [][]string{{"169.254.169.254"}}, true, "169.254.169.254 is no address that alerts may go to"},
		{"a private one that is allowed", [][]string{{"127.0.0.1"}}, true, ""},
		// The second answer of a name that changes is never asked for.
		{"one that changes", [][]string{{"127.0.0.1"}, {"169.254.169.254"}}, true, ""},
	} {
		reached.Store(0)
		r := &resolver{answers: tc.answers}
		err := send(t, notify.WebhookConfig{URL: "https://example.com:" + u.Port() + "/", Roots: roots, AllowPrivate: tc.allow, Resolver: r})
		switch {
		case tc.want == "" && (err != nil || reached.Load() != 1):
			t.Errorf("%s: %v, reached %d times", tc.name, err, reached.Load())
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || reached.Load() != 0):
			t.Errorf("%s: %v, want an error with %q", tc.name, err, tc.want)
		}
		if r.asked.Load() != 1 {
			t.Errorf("%s: resolved %d times", tc.name, r.asked.Load())
		}
	}
}

func TestCheckAddress(t *testing.T) {
	const public, private, never = "public", "private", "never"
	for text, want := range map[string]string{
		"8.8.8.8": public, "2606:4700::1111": public, "::ffff:8.8.8.8": public, "64:ff9b::8.8.8.8": public, "172.32.0.1": public,
		"127.0.0.1": private, "127.9.9.9": private, "10.1.2.3": private, "172.16.0.1": private, "192.168.0.1": private, "100.64.0.1": private, "198.18.0.1": private,
		"::1": private, "fd12::1": private, "fec0::1": private, "2001:db8::1": private, "::ffff:127.0.0.1": private, "::ffff:10.0.0.1": private,
		"64:ff9b::10.0.0.1": private, "2002:7f00:1::": private, "::127.0.0.1": private, "203.0.113.1": private, "2001::1": private, "64:ff9b:1::1": private,
		"169.254.169.254": never, "::ffff:169.254.169.254": never, "64:ff9b::a9fe:a9fe": never, "2002:a9fe:a9fe::1": never, "fe80::1": never, "fe80::1%eth0": never,
		"fd00:ec2::254": never, "100.100.100.200": never, "0.0.0.0": never, "::": never, "224.0.0.1": never, "ff02::1": never, "255.255.255.255": never, "0.1.2.3": never, "168.63.129.16": never,
	} {
		addr := netip.MustParseAddr(text)
		got := public
		if notify.CheckAddress(addr, false) != nil {
			got = private
		}
		if notify.CheckAddress(addr, true) != nil {
			got = never
		}
		if got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestCheckWebhook(t *testing.T) {
	for _, tc := range []struct {
		url          string
		allowPrivate bool
		ok           bool
	}{
		{"https://hooks.shop.example/x", false, true}, {"http://hooks.shop.example/x", false, false}, {"http://127.0.0.1:8065/x", true, true},
		{"ftp://x/", true, false}, {"https://u:p@x/", false, false}, {"https://", false, false}, {"/x", false, false}, {"https://x y/", false, false}, {"", false, false},
	} {
		err := notify.CheckWebhook(tc.url, tc.allowPrivate)
		if (err == nil) != tc.ok {
			t.Errorf("CheckWebhook(%q, %v) = %v", tc.url, tc.allowPrivate, err)
		}
		if err != nil && tc.url != "" && strings.Contains(err.Error(), tc.url) {
			t.Errorf("the error repeats %q: %v", tc.url, err)
		}
	}
}

// The time for a post is bounded: here it passes without waiting for it.
func TestWebhookThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := notify.NewWebhook(notify.WebhookConfig{URL: "https://hooks.shop.example/secret-token", Resolver: stuck{}})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		err = w.Send(t.Context(), message)
		if took := time.Since(begin); err == nil || took != 10*time.Second || strings.Contains(err.Error(), "secret-token") || !strings.Contains(err.Error(), "within 10s") {
			t.Errorf("after %v: %v", took, err)
		}
		synctest.Wait() // for the dial, which ends by itself
	})
}

// stuck is a resolver that never answers.
type stuck struct{}

func (stuck) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
