// Gin shows a guard around an engine of github.com/gin-gonic/gin.
//
//	cd examples && GOWORK=off go run ./gin
//
// The guard stands outside of the engine, so that also what the engine answers by itself is protected. Look at the headers of
//
//	curl -i  http://127.0.0.1:8080/           a page with a nonce, another one each time
//	curl -i  http://127.0.0.1:8080/map        its policy allows images of tiles.example, too
//	curl -i  http://127.0.0.1:8080/map/       the engine's redirect
//	curl -i  http://127.0.0.1:8080/nothing    its 404
//	curl -i  -X POST http://127.0.0.1:8080/   its 405
//	curl -iN http://127.0.0.1:8080/events     a stream
package main

import (
	"html/template"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/merlon-sec/merlon"
)

var page = template.Must(template.New("page").Parse(`<!doctype html>
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
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.SetHTMLTemplate(page)
	engine.Use(gin.Recovery()) // inside of the guard: its error page has the headers, too
	engine.GET("/", show)
	engine.GET("/map", adapt(guard.With("map tiles", merlon.Allow("img-src https://tiles.example"))), show)
	engine.GET("/events", events)
	engine.GET("/panic", func(*gin.Context) { panic("a mistake in a handler") })
	return guard.Handler(engine)
}

// adapt makes a route of the guard a handler of gin that goes before others. The writer stays gin's: the guard around the
// engine finds its own inside, by Unwrap.
func adapt(route *merlon.Route) gin.HandlerFunc {
	return func(c *gin.Context) {
		next := func(_ http.ResponseWriter, r *http.Request) {
			c.Request = r
			c.Next()
		}
		route.Handler(http.HandlerFunc(next)).ServeHTTP(c.Writer, c.Request)
	}
}

func show(c *gin.Context) {
	c.HTML(http.StatusOK, "page", gin.H{"Nonce": merlon.Nonce(c.Request.Context())})
}

// events sends a first event at once and then keeps the stream open.
func events(c *gin.Context) {
	c.Stream(func(io.Writer) bool {
		c.SSEvent("", "hello")
		c.Writer.Flush()
		<-c.Request.Context().Done()
		return false
	})
}
