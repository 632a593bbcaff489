package merlon_test

import (
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"

	"github.com/merlon-sec/merlon"
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
