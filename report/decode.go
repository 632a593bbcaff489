package report

import (
	"bytes"
	"cmp"
	"fmt"
	"time"
	"unicode/utf8"
)

// Decode reads the body of one POST in any of the three shapes, told apart by the JSON alone. It returns one Report for each
// element of a batch, in order; an element that is not a report has an empty Type, so that one bad element costs no other.
// An error is one of the Err values and means that nothing of the body was read. Decode keeps nothing of body.
func Decode(body []byte) ([]Report, error) {
	if len(body) > MaxBatchBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(body), MaxBatchBytes)
	}
	body = bytes.TrimSpace(body)
	if !utf8.Valid(body) {
		// No browser sends that. U+FFFD instead of a byte would make the body three times as large.
		body = bytes.ToValidUTF8(body, []byte("?"))
	}
	if !wellFormed(body) {
		return nil, cmp.Or(checkNesting(body), ErrNotJSON)
	}
	switch body[0] {
	case '[':
		return decodeBatch(body)
	case '{':
		return decodeObject(body)
	}
	return nil, ErrNotReport
}

// decodeBatch stops at the first element too many: a megabyte of small ones would take a hundred in memory.
func decodeBatch(body []byte) ([]Report, error) {
	reports := []Report{}
	for element := range elements(body) {
		if len(reports) == MaxReports {
			return nil, fmt.Errorf("%w: more than %d", ErrTooMany, MaxReports)
		}
		r, _ := decodeReport(element) // the zero Report says that it was none
		reports = append(reports, r)
	}
	return reports, nil
}

func decodeObject(body []byte) ([]Report, error) {
	if len(body) > MaxObjectBytes {
		return nil, fmt.Errorf("%w: one report of %d bytes, at most %d", ErrTooLarge, len(body), MaxObjectBytes)
	}
	r, ok := decodeReport(body)
	if !ok {
		return nil, ErrNotReport
	}
	return []Report{r}, nil
}

// envelope has what is around a body in all three shapes. The bodies are nil if they are no objects.
type envelope struct {
	report       Report
	body, legacy []byte
}

func decodeEnvelope(data []byte) (e envelope) {
	for key, value := range members(data) {
		switch string(key) {
		case "type":
			e.report.Type = decodeText(value)
		case "url":
			e.report.URL = decodeURL(value)
		case "age":
			e.report.Age = min(time.Duration(decodeNumber(value))*time.Millisecond, maxAge)
		case "useragent":
			e.report.UserAgent = decodeText(value)
		case "body":
			e.body = object(value)
		case "cspreport":
			e.legacy = object(value)
		}
	}
	return e
}

// object returns the value if it is a JSON object, else nil.
func object(value []byte) []byte {
	if value[0] != '{' {
		return nil
	}
	return value
}

// decodeReport reads one value and reports whether it is a report.
func decodeReport(data []byte) (Report, bool) {
	if data[0] != '{' {
		return Report{}, false
	}
	e := decodeEnvelope(data)
	r := e.report
	switch {
	case e.legacy != nil:
		r.Type, r.Violation = TypeViolation, decodeViolation(e.legacy)
	case r.Type == "":
		// Some senders leave out the "csp-report" around the legacy members.
		r.Type, r.Violation = TypeViolation, decodeViolation(data)
		if r.Violation.Directive == "" || r.Violation.DocumentURL == "" {
			return Report{}, false
		}
	case e.body == nil:
		return r, true
	case r.Type == TypeViolation:
		r.Violation = decodeViolation(e.body)
	default:
		r.Body = cleanJSON(e.body)
		r.Detail = decodeDetail(r.Type, r.Body)
		return r, true
	}
	r.URL = first(r.URL, r.Violation.DocumentURL)
	r.Violation.DocumentURL = first(r.Violation.DocumentURL, r.URL)
	return r, true
}

// first returns the first of its arguments that is not empty.
func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
