// Command bare is a collector that stores nothing: net/http's server and a handler that parses a report and drops it. The arguments are
// its address, and what parses: json for encoding/json into a struct of the fields that a collector needs, or decode for merlon's
// package report, which knows every shape and bounds it.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/merlon-sec/merlon/report"
)

func main() {
	parsers := map[string]func([]byte) error{"json": parse, "decode": decode}
	if len(os.Args) != 3 || parsers[os.Args[2]] == nil {
		fmt.Fprintln(os.Stderr, "usage: bare ADDRESS json|decode")
		os.Exit(2)
	}
	log.Fatal(http.ListenAndServe(os.Args[1], handler(parsers[os.Args[2]])))
}

func handler(parse func([]byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, report.MaxBatchBytes))
		if err == nil {
			err = parse(data)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func decode(data []byte) error {
	_, err := report.Decode(data)
	return err
}

// legacy is a report as report-uri gets it, and modern one of a batch.
type (
	legacy struct {
		Report struct {
			DocumentURI        string `json:"document-uri"`
			Referrer           string `json:"referrer"`
			ViolatedDirective  string `json:"violated-directive"`
			EffectiveDirective string `json:"effective-directive"`
			OriginalPolicy     string `json:"original-policy"`
			Disposition        string `json:"disposition"`
			BlockedURI         string `json:"blocked-uri"`
			LineNumber         int    `json:"line-number"`
			ColumnNumber       int    `json:"column-number"`
			SourceFile         string `json:"source-file"`
			StatusCode         int    `json:"status-code"`
			ScriptSample       string `json:"script-sample"`
		} `json:"csp-report"`
	}
	modern struct {
		Type      string `json:"type"`
		Age       int    `json:"age"`
		URL       string `json:"url"`
		UserAgent string `json:"user_agent"`
		Body      struct {
			DocumentURL        string `json:"documentURL"`
			Referrer           string `json:"referrer"`
			EffectiveDirective string `json:"effectiveDirective"`
			OriginalPolicy     string `json:"originalPolicy"`
			Disposition        string `json:"disposition"`
			BlockedURL         string `json:"blockedURL"`
			LineNumber         int    `json:"lineNumber"`
			ColumnNumber       int    `json:"columnNumber"`
			SourceFile         string `json:"sourceFile"`
			StatusCode         int    `json:"statusCode"`
			Sample             string `json:"sample"`
		} `json:"body"`
	}
)

func parse(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, new([]modern))
	}
	return json.Unmarshal(data, new(legacy))
}
