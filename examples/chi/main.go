// Chi shows a guard around a router of github.com/go-chi/chi.
//
//	cd examples && GOWORK=off go run ./chi
//
// The guard stands outside of the router, so that also what the router answers by itself is protected. Look at the headers of
//
//	curl -i  http://127.0.0.1:8080/           a page with a nonce, another one each time
//	curl -i  http://127.0.0.1:8080/map        its policy allows images of tiles.example, too
//	curl -i  http://127.0.0.1:8080/map/       the router's redirect
//	curl -i  http://127.0.0.1:8080/nothing    its 404
//	curl -i  -X POST http://127.0.0.1:8080/   its 405
//	curl -iN http://127.0.0.1:8080/events     a stream
package main

import (
	"fmt"
	"html/template"
	"log"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/merlon-sec/merlon"
)

var page = template.Must(template.New("").Parse(`<!doctype html>
<title>A shop</title>
<h1>A shop</h1>
<script nonce="{{.Nonce}}">document.body.append("This script may run.")</script>
`))

func main() {
	srv := &http.Server{Addr: "127.0.0.1:8080", Handler: newHandler(), ReadHeaderTimeout: 5 * time.Second}
	log.Printf("http://%s", srv.Addr)
	log.Fatal(srv.ListenAndServe())
}

func newHandler() http.Handler {
	guard, err := merlon.New(merlon.Strict())
	if err != nil {
		log.Fatal(err)
	}
	router := chi.NewRouter()
	router.Use(middleware.Recoverer) // inside of the guard: its error page has the headers, too
	router.Use(middleware.RedirectSlashes)
	router.Get("/", show)
	// A route of the guard has the shape of chi's middleware.
	router.With(guard.With("map tiles", merlon.Allow("img-src https://tiles.example")).Handler).Get("/map", show)
	router.Get("/events", events)
	router.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("a mistake in a handler") })
	return guard.Handler(router)
}

func show(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, map[string]string{"Nonce": merlon.Nonce(r.Context())}); err != nil {
		log.Print(err)
	}
}

// events sends a first event at once and then keeps the stream open.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "data: hello\n\n")
	if err := http.NewResponseController(w).Flush(); err != nil {
		log.Print(err)
		return
	}
	<-r.Context().Done()
}
