package report_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/merlon-sec/merlon/report"
)

func ExampleHandler() {
	take := func(ctx context.Context, reports []report.Report) error {
		for _, r := range reports {
			if !strings.HasPrefix(r.URL, "https://shop.example/") {
				continue // anybody can post here, about anything
			}
			if v := r.Violation; v != nil {
				fmt.Println(r.URL, v.Directive, v.BlockedURL, v.Disposition)
			}
		}
		return nil // or an error, and Chromium sends them again
	}
	mux := http.NewServeMux()
	mux.Handle("/reports", report.Handler(take)) // a policy ends in "report-uri /reports?d=e"
	server := httptest.NewServer(mux)
	defer server.Close()

	// What Safari sends.
	body := `{"type":"csp-violation","url":"https://shop.example/cart","csp-report":{"document-uri":"https://shop.example/cart",
		"violated-directive":"img-src","effective-directive":"img-src","blocked-uri":"https://cdn.example/a.png","status-code":0}}`
	res, err := http.Post(server.URL+"/reports?d=e", "application/csp-report", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	fmt.Println(res.Status)
	// Output:
	// https://shop.example/cart img-src https://cdn.example/a.png enforce
	// 204 No Content
}

// Pages of another host may use the Reporting API only if they are named.
func ExampleNewHandler() {
	_, err := report.NewHandler(report.Receiver{
		Take:    func(context.Context, []report.Report) error { return nil },
		Origins: []string{"https://shop.example", "www.example.com"},
	})
	fmt.Println(err)
	// Output:
	// report: Origins[1] "www.example.com": an origin begins with https:// or http://
}

func ExampleFromURL() {
	r := httptest.NewRequest("POST", "/reports?d=r", nil)
	fmt.Println(report.FromURL(r.URL))
	// Output:
	// report
}
