package csp_test

import (
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// Endpoints count of trustworthy pages, for trustworthy URLs, in a header without any mistake.
func TestReportingEndpoints(t *testing.T) {
	const good = `g="https://rep.example/e"`
	for _, c := range []struct{ page, header, want string }{
		{"https://example.com/", good, "https://rep.example/e"},
		{"http://example.com/", good, ""},
		{"http://localhost/", good, "https://rep.example/e"},
		{"http://127.0.0.1/", good, "https://rep.example/e"},
		{"http://127.evil.example/", good, ""},
		{"https://example.com/", `g="/e"`, "https://example.com/e"},
		{"https://example.com/", `g="http://rep.example/e"`, ""},
		{"https://example.com/", `g="http://127.evil.example/e"`, ""},
		{"https://example.com/", `g="http://127.0.0.1/e"`, "http://127.0.0.1/e"},
		{"https://example.com/", `g="data:,x"`, ""},
		{"https://example.com/", `other="https://rep.example/e"`, ""},
		{"https://example.com/", `g="https://old.example/", g="https://rep.example/e";p=1;q`, "https://rep.example/e"},
		{"https://example.com/", good + `, b=1, c=?1, d=(a "b")`, "https://rep.example/e"},
		{"https://example.com/", `g=token`, ""},
		{"https://example.com/", good + `, g`, ""},
		{"https://example.com/", good + `, b=/bad`, ""},
		{"https://example.com/", good + `, b=!!`, ""},
		{"https://example.com/", good + `, b=1.`, ""},
		{"https://example.com/", good + `,`, ""},
		{"https://example.com/", good + `;`, ""},
		{"https://example.com/", good + `;P`, ""},
	} {
		l := list("img-src 'none'; report-to g; report-uri /r")
		target := mustURL(t, "https://evil.example/i.png")
		d := l.Request(csp.Spec, self, &csp.Request{URL: target, Destination: "image"})
		reports := l.Reports(&d, csp.Document{URL: mustURL(t, c.page), Endpoints: c.header}, target, "")
		if len(reports) != 1 || reports[0].ReportTo != "g" || reports[0].ReportToURL != c.want || reports[0].ReportURI != nil {
			t.Errorf("%s, Reporting-Endpoints: %s: %+v, want one report to %q", c.page, c.header, reports, c.want)
		}
	}
}
