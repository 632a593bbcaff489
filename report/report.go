// Package report reads and writes what browsers send when a page breaks its policy: the violation reports of Content Security
// Policy, and all that comes in the envelope of the Reporting API.
//
// There are three shapes on the wire, and the content type does not tell them apart (WebKit labels all of its CSP reports
// application/csp-report):
//
//	{"csp-report": {"document-uri": …}}                        report-uri, every browser
//	[{"type": …, "url": …, "age": …, "body": {…}}, …]          report-to, Chromium and Firefox
//	{"type": …, "url": …, "body": {…}}                         report-to, WebKit
//
// [Decode] takes all three and removes the differences between browsers and their versions: every violation of a CSP becomes a
// [Violation], and every report of another known type a [Detail]. Whatever a report says was written by a stranger: anyone can
// post one. Decode bounds it and takes control characters out; it does not make it true.
//
// [Handler] is all that a program needs to be told of reports. A [Counter] counts the documents that it sent: a number of reports
// means little by itself. [Encode] and [EncodeLegacy] write reports, for tests and simulations.
//
// The specifications: Reporting API (https://www.w3.org/TR/reporting-1/), Content Security Policy Level 3
// (https://www.w3.org/TR/CSP3/#reporting), and those named at the types of detail.
package report

import (
	"encoding/json"
	"time"
)

// TypeViolation is the Type of a report about a Content Security Policy, whichever directive sent it.
const TypeViolation = "csp-violation"

// Report is one report as a browser sent it, without the differences in spelling.
type Report struct {
	Type      string        // "csp-violation", "coep", "deprecation" …; "" for an element of a batch that is not a report
	URL       string        // the document, query included
	Age       time.Duration // between the event and the sending of the report: 0 if not told, at most 7 days
	UserAgent string        // of the document; "" if not told

	// Violation is set if Type is TypeViolation and the report had a body.
	Violation *Violation

	// Detail is set if Type is another one of the known types and the report had a body.
	Detail Detail

	// Body is the body of a report of any type but TypeViolation, known or not: one JSON object with the members as they
	// came, without control characters; nil if it had none.
	Body json.RawMessage
}

// Violation is a report about one policy of one document that did not allow something.
// See https://www.w3.org/TR/CSP3/#reporting.
type Violation struct {
	// DocumentURL is an absolute URL with its query, or a bare scheme such as "about" (srcdoc) or "blob". For a worker it is
	// the worker's script.
	DocumentURL string
	Referrer    string // of the document; for frame-ancestors, Firefox and WebKit name the framing page here

	// BlockedURL is a URL (the one before redirects, with its query), an origin, a bare scheme, or one of the words "inline",
	// "eval", "wasm-eval", "trusted-types-sink" and "trusted-types-policy". Chromium leaves it empty for data: frames, Firefox
	// for frame-ancestors.
	BlockedURL string

	Directive      string // the effective directive in lower case: the name alone, as specific as the browser knows it
	OriginalPolicy string // the text of the one policy that was violated, nonces and all
	Disposition    Disposition
	Sample         string // the first 40 characters of the script, style or handler; often empty
	SourceFile     string // the script that did it: a URL or a bare scheme
	StatusCode     int    // of the document; 0 is common and means nothing
	Line, Column   int    // in SourceFile; both 0 if the line is not known
}

// Disposition says whether the violated policy was enforced.
type Disposition uint8

// The zero Disposition is DispositionUnknown: WebKit does not say it to report-uri, nor did Firefox in earlier years.
const (
	DispositionUnknown Disposition = iota
	Enforce                        // the browser blocked it
	ReportOnly                     // the browser would have blocked it
)

// ParseDisposition reads the word in a report: "enforce", "report", or "reporting" (COOP and COEP). Other words are unknown.
func ParseDisposition(word string) Disposition {
	switch word {
	case "enforce":
		return Enforce
	case "report", "reporting":
		return ReportOnly
	}
	return DispositionUnknown
}

// String returns "enforce" or "report" as CSP reports spell them, or "unknown".
func (d Disposition) String() string {
	switch d {
	case Enforce:
		return "enforce"
	case ReportOnly:
		return "report"
	}
	return "unknown"
}
