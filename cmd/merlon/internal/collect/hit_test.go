package collect_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// noon is when all reports of a test come in.
var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

const (
	chrome  = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
)

// hitOf decodes a body and returns the only hit that it makes on a site with these noise rules.
func hitOf(t *testing.T, body string, rules []collect.Rule, header ...string) store.Hit {
	t.Helper()
	hits := hitsOf(t, body, rules, header...)
	if len(hits) != 1 {
		t.Fatalf("%s: %d hits, want one", body, len(hits))
	}
	return hits[0]
}

func hitsOf(t *testing.T, body string, rules []collect.Rule, header ...string) []store.Hit {
	t.Helper()
	reports, err := report.Decode([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	site := collect.Site{Name: "shop", Hosts: []string{"shop.example"}, Noise: rules}
	hits, _ := collect.NewSorter(site).Hits(postRequest("https://shop.example/r?d=e", header...), reports, noon)
	return hits
}

func postRequest(target string, header ...string) *http.Request {
	r := httptest.NewRequest("POST", target, nil)
	r.Header.Set("User-Agent", chrome)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// violationOf is a report with these members beside the usual ones, none of which they may repeat.
func violationOf(directive, members string) string {
	return `{"csp-report":{"document-uri":"https://shop.example/cart","disposition":"enforce","effective-directive":"` + directive + `",` + members + `}}`
}

// BenchmarkHit is what sorting one report costs, after it was decoded: one of report-uri whose policy has a fresh nonce each time.
func BenchmarkHit(b *testing.B) {
	const policy = "default-src 'self'; script-src 'nonce-%022d' 'strict-dynamic' 'report-sample'; style-src 'self' 'nonce-%022d'; img-src 'self' data:; " +
		"object-src 'none'; base-uri 'none'; form-action 'self'; upgrade-insecure-requests; report-uri /.merlon/r?d=e"
	for name, members := range map[string]string{
		"origin": `"blocked-uri":"https://cdn%d.example/a/b.png?c=d","effective-directive":"img-src","source-file":"https://shop.example/static/app.3f9a8b7c.js","line-number":12`,
		"inline": `"blocked-uri":"inline","effective-directive":"script-src-elem","script-sample":"window.dataLayer=window.dataLayer||[];fun","line-number":%d`,
	} {
		b.Run(name, func(b *testing.B) {
			reports := make([][]report.Report, 512)
			for i := range reports {
				body := fmt.Sprintf(`{"csp-report":{"document-uri":"https://shop.example/users/%d/orders?q=1","referrer":"https://shop.example/","disposition":"enforce",`+
					`"original-policy":"`+policy+`",`+members+`}}`, i, i, i, i%20+1)
				var err error
				if reports[i], err = report.Decode([]byte(body)); err != nil {
					b.Fatal(err)
				}
			}
			s := collect.NewSorter(collect.Site{Name: "shop", Hosts: []string{"shop.example"}})
			r := postRequest("https://shop.example/r?d=e")
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if hits, _ := s.Hits(r, reports[i%len(reports)], noon); len(hits) != 1 {
					b.Fatal("no hit")
				}
			}
		})
	}
}
