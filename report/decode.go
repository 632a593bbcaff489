package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Decode reads the body of one POST in any of the three shapes, told apart by the JSON alone. It returns one Report for each
// element of a batch, in order; an element that is not a report has an empty Type, so that one bad element costs no other.
// An error is one of the Err values and means that nothing of the body was read.
func Decode(body []byte) ([]Report, error) {
	if len(body) > MaxBatchBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(body), MaxBatchBytes)
	}
	body = bytes.TrimSpace(body)
	if err := checkNesting(body); err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(body, []byte("[")):
		return decodeBatch(body)
	case bytes.HasPrefix(body, []byte("{")):
		return decodeObject(body)
	}
	return nil, refusal(body)
}

// refusal says why a body is not a report.
func refusal(body []byte) error {
	if !json.Valid(body) {
		return ErrNotJSON
	}
	return ErrNotReport
}

// decodeBatch stops at the first element too many: a megabyte of small ones would take a hundred in memory.
func decodeBatch(body []byte) ([]Report, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if _, err := dec.Token(); err != nil { // the bracket
		return nil, fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	reports := []Report{}
	for dec.More() {
		if len(reports) == MaxReports {
			return nil, fmt.Errorf("%w: more than %d", ErrTooMany, MaxReports)
		}
		var element json.RawMessage
		if err := dec.Decode(&element); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotJSON, err)
		}
		r, _ := decodeReport(element) // the zero Report says that it was none
		reports = append(reports, r)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotJSON, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: text after the batch", ErrNotJSON)
	}
	return reports, nil
}

func decodeObject(body []byte) ([]Report, error) {
	if len(body) > MaxObjectBytes {
		return nil, fmt.Errorf("%w: one report of %d bytes, at most %d", ErrTooLarge, len(body), MaxObjectBytes)
	}
	r, ok := decodeReport(body)
	if !ok {
		return nil, refusal(body)
	}
	return []Report{r}, nil
}

// envelope has the members around a body in all three shapes.
type envelope struct {
	Type      text   `json:"type"`
	URL       text   `json:"url"`
	Age       number `json:"age"`
	UserAgent text   `json:"user_agent"`
	Body      object `json:"body"`
	Legacy    object `json:"csp-report"`
}

// decodeReport reads one object and reports whether it is a report.
func decodeReport(data []byte) (Report, bool) {
	var e envelope
	if data[0] != '{' || json.Unmarshal(data, &e) != nil {
		return Report{}, false
	}
	switch {
	case e.Legacy != nil:
		e.Type, e.Body = TypeViolation, e.Legacy
	case e.Type == "":
		// Some senders leave out the "csp-report" around the legacy members.
		e.Type, e.Body = TypeViolation, data
		if v := decodeViolation(data); v.Directive == "" || v.DocumentURL == "" {
			return Report{}, false
		}
	}
	r := Report{
		Type:      string(e.Type),
		URL:       string(e.URL),
		Age:       min(time.Duration(e.Age)*time.Millisecond, maxAge),
		UserAgent: string(e.UserAgent),
	}
	if r.Type != TypeViolation {
		r.Body = cleanJSON(e.Body)
		return r, true
	}
	if e.Body != nil {
		r.Violation = decodeViolation(e.Body)
		r.URL = first(e.URL, text(r.Violation.DocumentURL))
		r.Violation.DocumentURL = first(text(r.Violation.DocumentURL), e.URL)
	}
	return r, true
}

// violation has both spellings of each member: the kebab case of report-uri and the camel case of report-to.
type violation struct {
	DocumentURI        text   `json:"document-uri"`
	DocumentURL        text   `json:"documentURL"`
	Referrer           text   `json:"referrer"`
	BlockedURI         text   `json:"blocked-uri"`
	BlockedURL         text   `json:"blockedURL"`
	EffectiveLegacy    text   `json:"effective-directive"`
	Effective          text   `json:"effectiveDirective"`
	Violated           text   `json:"violated-directive"`
	PolicyLegacy       text   `json:"original-policy"`
	Policy             text   `json:"originalPolicy"`
	Disposition        text   `json:"disposition"`
	SampleLegacy       text   `json:"script-sample"`
	Sample             text   `json:"sample"`
	SourceFileLegacy   text   `json:"source-file"`
	SourceFile         text   `json:"sourceFile"`
	StatusCodeLegacy   number `json:"status-code"`
	StatusCode         number `json:"statusCode"`
	LineNumberLegacy   number `json:"line-number"`
	LineNumber         number `json:"lineNumber"`
	ColumnNumberLegacy number `json:"column-number"`
	ColumnNumber       number `json:"columnNumber"`
}

func decodeViolation(data []byte) *Violation {
	var w violation
	// The members accept any JSON, so this cannot fail on a valid object.
	_ = json.Unmarshal(data, &w)
	v := &Violation{
		DocumentURL:    first(w.DocumentURL, w.DocumentURI),
		Referrer:       string(w.Referrer),
		BlockedURL:     first(w.BlockedURL, w.BlockedURI),
		Directive:      directiveName(first(w.Effective, w.EffectiveLegacy, w.Violated)),
		OriginalPolicy: first(w.Policy, w.PolicyLegacy),
		Disposition:    ParseDisposition(string(w.Disposition)),
		Sample:         trimSample(first(w.Sample, w.SampleLegacy)),
		SourceFile:     first(w.SourceFile, w.SourceFileLegacy),
		StatusCode:     int(max(w.StatusCode, w.StatusCodeLegacy)),
		Line:           int(max(w.LineNumber, w.LineNumberLegacy)),
		Column:         int(max(w.ColumnNumber, w.ColumnNumberLegacy)),
	}
	v.BlockedURL = blockedWord(v)
	if v.Line == 0 {
		v.Column = 0 // Firefox and WebKit send column 1 when they know neither
	}
	return v
}

// directiveName returns the first word: CSP2 browsers send the whole directive as violated-directive, and old Firefox sends
// nothing else (https://bugzilla.mozilla.org/show_bug.cgi?id=1192684).
func directiveName(s string) string {
	name, _, _ := strings.Cut(s, " ")
	return strings.ToLower(name)
}

// maxSample is how much of a script, style or handler the specification lets out.
// See https://www.w3.org/TR/CSP3/#violation-sample.
const maxSample = 40

// trimSample takes off the ellipsis that Firefox (in earlier years three dots) puts behind a sample it has cut. The page did not write it, and with it the same
// script would have two samples.
func trimSample(s string) string {
	if utf8.RuneCountInString(s) <= maxSample {
		return s
	}
	return strings.TrimRight(s, " .…")
}

// blockedWord says "inline" and "eval" where old browsers said "" or "self" (Firefox before 43 for one,
// https://bugzilla.mozilla.org/show_bug.cgi?id=1026520). Only script and style can be inline; default-src stands for them in
// browsers that do not name the effective directive.
func blockedWord(v *Violation) string {
	if v.BlockedURL != "" && v.BlockedURL != "self" {
		return v.BlockedURL
	}
	family := v.Directive
	for _, suffix := range [...]string{"-elem", "-attr"} {
		family = strings.TrimSuffix(family, suffix)
	}
	switch family {
	case "script-src", "style-src", "default-src":
		if strings.HasPrefix(v.Sample, "call to eval()") {
			return "eval"
		}
		return "inline"
	}
	return v.BlockedURL
}

// first returns the first of its arguments that is not empty.
func first(values ...text) string {
	for _, v := range values {
		if v != "" {
			return string(v)
		}
	}
	return ""
}

// number is a count that may come as a number, as a string of digits, as null or as nonsense; the last two are 0.
type number int64

// UnmarshalJSON never fails: a wrong member must not cost the report.
func (n *number) UnmarshalJSON(data []byte) error {
	f, err := strconv.ParseFloat(string(bytes.Trim(data, `"`)), 64)
	if err != nil || !(f > 0) { // null, text, a negative number, NaN
		f = 0
	}
	*n = number(min(f, math.MaxInt32))
	return nil
}

// object is a JSON object, nil for any other value.
type object []byte

// UnmarshalJSON never fails.
func (o *object) UnmarshalJSON(data []byte) error {
	*o = nil
	if data[0] == '{' {
		*o = bytes.Clone(data)
	}
	return nil
}
