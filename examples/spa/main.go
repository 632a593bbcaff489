// Spa shows an application in the browser with an API of its own: two policies on one site, reports, and a log-out.
//
//	cd examples && GOWORK=off go run ./spa
//
//	curl -i http://127.0.0.1:8080/           the page: strict, with a nonce for the one script that loads all others
//	curl -i http://127.0.0.1:8080/api/cart   the API: a policy that lets nothing run, and no-store
//	curl -i http://127.0.0.1:8080/api/no     its 404, too
//	curl -i -X POST http://127.0.0.1:8080/log-out    204; over HTTPS also Clear-Site-Data, which browsers obey there alone
//	curl -i -X POST -H 'Sec-Fetch-Site: cross-site' http://127.0.0.1:8080/log-out   other sites cannot log anybody out
//	curl -i http://127.0.0.1:8080/reports -d '{"csp-report": {"document-uri": "http://127.0.0.1:8080/", "effective-directive": "img-src"}}'
//
// CORS is not the guard's: pages of other origins cannot read the API as it is. To let them, wrap the API in a middleware for
// it, such as github.com/jub0bs/cors, inside of the guard; the headers of both get along.
package main

import (
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/report"
)

//go:embed app.js index.html
var files embed.FS

var index = template.Must(template.ParseFS(files, "index.html"))

func main() {
	h := newHandler(func(v *report.Violation) {
		log.Printf("%q of %q does not allow %q", v.Directive, v.DocumentURL, v.BlockedURL) // quoted: strangers write reports
	})
	srv := &http.Server{Addr: "127.0.0.1:8080", Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}
	log.Printf("http://%s", srv.Addr)
	log.Fatal(srv.ListenAndServe())
}

// newHandler returns the site. Violated is told what browsers report; it must be safe for concurrent use.
func newHandler(violated func(*report.Violation)) http.Handler {
	config := merlon.Strict()
	config.Reports = "/reports"
	// A pattern of the configuration covers what the mux answers by itself below it, which a wrapped handler would not.
	config.Routes = []merlon.RouteConfig{{Match: "/api/", Preset: "api"}}
	guard, err := merlon.New(config)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", show)
	mux.Handle("GET /app.js", http.FileServerFS(files))
	mux.HandleFunc("GET /api/cart", cart)
	mux.Handle("POST /reports", collect(violated))
	forget := guard.With("", merlon.Header("Clear-Site-Data", `"cache", "cookies", "storage"`)) // it loosens nothing and needs no reason
	mux.Handle("POST /log-out", http.NewCrossOriginProtection().Handler(forget.Handler(http.HandlerFunc(logOut))))
	return guard.Handler(mux)
}

func show(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := index.Execute(w, map[string]string{"Nonce": merlon.Nonce(r.Context())}); err != nil {
		log.Print(err)
	}
}

func cart(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode([]string{"a rope", "a candle"}); err != nil {
		log.Print(err)
	}
}

func logOut(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }

// collect takes reports of violations. Browsers that are told of an error may send the same again, so that bad reports are
// no error, but one that is too large is. A site with many visitors bounds how many it takes, or runs the collector of the
// merlon tool.
func collect(violated func(*report.Violation)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, report.MaxBatchBytes))
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			http.Error(w, "report too large", http.StatusRequestEntityTooLarge)
			return
		}
		if reports, decodeErr := report.Decode(body); err == nil && decodeErr == nil {
			for _, got := range reports {
				if got.Violation != nil {
					violated(got.Violation)
				}
			}
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
