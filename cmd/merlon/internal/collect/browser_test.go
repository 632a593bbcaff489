package collect_test

import (
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
)

func TestBrowser(t *testing.T) {
	const (
		webkit  = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
		iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
		android = "Mozilla/5.0 (Linux; Android 14; SM-S918B%s) AppleWebKit/537.36 (KHTML, like Gecko) "
	)
	for header, want := range map[string]string{
		"":                                      "",
		"curl/8.5.0":                            "other",
		"Chrome/<script>":                       "Chrome",
		"Chrome/99999999999":                    "Chrome",
		chrome:                                  "Chrome 156",
		firefox:                                 "Firefox 153",
		webkit + "Version/17.4 Safari/605.1.15": "Safari 17",
		webkit:                                  "WebKit WebView",
		webkit + "Chrome/125.0.0.0 Safari/537.36 Edg/125.0":                                                             "Edge 125",
		webkit + "Chrome/125.0.0.0 Safari/537.36 OPR/110.0":                                                             "Opera 110",
		iphone + "Version/17.5 Mobile/15E148 Safari/604.1":                                                              "Safari 17",
		iphone + "CriOS/125.0.6422.80 Mobile/15E148 Safari/604.1":                                                       "Chrome 125",
		iphone + "FxiOS/126.0 Mobile/15E148 Safari/605.1.15":                                                            "Firefox 126",
		iphone + "EdgiOS/125.0.2535.60 Version/17.0 Mobile/15E148 Safari/604.1":                                         "Edge 125",
		iphone + "GSA/319.0 Mobile/15E148 Safari/604.1":                                                                 "Google app 319",
		iphone + "Mobile/15E148 [FBAN/FBIOS;FBAV/466.0.0]":                                                              "Facebook 466",
		iphone + "Mobile/15E148":                                                                                        "WebKit WebView",
		strings.Replace(android, "%s", "", 1) + "SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36":                 "Samsung 25",
		strings.Replace(android, "%s", "; wv", 1) + "Version/4.0 Chrome/125.0 Mobile Safari/537.36":                     "Android WebView 125",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36": "Headless Chrome 156",
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                                      "bot",
		"Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko":                                         "Internet Explorer 7",
		strings.Repeat("x", 100_000) + "Firefox/1":                                                                      "other",
	} {
		if got := collect.Browser(header[:min(len(header), 512)]); got != want {
			t.Errorf("Browser(%.90q) = %q, want %q", header, got, want)
		}
	}
}

// A report of the Reporting API names the browser of the page, which is not always the one of the request.
func TestBrowserOfReport(t *testing.T) {
	const body = `{"type":"csp-violation","url":"https://shop.example/","user_agent":"` + firefox + `","body":{"effectiveDirective":"img-src","blockedURL":"data"}}`
	if h := hitOf(t, body, nil); h.Browser != "Firefox 153" {
		t.Errorf("with a member: %q", h.Browser)
	}
	if h := hitOf(t, violationOf("img-src", `"blocked-uri":"data"`), nil); h.Browser != "Chrome 156" {
		t.Errorf("with the header: %q", h.Browser)
	}
}
