// Widget shows a page that one partner may frame, on a site that nobody else may.
//
//	cd examples && GOWORK=off go run ./widget
//
// It starts three sites. With a browser, see the widget on the partner's page and an error on the stranger's:
//
//	http://127.0.0.1:8081    the partner
//	http://127.0.0.1:8082    a stranger
//	curl -i http://127.0.0.1:8080/widget/   frame-ancestors names the partner; X-Frame-Options, which cannot, is not there
//	curl -i http://127.0.0.1:8080/          nobody frames this one
//	curl -i --path-as-is http://127.0.0.1:8080/widget/../account   nor what only begins like the widget
package main

import (
	"fmt"
	"html"
	"log"
	"net/http"
	"time"

	"github.com/merlon-sec/merlon"
)

func main() {
	go serve("127.0.0.1:8081", embedding("http://127.0.0.1:8080/widget/"))
	go serve("127.0.0.1:8082", embedding("http://127.0.0.1:8080/widget/"))
	serve("127.0.0.1:8080", newHandler("http://127.0.0.1:8081"))
}

func serve(addr string, h http.Handler) {
	srv := &http.Server{Addr: addr, Handler: h, ReadHeaderTimeout: 5 * time.Second}
	log.Printf("http://%s", addr)
	log.Fatal(srv.ListenAndServe())
}

func newHandler(partner string) http.Handler {
	guard, err := merlon.New(merlon.Strict())
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", say("The shop's own page."))
	mux.HandleFunc("GET /account", say("Your account."))
	// Framing by others is looser than the rest of the site, so that the guard wants to know why. guard.Routes() lists the reasons.
	mux.Handle("GET /widget/", guard.With("contract 114", merlon.FrameBy(partner)).Handler(say("The shop's widget.")))
	return guard.Handler(mux)
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>A shop</title><p>%s\n", text)
	}
}

// embedding is somebody else's site, with a policy of its own or none.
func embedding(url string) http.Handler {
	return say(fmt.Sprintf(`Here comes the widget: <iframe src="%s"></iframe>`, html.EscapeString(url)))
}
