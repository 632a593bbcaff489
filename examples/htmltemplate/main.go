// Htmltemplate shows nonces in templates of html/template, with nothing but net/http.
//
//	cd examples && GOWORK=off go run ./htmltemplate
//
// The page streams to the browser as the template makes it; the nonce in the header and those in the page are the same.
//
//	curl -i http://127.0.0.1:8080/           look for nonce in the headers and in the page, twice: it changes
//	curl -I http://127.0.0.1:8080/           without a page there is no nonce
//	curl -i http://127.0.0.1:8080/style.css  nor in what is no page
//	curl -i http://127.0.0.1:8080/nothing    the mux's 404 has the headers, too
package main

import (
	"embed"
	"html/template"
	"log"
	"net/http"
	"time"

	"github.com/merlon-sec/merlon"
)

//go:embed page.html style.css
var files embed.FS

// site parses the templates once. The nonce of a request is not there yet, so that a function of the same name stands in.
type site struct{ page *template.Template }

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
	standIn := template.FuncMap{"nonce": func() string { return "" }}
	s := site{page: template.Must(template.New("page.html").Funcs(standIn).ParseFS(files, "page.html"))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.show)
	mux.Handle("GET /style.css", http.FileServerFS(files))
	return guard.Handler(mux)
}

// show executes a copy, because requests that ran at the same time on one template would print each other's nonces. The
// template that was parsed is itself never executed: html/template could not copy it any more.
func (s *site) show(w http.ResponseWriter, r *http.Request) {
	page, err := s.page.Clone()
	if err != nil {
		http.Error(w, "no page", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Funcs(merlon.TemplateFuncs(r.Context())).Execute(w, r.URL.Query().Get("name")); err != nil {
		log.Print(err) // the client has gone
	}
}
