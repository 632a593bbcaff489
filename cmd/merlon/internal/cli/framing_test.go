package cli_test

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
)

// invitations are the headers by which an application lets everybody frame it, or means to forbid what browsers then allow.
func invitations(attacker string) map[string]http.Header {
	return map[string]http.Header{
		"nothing":     {},
		"allow-from":  {"X-Frame-Options": {"ALLOW-FROM " + attacker}},
		"allowall":    {"X-Frame-Options": {"ALLOWALL"}},
		"twice":       {"X-Frame-Options": {"ALLOWALL", "ALLOWALL"}},
		"misspelt":    {"X-Frame-Options": {"SAME-ORIGIN"}},
		"empty":       {"X-Frame-Options": {""}},
		"star":        {"Content-Security-Policy": {"frame-ancestors *"}},
		"schemes":     {"Content-Security-Policy": {"frame-ancestors http: https:"}},
		"named":       {"Content-Security-Policy": {"FRAME-ANCESTORS 'self' " + attacker}},
		"policies":    {"Content-Security-Policy": {"frame-ancestors *, frame-ancestors *", "default-src *"}},
		"both":        {"X-Frame-Options": {"ALLOWALL"}, "Content-Security-Policy": {"frame-ancestors *"}},
		"over-deny":   {"X-Frame-Options": {"DENY"}, "Content-Security-Policy": {"frame-ancestors *"}}, // browsers read the policy alone
		"report-only": {"Content-Security-Policy-Report-Only": {"frame-ancestors 'none'"}},
		"by-route":    {"Merlon-Route": {"frame-exempt"}},
	}
}

// Ways in which a page comes: with this status, after a redirect, in place of one, by a 304 for what was stored, after a 103.
var ways = []string{"200", "302", "302-without-location", "304", "404", "500", "103"}

// victim is the application. It notes which of its pages the attacker's frames asked for, and which they showed: each page loads
// a beacon from its own site.
type victim struct {
	attacker string

	mu          sync.Mutex
	attacked    bool            // the attacker's page was asked for
	answered    map[string]bool // by host, way and invitation: to a frame of the attacker's
	revalidated map[string]bool // those of them that were answered 304
	shown       map[string]bool // those whose beacon came
	strays      []string        // beacons of nobody
}

func (v *victim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case parts[0] == "home":
		v.home(w, r)
	case len(parts) == 3 && parts[0] == "beacon":
		v.beacon(w, r, parts[1], parts[2])
	case len(parts) == 2:
		v.page(w, r, parts[0], parts[1])
	default:
		http.NotFound(w, r)
	}
}

func (v *victim) beacon(w http.ResponseWriter, r *http.Request, way, invitation string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	if !v.attacked { // in a frame of the victim's own
		return
	}
	from := r.Host + "/" + way + "/" + invitation
	referer, err := url.Parse(r.Referer())
	if err != nil || r.Header.Get("Sec-Fetch-Dest") != "image" || strings.Replace(referer.Host+referer.Path, "/landed/", "/302/", 1) != from {
		v.strays = append(v.strays, fmt.Sprintf("%s from %s for %s", from, r.Referer(), r.Header.Get("Sec-Fetch-Dest")))
		return
	}
	v.shown[from] = true
}

func (v *victim) page(w http.ResponseWriter, r *http.Request, way, invitation string) {
	h := w.Header()
	for name, values := range invitations(v.attacker)[invitation] {
		h[name] = values
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	status := http.StatusOK
	switch way {
	case "302":
		h.Set("Location", "/landed/"+invitation)
		status = http.StatusFound
	case "landed":
		way = "302"
	case "302-without-location":
		status = http.StatusFound
	case "304":
		h.Set("Etag", `"stored"`)
		if r.Header.Get("If-None-Match") != "" {
			status = http.StatusNotModified
		}
	case "404":
		status = http.StatusNotFound
	case "500":
		status = http.StatusInternalServerError
	case "103":
		w.WriteHeader(http.StatusEarlyHints)
	}
	v.note(r.Host+"/"+way+"/"+invitation, status)
	w.WriteHeader(status)
	if status == http.StatusNotModified {
		return
	}
	fmt.Fprintf(w, `<!doctype html><title>pay</title><img src="/beacon/%s/%s">`, way, invitation)
}

func (v *victim) note(page string, status int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.attacked {
		v.answered[page] = true
		v.revalidated[page] = status == http.StatusNotModified
	}
}

// home is a page of the victim's that frames its own pages, so that the browser stores them, and then goes on.
func (v *victim) home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, "<!doctype html><title>home</title>")
	for _, c := range framingCases() {
		if strings.HasPrefix(c, "304/") {
			fmt.Fprintf(w, `<iframe src="/%s"></iframe>`, c)
		}
	}
	fmt.Fprintf(w, `<script nonce="%s">addEventListener("load", () => location = %q)</script>`, cmp.Or(r.Header.Get("Merlon-Nonce"), placeholder), r.FormValue("next"))
}

// attacker visits the victims' homes one after the other, then frames all pages of all, and says when all frames have come to an end.
type attacker struct {
	sites []string
	begun func()
	done  chan string // gets how many frames did not say that they have loaded
}

func (a *attacker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var step int
	fmt.Sscanf(r.URL.Path, "/step/%d", &step)
	switch {
	case r.URL.Path == "/done":
		a.done <- r.FormValue("left")
	case !strings.HasPrefix(r.URL.Path, "/step/"):
		http.NotFound(w, r)
	case step < len(a.sites):
		http.Redirect(w, r, a.sites[step]+"/home?next="+url.QueryEscape(fmt.Sprintf("http://%s/step/%d", r.Host, step+1)), http.StatusFound)
	default:
		a.begun()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		var urls []string
		for _, site := range a.sites {
			for _, c := range framingCases() {
				urls = append(urls, site+"/"+c)
			}
		}
		fmt.Fprintf(w, attackPage, urls)
	}
}

// attackPage frames the addresses. Browsers say load of frames that they refuse to show too, so the time limit is for what goes wrong.
const attackPage = `<!doctype html><title>prize</title><body><script>
const urls = "%s".slice(1, -1).split(" ")
let left = urls.length
const done = () => { fetch("/done?left=" + left); left = -1 }
for (const url of urls) {
	const frame = document.createElement("iframe")
	frame.onload = () => { if (--left == 0) done() }
	frame.src = url
	document.body.append(frame)
}
setTimeout(() => { if (left > 0) done() }, 60000)
</script>`

// framing is one attack on sites with the same application: bare, and behind gateways.
type framing struct {
	*victim
	*attacker
	names []string // of the sites
	start string   // where the browser begins
}

// framingPolicies are the policies of the gateways. The first two let the victim frame itself, and its pages be stored.
func framingPolicies() []namedPolicy {
	all := []namedPolicy{
		{"strict, private", "preset: strict\nnonce: forward\nframe: self\nnonce-cache: private\n"},
		{"compat", "preset: compat\nnonce: forward\n"},
		{"strict", "preset: strict\nnonce: forward\n"},
		{"strict, placeholder", "preset: strict\nframe: self\nnonce: {placeholder_file: PLACEHOLDER}\n"},
	}
	if !need.Everything() {
		return all[:2]
	}
	return all
}

type namedPolicy struct{ name, policy string }

// framingCases are the pages to frame: way and invitation. Some do, unless everything is asked for.
func framingCases() (list []string) {
	for _, way := range ways {
		for invitation := range invitations("") {
			if way == "200" || need.Everything() || slices.Contains([]string{"allow-from", "allowall", "star", "both"}, invitation) {
				list = append(list, way+"/"+invitation)
			}
		}
	}
	return list
}

func startFraming(t *testing.T) *framing {
	t.Helper()
	v := &victim{answered: map[string]bool{}, revalidated: map[string]bool{}, shown: map[string]bool{}}
	a := &attacker{done: make(chan string, 1), begun: func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.attacked = true
	}}
	app, evil := httptest.NewServer(v), httptest.NewServer(a)
	t.Cleanup(app.Close)
	t.Cleanup(evil.Close)
	v.attacker = evil.URL
	f := &framing{victim: v, attacker: a, names: []string{"bare"}, start: evil.URL + "/step/0"}
	a.sites = []string{app.URL}
	for _, p := range framingPolicies() {
		policy := strings.ReplaceAll(p.policy, "PLACEHOLDER", placeholderFile(t))
		_, site := startGateway(t, "version: 1\nupstream: UPSTREAM\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndata: DATA\n"+policy, app.URL, t.TempDir())
		a.sites, f.names = append(a.sites, site), append(f.names, p.name)
	}
	return f
}

// check waits for the attack's end: the attacker shows every page of the bare site, and none from behind a gateway.
func (f *framing) check(t *testing.T) {
	t.Helper()
	select {
	case left := <-f.done:
		if left != "0" {
			t.Errorf("%s frames did not end", left)
		}
	case <-time.After(limit):
		t.Fatal("the attacker's page does not say that it is done")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, site := range f.sites {
		for _, c := range framingCases() {
			at := strings.TrimPrefix(site, "http://") + "/" + c
			if stored := i <= 2; !f.answered[at] || stored && f.revalidated[at] != strings.HasPrefix(c, "304/") {
				t.Errorf("%s, %s: the frame's request came: %v, and was answered 304: %v", f.names[i], c, f.answered[at], f.revalidated[at])
			}
			if want := i == 0; f.shown[at] != want {
				t.Errorf("%s, %s: the attacker's frame shows it: %v, want %v", f.names[i], c, f.shown[at], want)
			}
		}
	}
	if len(f.strays) > 0 {
		t.Errorf("beacons of nobody: %v", f.strays)
	}
}

func TestFramingInChromium(t *testing.T) {
	noLeaks(t)
	f := startFraming(t)
	openTab(t, startBrowser(t, browser.Options{})).visit(f.start)
	f.check(t)
}

func TestFramingInFirefox(t *testing.T) {
	noLeaks(t)
	f := startFraming(t)
	firefox := startFirefox(t, f.start)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("Firefox:\n" + firefox.String())
		}
	})
	f.check(t)
}
