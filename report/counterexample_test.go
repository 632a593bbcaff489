package report_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/report"
)

// A program without the gateway counts its pages by the Guard's hook, and tells the collector.
func ExampleCounter() {
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		counts, err := report.DecodeCounts(body)
		if err != nil {
			log.Print(err)
		}
		for _, d := range counts.Documents {
			fmt.Println(d.Count, "page views of", d.Route)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer collector.Close()

	counter, err := report.NewCounter(report.CounterConfig{
		URL:    collector.URL + "/.merlon/r/documents",
		Token:  "b2Yg5aSq5bmz5rSL",
		Failed: func(err error) { log.Print(err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	guard, err := merlon.NewHooked(merlon.Strict(), merlon.Hooks{Committed: func(c merlon.Committed) {
		if c.PageView() {
			counter.Count(c.Request.URL, c.Policy, c.Status)
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	app := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<p>An item") }))

	ctx, stop := context.WithCancel(context.Background()) // ends with the program
	pushed := make(chan error)
	go func() { pushed <- counter.Run(ctx) }()
	for _, path := range []string{"/item/1", "/item/2", "/item/3"} {
		app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	stop()
	if err := <-pushed; err != nil {
		log.Fatal(err)
	}
	// Output: 3 page views of /item/*
}
