package merlon_test

import (
	"context"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/csp"
)

func Example() {
	guard, err := merlon.New(merlon.Strict())
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })

	rec := httptest.NewRecorder()
	guard.Handler(mux).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	fmt.Println(rec.Header().Get("X-Frame-Options"))
	// Output: DENY
}

func ExampleGuard_With() {
	guard, _ := merlon.New(merlon.Strict())
	mux := http.NewServeMux()
	widget := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	mux.Handle("GET /widget/", guard.With("contract 114", merlon.FrameBy("https://partner.example")).Handler(widget))

	rec := httptest.NewRecorder()
	guard.Handler(mux).ServeHTTP(rec, httptest.NewRequest("GET", "/widget/", nil))
	fmt.Printf("X-Frame-Options: %q\n", rec.Header().Get("X-Frame-Options"))
	// Output: X-Frame-Options: ""
}

func ExampleNonce() {
	guard, _ := merlon.New(merlon.Strict())
	page := template.Must(template.New("").Parse(`<script nonce="{{.}}">greet()</script>`))
	h := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.Execute(w, merlon.Nonce(r.Context()))
	}))

	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	fmt.Println(len(rec.Body.String()), rec.Header().Get("Cache-Control"))
	// Output: 55 no-store
}

func ExampleParseConfig() {
	_, err := merlon.ParseConfig([]byte(`{"frame": "deny", "refererpolicy": "no-referrer", "csp": 5}`))
	fmt.Println(err)
	// Output:
	// refererpolicy: unknown key (did you mean referrer-policy?)
	// csp: "5": this key takes a text (write it in quotes)
}

func ExampleTemplateFuncs() {
	guard, _ := merlon.New(merlon.Strict())
	page := template.Must(template.New("").Funcs(merlon.TemplateFuncs(context.Background())).Parse(`<script nonce="{{nonce}}">greet()</script>`))
	h := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mine := template.Must(page.Clone())
		mine.Funcs(merlon.TemplateFuncs(r.Context())).Execute(w, nil)
	}))

	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	nonce := strings.Split(rec.Body.String(), `"`)[1]
	fmt.Println(strings.Contains(rec.Header().Get("Content-Security-Policy"), "'nonce-"+nonce+"'"))
	// Output: true
}

func ExampleAmend() {
	guard, _ := merlon.New(merlon.Strict())
	h := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if partner := r.FormValue("partner"); partner == "https://partner.example" { // known to be one
			if err := merlon.Amend(r.Context(), "the partner's preview", merlon.FrameBy(partner)); err != nil {
				http.Error(w, "no preview", http.StatusInternalServerError)
			}
		}
	}))
	for _, target := range []string{"/", "/?partner=https://partner.example"} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", target, nil))
		policy := rec.Header().Get("Content-Security-Policy")
		fmt.Println(policy[strings.Index(policy, "frame-ancestors"):])
	}
	// Output:
	// frame-ancestors 'none'
	// frame-ancestors https://partner.example
}

func ExampleHTTPS() {
	config := merlon.Strict()
	config.Hosts = []string{"shop.example", "*.shop.example"}
	config.Health = []string{"GET /healthz"}
	config.HTTPS = merlon.HTTPS{HSTS: "365d", Redirect: true, Exempt: []string{"/printer/"}, Proxies: merlon.Proxies{CIDR: []string{"10.0.0.0/8"}}}
	guard, err := merlon.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	h := guard.Handler(http.NotFoundHandler())
	for _, target := range []string{"http://shop.example/cart?id=7", "http://evil.example/", "http://shop.example/printer/1"} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("POST", target, nil))
		fmt.Printf("%d %q\n", rec.Code, rec.Header().Get("Location"))
	}
	// Output:
	// 308 "https://shop.example/cart?id=7"
	// 421 ""
	// 404 ""
}

func ExampleHooks() {
	guard, _ := merlon.NewHooked(merlon.Strict(), merlon.Hooks{
		Misuse: func(m merlon.Misuse) { fmt.Println(m.Kind, m.Request.URL.Path, m.Detail) },
	})
	h := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Frame-Options", "ALLOW-FROM https://partner.example")
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/widget", nil))
	// Output: ignored-framing /widget ALLOW-FROM https://partner.example protects nothing
}

func ExampleGuard_Routes() {
	config := merlon.Strict()
	config.Routes = []merlon.RouteConfig{{Match: "GET /widget/", Frame: merlon.Frame{"https://partner.example"}, Reason: "contract 114"}}
	guard, _ := merlon.New(config)
	for _, r := range guard.Routes() {
		fmt.Println(r.Looser, r)
	}
	// Output: true GET /widget/: frame: https://partner.example (contract 114) at routes[0]
}

func ExampleGuard_Explain() {
	guard, _ := merlon.New(merlon.API())
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Frame-Options", "SAMEORIGIN") })
	for _, step := range guard.Explain(h, httptest.NewRequest("GET", "/items", nil)).Steps {
		fmt.Println(step.Name, step.Changed())
	}
	// Output:
	// request []
	// handler [X-Frame-Options]
	// Content-Security-Policy [Content-Security-Policy]
	// X-Content-Type-Options [X-Content-Type-Options]
	// Referrer-Policy [Referrer-Policy]
	// Cross-Origin-Resource-Policy [Cross-Origin-Resource-Policy]
	// Cache-Control [Cache-Control]
}

func ExampleOff() {
	config := merlon.Off()
	config.Frame = merlon.Frame{"deny"}
	guard, _ := merlon.New(config)
	rec := httptest.NewRecorder()
	guard.Handler(http.NotFoundHandler()).ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	fmt.Println(rec.Header().Get("Content-Security-Policy"), "|", rec.Header().Get("X-Frame-Options"), "|", rec.Header().Get("Referrer-Policy"))
	// Output: frame-ancestors 'none' | DENY |
}

func ExampleGuard_Pattern() {
	config := merlon.Strict()
	config.Routes = []merlon.RouteConfig{{Match: "GET /widget/", Frame: merlon.Frame{"https://partner.example"}, Reason: "contract 114"}}
	guard, _ := merlon.New(config)
	for _, path := range []string{"/widget/1", "/account", "/account/../widget/1"} {
		fmt.Printf("%s: %q\n", path, guard.Pattern(httptest.NewRequest("GET", path, nil)))
	}
	// Output:
	// /widget/1: "GET /widget/"
	// /account: ""
	// /account/../widget/1: ""
}

func ExampleHashes() {
	guard, _ := merlon.New(merlon.Config{CSP: "script-src 'self' 'hashes'"})
	hash := csp.HashOf("sha256", "greet()")
	page := guard.With("greet.html is ours", merlon.Hashes([]string{hash}, nil)).
		Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<script>greet()</script>") }))

	rec := httptest.NewRecorder()
	guard.Handler(page).ServeHTTP(rec, httptest.NewRequest("GET", "/greet", nil))
	fmt.Println(rec.Header().Get("Content-Security-Policy"))
	// Output: script-src 'self' 'sha256-qaAH0PL3PpGngZPKzBNSBxinN7XEHldntOST2ZOVfEo='; frame-ancestors 'none'
}

// The nonce in a report tells whether somebody has fetched a page for it.
func ExampleNewNonceKey() {
	secret := make([]byte, 32) // of a file that only the program may read
	key, err := merlon.NewNonceKey(secret, "shop.example")
	if err != nil {
		log.Fatal(err)
	}
	guard, err := merlon.NewHooked(merlon.Strict(), merlon.Hooks{NonceKey: func() *merlon.NonceKey { return key }})
	if err != nil {
		log.Fatal(err)
	}
	page := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, merlon.Nonce(r.Context())) }))
	rec := httptest.NewRecorder()
	page.ServeHTTP(rec, httptest.NewRequest("GET", "/", nil))
	reported := rec.Body.String()
	fmt.Println(len(reported), key.Attests(reported), key.Attests("aW52ZW50ZWQtYnktc29tZWJvZHktZWxz"))
	// Output: 32 true false
}
