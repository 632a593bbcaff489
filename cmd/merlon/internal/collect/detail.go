package collect

import (
	"fmt"
	"math"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// reportType returns the type if it is a known one, else "other": the exact counters have rows for each.
func reportType(t string) string {
	switch t {
	case report.TypeViolation, report.TypeHash, report.TypeCOOP, report.TypeCOEP, report.TypePermissionsPolicy, report.TypePotentialPermissionsPolicy,
		report.TypeDocumentPolicy, report.TypeDeprecation, report.TypeIntervention, report.TypeCrash, report.TypeIntegrity, report.TypeNetworkError:
		return t
	}
	return otherWord
}

// detail reads a report that is no violation of a CSP. What stands for the directive is of a closed set for each type.
func (e *event) detail(d report.Detail) {
	e.directive = otherWord
	switch d := d.(type) {
	case *report.Hash:
		e.directive, e.blocked = oneOf(d.Destination, "script", "style"), d.SubresourceURL
	case *report.COOP:
		e.directive, e.disposition = coopViolation(d.Violation), d.Disposition
		e.blocked, e.source, e.line, e.col, e.referrer = otherPage(d), d.SourceFile, d.Line, d.Column, d.Referrer
	case *report.COEP:
		e.directive, e.disposition = oneOf(strings.ReplaceAll(d.Violation, " ", "-"), "corp", "navigation", "worker-initialization"), d.Disposition
		e.blocked = d.BlockedURL
	case *report.PermissionsPolicy:
		e.directive, e.disposition = feature(d.Feature), d.Disposition
		e.blocked, e.source, e.line, e.col = d.Feature, d.SourceFile, d.Line, d.Column
	case *report.DocumentPolicy:
		e.directive, e.disposition = documentFeature(d.Policy), d.Disposition
		e.blocked, e.source, e.line, e.col = d.Policy, d.SourceFile, d.Line, d.Column
	case *report.Deprecation:
		e.directive, e.blocked, e.source, e.line, e.col = store.ClassDeprecation, d.ID, d.SourceFile, d.Line, d.Column
	case *report.Intervention:
		e.directive, e.blocked, e.source, e.line, e.col = store.ClassIntervention, d.ID, d.SourceFile, d.Line, d.Column
	case *report.Crash:
		e.directive, e.blocked = oneOf(d.Reason, "oom", "unresponsive"), d.Reason
	case *report.Integrity:
		e.directive, e.blocked, e.disposition = oneOf(d.Destination, "script", "style"), d.BlockedURL, d.Disposition
	case *report.NetworkError:
		e.directive, e.blocked, e.referrer = oneOf(d.Phase, "dns", "connection", "application"), d.Type, d.Referrer
	}
}

func (e *event) classifyDetail() (class, blocked string) {
	switch d := e.rep.Detail.(type) {
	case *report.Hash:
		if e.blockedAt == nil {
			return store.ClassHash, ""
		}
		return store.ClassHash, e.blockedAt.of(e.document)
	case *report.COOP:
		return store.ClassOpener, strings.TrimSpace(word(d.Property) + " " + e.otherOrigin())
	case *report.COEP, *report.Integrity:
		return e.classifyURL()
	case *report.PermissionsPolicy, *report.DocumentPolicy:
		return store.ClassFeature, word(e.blocked)
	case *report.Deprecation:
		return store.ClassDeprecation, word(e.blocked)
	case *report.Intervention:
		return store.ClassIntervention, word(e.blocked)
	case *report.Crash:
		return store.ClassCrash, word(e.blocked)
	case *report.NetworkError:
		return store.ClassNetwork, strings.TrimSpace(networkError(d) + " " + e.documentOrigin())
	}
	return store.ClassOther, ""
}

// otherPage is the page on the other side of an opener policy.
func otherPage(d *report.COOP) string {
	for _, u := range []string{d.OpenerURL, d.OpeneeURL, d.OtherDocumentURL, d.PreviousURL, d.NextURL, d.InitialPopupURL, d.Referrer} {
		if u != "" {
			return u
		}
	}
	return ""
}

func (e *event) otherOrigin() string {
	switch {
	case e.blockedAt == nil:
		return ""
	case e.document != nil && e.blockedAt.origin == e.document.origin:
		return "self"
	}
	return e.blockedAt.origin
}

func (e *event) documentOrigin() string {
	if e.document == nil {
		return ""
	}
	return e.document.origin
}

// networkError is the type of the error, with the kind of status where there is one.
func networkError(d *report.NetworkError) string {
	if d.StatusCode < 100 || d.StatusCode > 599 {
		return word(d.Type)
	}
	return fmt.Sprintf("%s %dxx", word(d.Type), d.StatusCode/100)
}

// maxWeight bounds for how many requests one report may speak: who forges one shall not fill the charts with it.
const maxWeight = 10_000

// weight returns how many events the report stands for. Network Error Logging reports a share of the requests; the inverse of that share is
// rounded to a whole number when the report comes in.
func (e *event) weight() int64 {
	d, ok := e.rep.Detail.(*report.NetworkError)
	if !ok || !(d.SamplingFraction > 0 && d.SamplingFraction < 1) {
		return 1
	}
	return int64(math.Round(min(1/d.SamplingFraction, maxWeight)))
}

func oneOf(s string, words ...string) string {
	for _, w := range words {
		if s == w {
			return w
		}
	}
	return otherWord
}

func coopViolation(s string) string {
	return oneOf(s, "navigate-to-document", "navigate-from-document", "navigation-to-response", "navigation-from-response",
		"access-from-coop-page-to-opener", "access-from-coop-page-to-openee", "access-from-coop-page-to-other",
		"access-to-coop-page-from-opener", "access-to-coop-page-from-openee", "access-to-coop-page-from-other")
}

// feature returns the name if it is a feature of Permissions-Policy that browsers know.
func feature(s string) string {
	return oneOf(s, "accelerometer", "ambient-light-sensor", "attribution-reporting", "autoplay", "battery", "bluetooth", "browsing-topics", "camera",
		"clipboard-read", "clipboard-write", "compute-pressure", "cross-origin-isolated", "display-capture", "document-domain", "encrypted-media",
		"fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection", "interest-cohort",
		"keyboard-map", "local-fonts", "magnetometer", "microphone", "midi", "otp-credentials", "payment", "picture-in-picture",
		"publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock", "serial", "speaker-selection", "storage-access",
		"sync-xhr", "unload", "usb", "web-share", "window-management", "xr-spatial-tracking")
}

// documentFeature returns the name if it is a policy of Document-Policy.
func documentFeature(s string) string {
	return oneOf(s, "document-write", "expect-no-linked-resources", "font-display-late-swap", "force-load-at-top", "include-js-call-stacks-in-crash-reports",
		"js-profiling", "layout-animations", "lossless-images-max-bpp", "lossy-images-max-bpp", "oversized-images", "network-efficiency-guardrails",
		"sync-script", "sync-xhr", "unsized-media", "vertical-scroll")
}
