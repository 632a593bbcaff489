// Command reverseproxy is the plainest proxy that sends the headers: httputil.ReverseProxy, and a line for each.
//
//	reverseproxy LISTEN UPSTREAM <headers.json
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

// idlePerHost is what merlon keeps. The default of 2 would measure how fast connections are made.
const idlePerHost = 64

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: reverseproxy LISTEN UPSTREAM <headers.json")
	}
	var headers map[string]string
	if err := json.NewDecoder(os.Stdin).Decode(&headers); err != nil {
		log.Fatal(err)
	}
	upstream, err := url.Parse(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.DisableCompression = idlePerHost, true
	log.Fatal(http.ListenAndServe(os.Args[1], &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.SetXForwarded()
		},
		ModifyResponse: func(r *http.Response) error {
			for name, value := range headers {
				r.Header.Set(name, value)
			}
			return nil
		},
	}))
}
