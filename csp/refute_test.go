package csp_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// What policies, and what URLs, are made of at random here. The words mean much the same, so that many policies are nearly
// contained in each other.
var (
	someDirectives = []string{"default-src", "script-src", "script-src-elem", "style-src", "img-src", "connect-src", "worker-src", "child-src", "base-uri", "form-action", "frame-ancestors"}
	someSources    = []string{"'none'", "'self'", "*", "https:", "http:", "ws:", "data:", "javascript:", "a.com", "*.a.com", "https://a.com", "http://a.com:80", "https://a.com:*",
		"a.com:8443", "a.com/x/", "a.com/x%2fy", "*:*", "1.1.2.3", "*.2.3", "'nonce-a'", "'nonce-x'", hash256, hash384, "'strict-dynamic'", "'unsafe-inline'", "'unsafe-hashes'", "'unsafe-eval'",
		"a.com/x?q", "blob:", "wss://a.com", "http://*/x/", "a.com.", "'trusted-types-eval'"}
	someOthers = []string{"upgrade-insecure-requests", "sandbox allow-scripts", "sandbox allow-popups", "require-trusted-types-for 'script'", "trusted-types a", "trusted-types *", "webrtc 'block'"}
	someURLs   = []string{"https://a.com/", "http://a.com/", "https://b.a.com/x/y", "http://a.com:8443/x/y", "https://a.com/x%2fy", "wss://a.com/", "ws://a.com:8443/x/", "http://1.1.2.3/",
		"https://9.1.2.3/x/", "https://self.example/", "http://self.example:80/", "data:,x", "javascript:x", "blob:https://self.example/x", "https://other.example:444/", "http://localhost/", "ftp://a.com/", "https://a.com./"}
)

func TestContainsIsNotRefuted(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	policies := func() string {
		var texts []string
		for range 1 + random.IntN(2) {
			var directives []string
			for range 1 + random.IntN(2) {
				directive := pick(someDirectives)
				for range 1 + random.IntN(3) {
					directive += " " + pick(someSources)
				}
				directives = append(directives, directive)
			}
			if random.IntN(4) == 0 {
				directives = append(directives, pick(someOthers))
			}
			texts = append(texts, strings.Join(directives, ";"))
		}
		return strings.Join(texts, ",")
	}
	contained := 0
	for range 50 {
		a, b, m := policies(), policies(), csp.Mode(random.IntN(6))
		outer, inner := list(a), list(b)
		if csp.Contains(m, self, outer, inner).Answer != csp.Yes {
			a, b = b, a+","+b // which is contained, unless a sandbox is there
			if outer, inner = list(a), list(b); csp.Contains(m, self, outer, inner).Answer != csp.Yes {
				continue
			}
		}
		contained++
		for _, u := range someURLs {
			everything(m, inner, mustURL(t, u), func(what string, blocked func(*csp.List) bool) {
				if blocked(outer) && !blocked(inner) {
					t.Errorf("%v: %q contains %q, but only the second allows %s", m, a, b, what)
				}
			})
		}
	}
	if contained < 20 {
		t.Errorf("only %d answers were yes", contained)
	}
}
