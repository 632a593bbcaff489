package report_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/merlon-sec/merlon/report"
)

func ExampleDecode() {
	// Safari, report-uri: no disposition, and the type beside the report.
	body := `{"type":"csp-violation","url":"https://shop.example/cart","csp-report":{
		"document-uri":"https://shop.example/cart","violated-directive":"script-src-elem","effective-directive":"script-src-elem",
		"original-policy":"script-src 'self'; report-uri /r","blocked-uri":"https://cdn.example/app.js","status-code":0}}`

	reports, err := report.Decode([]byte(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range reports {
		v := r.Violation
		fmt.Println(r.Type, v.Directive, v.BlockedURL, v.Disposition)
	}
	// Output:
	// csp-violation script-src-elem https://cdn.example/app.js unknown
}

// Browsers send more than violations of a CSP.
func ExampleDecode_otherTypes() {
	body := `[{"type":"coep","url":"https://shop.example/","age":12,"body":{"type":"corp","blockedURL":"https://cdn.example/a.png"}},
		{"type":"invented-tomorrow","url":"https://shop.example/","age":3,"body":{"what": 1}}]`
	reports, err := report.Decode([]byte(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range reports {
		switch d := r.Detail.(type) {
		case *report.COEP:
			fmt.Println(r.Age, d.Violation, d.BlockedURL)
		default:
			fmt.Printf("%s %s\n", r.Type, r.Body)
		}
	}
	// Output:
	// 12ms corp https://cdn.example/a.png
	// invented-tomorrow {"what":1}
}

func ExampleDecode_errors() {
	_, err := report.Decode([]byte("[" + strings.Repeat("{},", 100) + "{}]"))
	fmt.Println(errors.Is(err, report.ErrTooMany), err)
	// Output:
	// true too many reports: more than 100
}

func ExampleParseDisposition() {
	fmt.Println(report.ParseDisposition("report") == report.ReportOnly)
	// Output:
	// true
}

func ExampleEncode() {
	body, err := report.Encode([]report.Report{{
		Type: report.TypeViolation,
		URL:  "https://shop.example/cart",
		Violation: &report.Violation{
			DocumentURL: "https://shop.example/cart", Directive: "img-src", BlockedURL: "https://cdn.example/a.png", Disposition: report.Enforce,
		},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	reports, err := report.Decode(body)
	fmt.Println(len(reports), reports[0].Violation.BlockedURL, err)
	// Output:
	// 1 https://cdn.example/a.png <nil>
}

func ExampleEncodeLegacy() {
	body, err := report.EncodeLegacy(&report.Violation{DocumentURL: "https://shop.example/", Directive: "script-src-attr", BlockedURL: "inline"})
	fmt.Println(string(body), err)
	// Output:
	// {"csp-report":{"blocked-uri":"inline","document-uri":"https://shop.example/","effective-directive":"script-src-attr","violated-directive":"script-src-attr"}} <nil>
}
