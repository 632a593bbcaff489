package csp_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

const benchPolicy = "default-src 'self'; script-src 'nonce-abc' 'strict-dynamic' https:; img-src 'self' data: https://*.cdn.example https://img.example:8443/a/; connect-src 'self' wss://a.example"

func BenchmarkRequest(b *testing.B) {
	l := csp.NewList(csp.Delivered{Value: benchPolicy})
	r := &csp.Request{URL: mustURL(b, "https://x.cdn.example/i.png"), Destination: "image"}
	b.Run("parsed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l.Request(csp.Spec, self, r)
		}
	})
	b.Run("slow", func(b *testing.B) { // the obvious way: split and compare for each question
		b.ReportAllocs()
		for b.Loop() {
			slowly(benchPolicy, "img-src", "https://x.cdn.example/i.png")
		}
	})
}

// slowly is what people write first.
func slowly(policy, directive, target string) bool {
	u, _ := url.Parse(target)
	for d := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(d)
		if len(words) == 0 || words[0] != directive {
			continue
		}
		for _, w := range words[1:] {
			s, err := url.Parse(w)
			if err == nil && s.Scheme == u.Scheme && (s.Host == u.Host || strings.HasPrefix(s.Host, "*.") && strings.HasSuffix(u.Host, s.Host[1:])) {
				return true
			}
		}
	}
	return false
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		csp.Parse(benchPolicy)
	}
}

// Ten times the input must not take more than twelve times as long. The figures are read side by side in one run.
func BenchmarkAdversarial(b *testing.B) {
	for _, n := range []int{500, 5000} {
		var directives, sources strings.Builder
		for i := range n {
			fmt.Fprintf(&directives, "d%04d;", i)
			fmt.Fprintf(&sources, " https://a%04d.example/%%41%%42", i)
		}
		b.Run(fmt.Sprintf("parse-directives-%d", n), func(b *testing.B) {
			for b.Loop() {
				csp.Parse(directives.String())
			}
		})
		l := csp.NewList(csp.Delivered{Value: "img-src" + sources.String()})
		r := &csp.Request{URL: mustURL(b, "https://nowhere.example/%41%42"), Destination: "image"}
		b.Run(fmt.Sprintf("parse-sources-%d", n), func(b *testing.B) {
			for b.Loop() {
				csp.Parse("img-src" + sources.String())
			}
		})
		hashes := strings.ReplaceAll(directives.String(), ";", "")
		hashes = strings.ReplaceAll(hashes, "d", " sha256-")
		script := &csp.Request{URL: r.URL, Destination: "script", Integrity: hashes, ParserInserted: true}
		listed := csp.NewList(csp.Delivered{Value: "script-src" + strings.ReplaceAll(strings.ReplaceAll(directives.String(), "d", " 'sha256-"), ";", "'")})
		b.Run(fmt.Sprintf("integrity-%d", n), func(b *testing.B) {
			for b.Loop() {
				if d := listed.Request(csp.Spec, self, script); d.Blocked {
					b.Fatal("listed hashes are blocked")
				}
			}
		})
		b.Run(fmt.Sprintf("decide-%d", n), func(b *testing.B) {
			for b.Loop() {
				l.Request(csp.Spec, self, r)
			}
		})
	}
}
