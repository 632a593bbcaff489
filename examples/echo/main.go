// Echo shows a guard around a router of github.com/labstack/echo.
//
//	cd examples && GOWORK=off go run ./echo
//
// The guard stands outside of the router, so that also what the router answers by itself is protected. Look at the headers of
//
//	curl -i  http://127.0.0.1:8080/           a page with a nonce, another one each time
//	curl -i  http://127.0.0.1:8080/map        its policy allows images of tiles.example, too
//	curl -i  http://127.0.0.1:8080/map/       a redirect of middleware
//	curl -i  http://127.0.0.1:8080/nothing    the router's 404
//	curl -i  -X POST http://127.0.0.1:8080/   its 405
//	curl -iN http://127.0.0.1:8080/events     a stream
package main

import (
	"fmt"
	"html/template"
	"log"
	"net/http"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

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
	router := echo.New()
	router.Renderer = &echo.TemplateRenderer{Template: page}
	router.Pre(middleware.RemoveTrailingSlashWithConfig(middleware.RemoveTrailingSlashConfig{RedirectCode: http.StatusMovedPermanently}))
	router.Use(middleware.Recover()) // inside of the guard: its error page has the headers, too
	router.GET("/", show)
	route := guard.With("map tiles", merlon.Allow("img-src https://tiles.example"))
	router.GET("/map", show, echo.WrapMiddleware(route.Handler))
	router.GET("/events", events)
	router.GET("/panic", func(*echo.Context) error { panic("a mistake in a handler") })
	return guard.Handler(router)
}

func show(c *echo.Context) error {
	return c.Render(http.StatusOK, "page", map[string]string{"Nonce": merlon.Nonce(c.Request().Context())})
}

// events sends a first event at once and then keeps the stream open.
func events(c *echo.Context) error {
	c.Response().Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(c.Response(), "data: hello\n\n")
	if err := http.NewResponseController(c.Response()).Flush(); err != nil {
		return err
	}
	<-c.Request().Context().Done()
	return nil
}
