package collect_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
)

func TestSite(t *testing.T) {
	ports := collect.Site{Name: "ports", Hosts: []string{"Shop.example", "shop.example:8443", "tls.example:443", "[2001:db8::1]", "*.below.example"}}
	sameHost := collect.Site{Name: "same"}
	const target = "http://shop.example/r" // behind a proxy that ends TLS
	tests := []struct {
		site     collect.Site
		target   string
		document string
		headers  []string
		accepted bool
	}{
		{ports, target, "https://shop.example/", nil, true},
		{ports, target, "https://SHOP.example:443/", nil, true},
		{ports, target, "http://shop.example:80/", nil, true},
		{ports, target, "https://shop.example:8443/", nil, true},
		{ports, target, "https://tls.example/", nil, true},
		{ports, target, "http://tls.example/", nil, false},
		{ports, target, "https://[2001:db8::1]/", nil, true},
		{ports, target, "https://shop.example:444/", nil, true},
		{ports, target, "https://tls.example:444/", nil, false},
		{ports, target, "https://a.b.below.example/", nil, true},
		{ports, target, "https://below.example/", nil, false},
		{ports, target, "https://evilbelow.example/", nil, false},
		{ports, target, "https://shop.example.evil.example/", nil, false},
		{ports, target, "https://shop.example@evil.example/", nil, false},
		{ports, target, "https://evil.example/?shop.example", []string{"Origin", "https://shop.example"}, false},
		{ports, target, "ftp://shop.example/", nil, false},
		{ports, target, "", []string{"Origin", "https://shop.example"}, false},

		{sameHost, target, "https://shop.example/", nil, true},
		{sameHost, "http://shop.example:8080/r", "http://shop.example:8080/", nil, true},
		{sameHost, "http://shop.example:8080/r", "http://shop.example/", nil, false},
		{sameHost, target, "https://evil.example/", nil, false},

		// Documents without a host: who sent it decides.
		{ports, target, "about", nil, false},
		{ports, target, "about", []string{"Origin", "https://shop.example"}, true},
		{ports, target, "about:srcdoc", []string{"Origin", "null", "Referer", "https://shop.example/a"}, true},
		{ports, target, "about", []string{"Origin", "https://" + strings.Repeat("a.", 120) + "below.example"}, true},
		{ports, target, "about", []string{"Origin", "https://" + strings.Repeat("a.", 30_000) + "below.example"}, false}, // each domain above would be looked up
		{ports, target, "blob", []string{"Origin", "https://evil.example"}, false},
		{ports, target, "data", []string{"Origin", "null", "Referer", "https://evil.example/shop.example"}, false},
		{ports, target, "blob", []string{"Origin", "null", "Sec-Fetch-Site", "same-origin"}, true},
		{ports, target, "blob", []string{"Origin", "null", "Sec-Fetch-Site", "same-site"}, false},
		{sameHost, target, "about", []string{"Origin", "https://shop.example"}, true},
		{sameHost, target, "about", []string{"Origin", "https://evil.example"}, false},
	}
	for _, test := range tests {
		f := start(t, collect.Config{})
		body := `{"csp-report":{"document-uri":"` + test.document + `","effective-directive":"img-src","blocked-uri":"data"}}`
		if w := f.post(test.site, test.target, body, test.headers...); w.Code != 204 {
			t.Errorf("%+v: status %d", test, w.Code)
		}
		accepted, drops := len(f.lines()) == 1, f.drops()
		if accepted != test.accepted || accepted == (drops["foreign"] == 1) {
			t.Errorf("site %s, document %q, headers %v: accepted %t, drops %v; want %t",
				test.site.Name, test.document, test.headers, accepted, drops, test.accepted)
		}
		f.stop()
	}
}

// Who framed the document is told in a different place by each browser.
func TestFramer(t *testing.T) {
	tests := []struct{ name, members, referer, want string }{
		{"Firefox", `"blocked-uri":"","referrer":"https://evil.example/"`, "", "https://evil.example"},
		{"Firefox, own frame", `"blocked-uri":"","referrer":"https://shop.example/"`, "", "self"},
		{"WebKit", `"blocked-uri":"https://shop.example/cart","referrer":"https://evil.example/"`, "https://evil.example/x", "https://evil.example"},
		{"Chromium", `"blocked-uri":"https://shop.example/","referrer":""`, "https://evil.example:8443/x?y", "https://evil.example:8443"},
		{"Chromium, not told", `"blocked-uri":"https://shop.example/","referrer":""`, "https://shop.example/", ""},
		{"nobody", `"blocked-uri":""`, "", ""},
	}
	for _, test := range tests {
		f := start(t, collect.Config{})
		f.post(shop, "https://shop.example/r", legacy(`,"effective-directive":"frame-ancestors",`+test.members), "Referer", test.referer)
		want := []string{"frame-ancestors frame-ancestors " + test.want + " 1/0/0"}
		if diff := cmp.Diff(want, f.lines()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
		f.stop()
	}
}

func TestClasses(t *testing.T) {
	const doc = `,"document-uri":"https://shop.example/users/42"`
	tests := []struct{ members, want string }{
		{`"blocked-uri":"https://CDN.example:443/a?b"`, "img-src origin https://cdn.example"},
		{`"blocked-uri":"https://shop.example/b"`, "img-src self self"},
		{`"blocked-uri":"http://shop.example/b"`, "img-src origin http://shop.example"},
		{`"blocked-uri":"self"`, "img-src self self"},
		{`"blocked-uri":"data:image/png;base64,AAAA"`, "img-src scheme data:"},
		{`"blocked-uri":"moz-extension"`, "img-src scheme moz-extension:"},
		{`"blocked-uri":"https://a b/"`, "img-src other "},
		{`"blocked-uri":null`, "img-src other "},
		{`"blocked-uri":"inline","effective-directive":"style-src-elem","line-number":3`, "style-src-elem inline /users/*:3"},
		{`"blocked-uri":"inline","effective-directive":"script-src","source-file":"https://x.example/lib/1/a.js?b","line-number":"7"`,
			"script-src inline https://x.example/lib/*/a.js"},
		{`"blocked-uri":"inline","effective-directive":"script-src","source-file":"chrome-extension"`, "script-src inline chrome-extension:"},
		{`"blocked-uri":"inline","effective-directive":"script-src","script-sample":"a()","line-number":3`, "script-src inline inline"},
		{`"blocked-uri":"eval","effective-directive":"script-src","source-file":"https://shop.example/app.3f9a8b7c.js"`, "script-src eval /app.*.js"},
		{`"blocked-uri":"inline","effective-directive":"script-src-made-up"`, "other inline /users/*"},
	}
	for _, test := range tests {
		f := start(t, collect.Config{})
		f.post(shop, "https://shop.example/r", legacy(doc+","+test.members))
		if diff := cmp.Diff([]string{test.want + " 1/0/0"}, f.lines()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.members, diff)
		}
		f.stop()
	}
}

// Scripts that differ only in what varies between two loads of a page are one issue; others are two.
func TestInlineGrouping(t *testing.T) {
	f := start(t, collect.Config{})
	for _, s := range []string{"init({id: 123456})", "init({id:  789012})", "init({id: 345678})  ", "other()"} {
		f.post(shop, "https://shop.example/r", legacy(`,"effective-directive":"script-src","blocked-uri":"inline","script-sample":"`+s+`"`))
	}
	want := []string{"script-src inline inline 1/0/0", "script-src inline inline 3/0/0"}
	if diff := cmp.Diff(want, f.lines()); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
}

func TestDispositionFromQuery(t *testing.T) {
	tests := map[string]string{"/r?d=e": "1/0/0", "/r?d=r": "0/1/0", "/r": "0/0/1", "/r?d=x&;": "0/0/1"}
	for target, want := range tests {
		f := start(t, collect.Config{})
		f.post(shop, "https://shop.example"+target, strings.Replace(legacy(""), `"disposition":"enforce",`, "", 1))
		if got := f.lines(); len(got) != 1 || !strings.HasSuffix(got[0], want) {
			t.Errorf("%s: %q, want %s", target, got, want)
		}
		f.stop()
	}
	f := start(t, collect.Config{}) // what the report says counts more
	f.post(shop, "https://shop.example/r?d=r", legacy(""))
	if got := f.lines(); len(got) != 1 || !strings.HasSuffix(got[0], "1/0/0") {
		t.Errorf("enforced with ?d=r: %q", got)
	}
}
