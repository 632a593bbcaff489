package report

import "time"

// The types of report that [Decode] knows besides [TypeViolation]. Each has a struct for its body.
const (
	TypeHash                       = "csp-hash"
	TypeCOOP                       = "coop"
	TypeCOEP                       = "coep"
	TypePermissionsPolicy          = "permissions-policy-violation"
	TypePotentialPermissionsPolicy = "potential-permissions-policy-violation"
	TypeDocumentPolicy             = "document-policy-violation"
	TypeDeprecation                = "deprecation"
	TypeIntervention               = "intervention"
	TypeCrash                      = "crash"
	TypeIntegrity                  = "integrity-violation"
	TypeNetworkError               = "network-error"
)

// Detail is the body of a report of a known type that is not a violation of a CSP: a pointer to one of [Hash], [COOP], [COEP],
// [PermissionsPolicy], [DocumentPolicy], [Deprecation], [Intervention], [Crash], [Integrity] and [NetworkError]. A member that the
// report does not have, or has in a form that means nothing, is zero. URLs are as browsers send them, query included.
type Detail interface {
	// encode returns the type of the report and the members of its body.
	encode() (string, encoded)
}

// Hash is the body of a report of [TypeHash]: a policy with 'report-sha256' asked what its scripts are.
// See https://w3c.github.io/webappsec-csp/#csphashreportbody.
type Hash struct {
	DocumentURL    string
	SubresourceURL string
	Hash           string // as in a policy, without the quotes: sha256-…; "" if the script was loaded from elsewhere without CORS
	Destination    string // "script" …
}

// COOP is the body of a report of [TypeCOOP]: a Cross-Origin-Opener-Policy cut a page off its opener, or would have, or a page
// used a window that it is to be cut off from. See https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-opener-policies.
type COOP struct {
	Disposition     Disposition
	EffectivePolicy string // "same-origin" …
	Violation       string // "navigation-to-response", "navigation-from-response", "access-from-coop-page-to-opener" …

	PreviousURL string // of a navigation to the page
	NextURL     string // of a navigation away from the page
	Referrer    string

	Property         string // of the window that was used: "postMessage" …
	OpenerURL        string
	OpeneeURL        string
	OtherDocumentURL string
	InitialPopupURL  string

	SourceFile   string
	Line, Column int // in SourceFile; both 0 if the line is not known
}

// COEP is the body of a report of [TypeCOEP]: a Cross-Origin-Embedder-Policy blocked a load, or would have.
// See https://html.spec.whatwg.org/multipage/browsers.html#coep.
type COEP struct {
	Disposition Disposition
	Violation   string // "corp", "navigation" or "worker initialization"
	BlockedURL  string
	Destination string // "image", "iframe" …
}

// PermissionsPolicy is the body of a report of [TypePermissionsPolicy] or [TypePotentialPermissionsPolicy]: a page used a feature
// that it may not use. See https://www.w3.org/TR/permissions-policy/#reporting.
type PermissionsPolicy struct {
	Disposition    Disposition
	Potential      bool   // nothing was used: an iframe's allow attribute names a feature that its page cannot pass on
	Feature        string // "geolocation" …
	Message        string // of the browser, for people
	SourceFile     string
	AllowAttribute string // of the iframe
	SrcAttribute   string // of the iframe
	Line, Column   int    // in SourceFile; both 0 if the line is not known
}

// DocumentPolicy is the body of a report of [TypeDocumentPolicy]. See https://wicg.github.io/document-policy/#reporting.
type DocumentPolicy struct {
	Disposition  Disposition
	Policy       string // "document-write" …
	Message      string // of the browser, for people
	SourceFile   string
	Line, Column int // in SourceFile; both 0 if the line is not known
}

// Deprecation is the body of a report of [TypeDeprecation]: a page used what browsers will take away.
// See https://wicg.github.io/deprecation-reporting/.
type Deprecation struct {
	ID           string // of the feature; reports about one feature have one ID
	Message      string // of the browser, for people
	SourceFile   string
	Line, Column int       // in SourceFile; both 0 if the line is not known
	Removal      time.Time // when it is expected to be gone, in UTC; zero if not told
}

// Intervention is the body of a report of [TypeIntervention]: the browser did not do what a page asked for, because it would have
// annoyed the user. See https://wicg.github.io/intervention-reporting/.
type Intervention struct {
	ID           string // of the intervention
	Message      string // of the browser, for people
	SourceFile   string
	Line, Column int // in SourceFile; both 0 if the line is not known
}

// Crash is the body of a report of [TypeCrash]. See https://wicg.github.io/crash-reporting/.
type Crash struct {
	Reason     string // "oom", "unresponsive"; often ""
	Visibility string // of the page: "visible" or "hidden"; "" if not told
	TopLevel   bool   // no page framed it; false too if not told
}

// Integrity is the body of a report of [TypeIntegrity]: an Integrity-Policy blocked a script or style without integrity metadata,
// or would have. See https://www.w3.org/TR/sri-2/#integrity-policy.
type Integrity struct {
	Disposition Disposition
	DocumentURL string
	BlockedURL  string
	Destination string // "script", "style"
	Reason      string // told by Firefox for a manifest that does not agree; else ""
}

// NetworkError is the body of a report of [TypeNetworkError]: how a request went, as Network Error Logging tells it. That may be
// well: its Type is "ok" then. See https://www.w3.org/TR/network-error-logging/.
type NetworkError struct {
	Phase      string // "dns", "connection" or "application"
	Type       string // "tcp.refused", "http.error", "ok" …
	Protocol   string // "h2" …
	ServerIP   string
	Method     string
	Referrer   string
	StatusCode int
	Elapsed    time.Duration // in whole milliseconds

	// SamplingFraction is which part of such requests is reported, at least one in a million and at most 1: a report stands
	// for 1/SamplingFraction requests. It is 1 where the report says nothing or nonsense, so that dividing by it is safe.
	SamplingFraction float64
}
