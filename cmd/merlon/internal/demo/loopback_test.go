package demo_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/demo"
)

func sites() map[string]http.Handler {
	return map[string]http.Handler{
		"bank":        demo.NewBank(demo.BankConfig{ThirdPartyOrigin: thirdParty}),
		"attacker":    demo.NewAttacker(demo.AttackerConfig{}),
		"partner":     demo.NewPartner(demo.PartnerConfig{Bank: "http://127.0.0.1:8082"}),
		"third party": demo.NewThirdParty(),
	}
}

func TestHostMustBeLoopback(t *testing.T) {
	tests := map[string]int{
		"127.0.0.1": 200, "127.0.0.1:8080": 200, "localhost": 200, "localhost:1": 200, "LocalHost:1": 200,
		"[::1]": 200, "[::1]:8080": 200,
		"": 403, "::1": 403, "rebind.example": 403, "rebind.example:8080": 403, "127.0.0.1.rebind.example": 403,
		"localhost.rebind.example:8080": 403, "localhost.": 403, "0.0.0.0:8080": 403, "10.0.0.1": 403,
		"127.0.0.1@rebind.example": 403, "[::1].rebind.example": 403, "127.0.0.1:1:2": 403,
	}
	for name, h := range sites() {
		for host, want := range tests {
			r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
			r.Host = host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s with Host %q: got status %d, want %d", name, host, w.Code, want)
			}
		}
	}
}

func TestBankRefusesOtherSites(t *testing.T) {
	tests := []struct {
		site, method, path string
		want               int
	}{
		{"cross-site", "GET", "/", 200},
		{"cross-site", "GET", "/search?q=x", 403},
		{"cross-site", "GET", "/x/..%2fsearch?q=x", 403},
		{"cross-site", "POST", "/comment", 403},
		{"cross-site", "POST", "/reset", 403},
		{"same-site", "GET", "/search?q=x", 200}, // the demo's attacker
		{"same-site", "POST", "/reset", 303},
		{"same-origin", "GET", "/search?q=x", 200},
		{"none", "GET", "/search?q=x", 200}, // typed by a person
		{"", "GET", "/search?q=x", 200},     // not a browser
	}
	for _, tt := range tests {
		newBank(t).do(tt.method, tt.path, nil, func(r *http.Request) {
			if tt.site != "" {
				r.Header.Set("Sec-Fetch-Site", tt.site)
			}
		}).wants(tt.want)
	}
}
