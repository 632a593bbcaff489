package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// sharedCache is an nginx that stores all that it may, and what says nothing about it for ten minutes: BARE in front of the
// application, the others in front of gateways to it.
const sharedCache = `proxy_cache_path DIR/cache keys_zone=z:1m;
proxy_cache z;
proxy_cache_key $server_addr:$server_port$uri;
proxy_cache_valid any 10m;
proxy_cache_revalidate on;
proxy_cache_use_stale updating error timeout;
proxy_cache_background_update on;
proxy_set_header Host $http_host;
add_header X-Cache $upstream_cache_status always;
`

// cacheServer passes an address on through the cache.
func cacheServer(i int, upstream string) string {
	return fmt.Sprintf("server { listen LISTEN%d; location / { proxy_pass %s; } }\n", i, upstream)
}

// storable are the ways in which applications ask for their pages to be stored, with more that caches read.
func storable() map[string]http.Header {
	return map[string]http.Header{
		"nothing":         {},
		"public":          {"Cache-Control": {"public, max-age=600"}},
		"max-age":         {"Cache-Control": {"max-age=600"}},
		"s-maxage":        {"Cache-Control": {"s-maxage=600"}},
		"odd-case":        {"Cache-Control": {"PUBLIC,S-MaxAge=600 , max-age=0"}},
		"lines":           {"Cache-Control": {"public", "max-age=600", "immutable"}},
		"two-minds":       {"Cache-Control": {"private", "public, max-age=600"}},
		"stale":           {"Cache-Control": {"max-age=1, stale-while-revalidate=600, stale-if-error=600"}},
		"must-understand": {"Cache-Control": {"must-understand, no-store, max-age=600"}},
		"no-cache-field":  {"Cache-Control": {`no-cache="set-cookie", max-age=600`}},
		"private-field":   {"Cache-Control": {`private="set-cookie", max-age=600`}},
		"open-quote":      {"Cache-Control": {`x="private, max-age=600`}},
		"cdn":             {"Cdn-Cache-Control": {"max-age=600"}},
		"cloudflare":      {"Cloudflare-Cdn-Cache-Control": {"max-age=600"}, "Cache-Control": {"private"}},
		"surrogate":       {"Surrogate-Control": {"max-age=600"}, "Surrogate-Key": {"page"}},
		"edge":            {"Edge-Control": {"!no-store, max-age=10m"}},
		"expires":         {"Expires": {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}},
		"accel":           {"X-Accel-Expires": {"600"}},
		"accel-over":      {"X-Accel-Expires": {"600"}, "Cache-Control": {"no-store"}},
		"accel-at":        {"X-Accel-Expires": {fmt.Sprint("@", time.Now().Add(time.Hour).Unix())}},
		"etag":            {"Etag": {`"1"`}, "Cache-Control": {"public, no-cache"}},
		"weak-etag":       {"Etag": {`W/"1"`}, "Cache-Control": {"public, max-age=600"}},
		"last-modified":   {"Last-Modified": {"Mon, 02 Jan 2006 15:04:05 GMT"}},
		"vary":            {"Vary": {"Accept-Encoding"}, "Cache-Control": {"public, max-age=600"}},
		"pragma":          {"Pragma": {"public"}, "Cache-Control": {"public, max-age=600"}},
		"everything":      {"Cache-Control": {"public, max-age=600, s-maxage=600"}, "Cdn-Cache-Control": {"max-age=600"}, "Surrogate-Control": {"max-age=600"}, "X-Accel-Expires": {"600"}, "Etag": {`"1"`}},
	}
}

// publisher makes a page for each request, with the headers of the case that its path names. It prints the nonce that it was told,
// or the placeholder, and a number that no other response has; and below /asset/ a script without any.
func publisher() http.Handler {
	var served atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts := strings.Split(r.URL.Path, "/")
		for name, values := range storable()[parts[len(parts)-1]] {
			w.Header()[name] = values
		}
		n := served.Add(1)
		if parts[1] == "asset" {
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprintf(w, "number(%d)", n)
			return
		}
		nonce := r.Header.Get("Merlon-Nonce")
		if nonce == "" {
			nonce = placeholder
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if parts[1] == "missing" {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprintf(w, `<!doctype html><script nonce="%s">number(%d)</script>`, nonce, n)
	})
}

var (
	nonceSource    = regexp.MustCompile(`'nonce-([\w-]{32})'`)
	nonceAttribute = regexp.MustCompile(`nonce="([\w-]*)"`)
	numberOf       = regexp.MustCompile(`number\((\d+)\)`)
)

// fetched is what one user got of a page.
type fetched struct{ number, policy, attribute, rest string }

func fetch(t *testing.T, client *http.Client, method, url string) fetched {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, body := do(t, client, req)
	first := func(re *regexp.Regexp, text string) string {
		if m := re.FindStringSubmatch(text); m != nil {
			return m[1]
		}
		return ""
	}
	policies := strings.Join(append(res.Header["Content-Security-Policy"], res.Header["Content-Security-Policy-Report-Only"]...), "; ")
	_, rest, _ := strings.Cut(body, "</script>")
	return fetched{number: first(numberOf, body), policy: first(nonceSource, policies), attribute: first(nonceAttribute, body), rest: rest}
}

// Whatever an application asks of caches, no page with a nonce comes out of one twice, and what has no nonce still does.
func TestTwoUsersNeverShareANonce(t *testing.T) {
	noLeaks(t)
	app := httptest.NewServer(publisher())
	defer app.Close()
	modes := []struct{ name, policy string }{
		{"forward", "preset: strict\nnonce: forward\n"},
		{"placeholder", "preset: strict\nnonce: {placeholder_file: " + placeholderFile(t) + "}\n"},
		{"forward, nonce-cache private", "preset: strict\nnonce-cache: private\nnonce: forward\n"},
		{"forward, on trial", "preset: compat\nnonce: forward\n"},
		{"inject", "preset: compat\nnonce: dangerously-inject\n"},
	}
	servers := cacheServer(1, app.URL)
	for i, m := range modes {
		_, gateway := startGateway(t, "version: 1\nupstream: UPSTREAM\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndata: DATA\n"+m.policy, app.URL, t.TempDir())
		servers += cacheServer(i+2, gateway)
	}
	addresses := startNginx(t, sharedCache+servers)
	users := []*http.Client{{Transport: &http.Transport{}}, {Transport: &http.Transport{}}}
	defer users[0].CloseIdleConnections()
	defer users[1].CloseIdleConnections()
	const rounds = 3
	shared := 0
	for name := range storable() {
		for _, kind := range []string{"/page/", "/missing/"} {
			numbers := map[string]bool{}
			for i := range rounds * len(users) {
				numbers[fetch(t, users[i%len(users)], "GET", "http://"+addresses[0]+kind+name).number] = true
			}
			if len(numbers) == 1 {
				shared++
			}
			for i, m := range modes {
				checkUnshared(t, users, rounds, m.name, "http://"+addresses[i+1]+kind+name)
			}
		}
	}
	asset := "http://" + addresses[1] + "/asset/public"
	if first, second := fetch(t, users[0], "GET", asset), fetch(t, users[1], "GET", asset); first != second {
		t.Errorf("a script, which has no nonce, is not stored: %v, then %v", first, second)
	}
	if want := 2 * 15; shared < want {
		t.Errorf("without a gateway %d pages are shared, want at least %d: this cache stores too little to show anything", shared, want)
	}
}

// checkUnshared has the users ask for a page in turns. Each response is new, and its policy and script have one nonce that none had before.
func checkUnshared(t *testing.T, users []*http.Client, rounds int, mode, url string) {
	t.Helper()
	seen := map[string]bool{"": true}
	seen[fetch(t, users[0], "HEAD", url).policy] = true // nginx asks for the page, to store it
	for i := range rounds * len(users) {
		got := fetch(t, users[i%len(users)], "GET", url)
		if got.policy != got.attribute {
			t.Errorf("%s: %s: the policy has the nonce %q, the script %q", mode, url, got.policy, got.attribute)
		}
		if seen[got.policy] || seen[got.number] {
			t.Errorf("%s: %s: the response %s with the nonce %s came before", mode, url, got.number, got.policy)
		}
		seen[got.policy], seen[got.number] = true, true
	}
}
