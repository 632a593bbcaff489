package origin_test

import (
	"testing"

	"github.com/merlon-sec/merlon/internal/origin"
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"https://partner.example":           "https://partner.example",
		"HTTPS://Partner.Example:443":       "https://partner.example",
		"https://partner.example/":          "https://partner.example",
		"http://partner.example:80":         "http://partner.example",
		"http://partner.example:443":        "http://partner.example:443",
		"http://127.0.0.1:8080":             "http://127.0.0.1:8080",
		"http://[::1]:8080":                 "http://[::1]:8080",
		"https://*.partner.example":         "https://*.partner.example",
		"https://*.partner.example:8443":    "https://*.partner.example:8443",
		"":                                  "",
		"partner.example":                   "",
		"ftp://partner.example":             "",
		"https://":                          "",
		"https://*":                         "",
		"https://a.*.example":               "",
		"https://partner.example:":          "",
		"https://partner.example:0":         "",
		"https://partner.example:99999":     "",
		"https://user@partner.example":      "",
		"https://partner.example/path":      "",
		"https://partner.example?q":         "",
		"https://partner.example;x":         "",
		"https://partner.example, https://": "",
		"https://pärtner.example":           "",
		"https://a..b":                      "",
		"https://a b":                       "",
		"https://*.127.0.0.1":               "",
		"https://a.example\r\nX: y":         "",
	} {
		got, err := origin.Normalize(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Normalize(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}
