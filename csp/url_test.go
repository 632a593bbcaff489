package csp_test

import (
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// What browsers make of URLs, by the WHATWG URL Standard.
func TestParseURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://Example.COM:443/a/../b":               "https://example.com/b",
		"HTTP://a.example:80":                          "http://a.example/",
		"https://a.example:8443/%7Ex?q=1#f":            "https://a.example:8443/%7Ex?q=1#f",
		"https://user:pw@a.example/":                   "https://user:pw@a.example/",
		"https://user:@a.example/":                     "https://user@a.example/",
		"https://:@a.example/":                         "https://a.example/",
		"https://:pw@a.example/":                       "https://:pw@a.example/",
		"https://u@x:p:w/@a.example/":                  "",
		"https://u@x:p:w@a.example/":                   "https://u%40x:p%3Aw@a.example/",
		"https://user@":                                "",
		"custom://user@/":                              "",
		"custom://:80/":                                "",
		"custom://u@h:0/?it's#it's `":                  "custom://u@h:0/?it's#it's%20%60",
		"https://a.example/?it's#<'>":                  "https://a.example/?it%27s#%3C'%3E",
		"https://a.example/#":                          "https://a.example/#",
		"https://a.example/#a#b?c":                     "https://a.example/#a#b?c",
		"javascript:a('#1')":                           "javascript:a('#1')",
		"javascript:x?'a':'b'":                         "javascript:x?'a':'b'",
		"data:,x#y":                                    "data:,x#y",
		"http://[::ffff:1.2.3.4]/":                     "http://[::ffff:102:304]/",
		"http://[::1.2.3.4]/":                          "http://[::102:304]/",
		"http://[1::0:0:0.0.0.5]/":                     "http://[1::5]/",
		"file:etc/x":                                   "file:///etc/x",
		"file:/etc/x":                                  "file:///etc/x",
		`file:\\h\x`:                                   "file://h/x",
		"file://localhost/x":                           "file:///x",
		"file://h:80/x":                                "",
		"file://u@h/x":                                 "",
		`https:\\a.example\x`:                          "https://a.example/x",
		"https:a.example/x":                            "https://a.example/x",
		"  https://a.example/ \n":                      "https://a.example/",
		"ht\ntps://a.exa\tmple/":                       "https://a.example/",
		"https://0x7f.1/":                              "https://127.0.0.1/",
		"https://017700000001/":                        "https://127.0.0.1/",
		"https://[2001:DB8::0:1]:8443/":                "https://[2001:db8::1]:8443/",
		"https://a%2eexample/":                         "https://a.example/",
		"https://a.example/%2e%2E/x/.":                 "https://a.example/x/",
		"https://a.example/a b\"<>":                    "https://a.example/a%20b%22%3C%3E",
		"data:text/html,<b>":                           "data:text/html,<b>",
		"blob:https://a.example/id":                    "blob:https://a.example/id",
		"javascript:alert(1)":                          "javascript:alert(1)",
		"wss://a.example":                              "wss://a.example/",
		"custom:thing":                                 "custom:thing",
		"file:///etc/passwd":                           "file:///etc/passwd",
		"":                                             "",
		"/relative":                                    "",
		"https://":                                     "",
		"https://a b/":                                 "",
		"https://a.example:99999/":                     "",
		"https://a.example:x/":                         "",
		"https://[::1":                                 "",
		"https://1.2.3.4.5/":                           "",
		"https://256.256.256.256/":                     "",
		"https://a<b/":                                 "",
		"1https://a.example/":                          "",
		"https://b\u00fccher.example/":                 "",
		strings.Repeat("a", csp.MaxURLBytes+1):         "",
		"https://a.example/" + strings.Repeat("x", 10): "https://a.example/xxxxxxxxxx",
	} {
		u, err := csp.ParseURL(in)
		if got := u.String(); got != want || (err == nil) != (want != "") {
			t.Errorf("ParseURL(%.60q) = %q, %v; want %q", in, got, err, want)
		}
	}
	base := mustURL(t, "https://a.example/dir/page?q=1")
	for in, want := range map[string]string{
		"": "https://a.example/dir/page?q=1", "x": "https://a.example/dir/x", "../x": "https://a.example/x", "/x?y": "https://a.example/x?y", "?z": "https://a.example/dir/page?z",
		"//b.example/x": "https://b.example/x", "https:x": "https://a.example/dir/x", "http://c.example": "http://c.example/", "#f": "https://a.example/dir/page?q=1#f", "x#f": "https://a.example/dir/x#f", "//b.example#f": "https://b.example/#f",
	} {
		if u, err := base.Resolve(in); err != nil || u.String() != want {
			t.Errorf("Resolve(%q) = %q, %v; want %q", in, u, err, want)
		}
	}
}

func TestResolveFromOtherBases(t *testing.T) {
	for _, c := range []struct{ base, in, want string }{
		{"https://u:p@a.example/dir/x#f", "y", "https://u:p@a.example/dir/y"},
		{"https://u:p@a.example/#f", "", "https://u:p@a.example/"},
		{"https://u:p@a.example/", "//b.example/", "https://b.example/"},
		{"custom://h", "x", "custom://h/x"},
		{"custom://h", "?q'", "custom://h?q'"},
		{"file:///dir/x", "file:y", "file:///dir/y"},
		{"file:///dir/x", "file:///y", "file:///y"},
		{"https://a.example/", "file:y", "file:///y"},
	} {
		if u, err := mustURL(t, c.base).Resolve(c.in); err != nil || u.String() != c.want {
			t.Errorf("Resolve(%q) from %s = %q, %v; want %q", c.in, c.base, u, err, c.want)
		}
	}
}

// Reports and policies do not see what only the page's address has.
func TestUserAndFragmentDoNotCount(t *testing.T) {
	u := mustURL(t, "https://user:pw@a.example/x?q#f")
	if got := u.Strip(); got != "https://a.example/x?q" {
		t.Errorf("Strip = %s", got)
	}
	if got := u.Origin().String(); got != "https://a.example" {
		t.Errorf("Origin = %s", got)
	}
	if d := list("img-src a.example/x").Request(csp.Spec, self, &csp.Request{URL: u, Destination: "image"}); d.Blocked {
		t.Error("a.example/x does not cover the URL with user and fragment")
	}
	d := list("img-src 'none'; report-uri /r").Request(csp.Spec, self, &csp.Request{URL: u, Destination: "image"})
	r := list("img-src 'none'; report-uri /r").Reports(&d, csp.Document{URL: u, Referrer: u.String()}, u, u.String())[0]
	if r.Blocked != u.Strip() || r.DocumentURL != u.Strip() || r.Referrer != u.Strip() || r.SourceFile != u.Strip() {
		t.Errorf("reported as %+v", r)
	}
}

func TestUpgradeKeepsTheRest(t *testing.T) {
	l := list("upgrade-insecure-requests")
	for in, want := range map[string]string{
		"http://u:p@a.example:80/x?it's#frag": "https://u:p@a.example/x?it%27s#frag", "data:,x#y": "data:,x#y", "custom://h/?it's": "custom://h/?it's", "file:etc/x": "file:///etc/x",
	} {
		if got := l.Upgrade(csp.Spec, mustURL(t, in)).String(); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}
