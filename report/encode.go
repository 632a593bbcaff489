package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// EncodeLegacy writes a violation as browsers send it to a report-uri. What Decode has returned is read back as it was. The error
// is ErrTooLarge for one that no browser would send.
// See https://www.w3.org/TR/CSP3/#deprecated-serialize-violation.
func EncodeLegacy(v *Violation) ([]byte, error) {
	members := violationMembers(v, legacyNames())
	body, err := marshal(map[string]any{"csp-report": members})
	if err != nil {
		return nil, err
	}
	if len(body) > MaxObjectBytes {
		return nil, fmt.Errorf("%w: one report of %d bytes, at most %d", ErrTooLarge, len(body), MaxObjectBytes)
	}
	return body, nil
}

// Encode writes reports as browsers that know the Reporting API send them. A body is taken from Violation, else from Body, else
// from Detail. What Decode has returned is read back as it was; the zero Report is null, which is no report either. An error is
// one of the Err values: what Encode returns, Decode accepts.
// See https://www.w3.org/TR/reporting-1/#serialize-reports.
func Encode(reports []Report) ([]byte, error) {
	if len(reports) > MaxReports {
		return nil, fmt.Errorf("%w: %d, at most %d", ErrTooMany, len(reports), MaxReports)
	}
	batch := make([]any, len(reports))
	for i, r := range reports {
		element, err := encodeReport(r)
		if err != nil {
			return nil, fmt.Errorf("report %d: %w", i, err)
		}
		batch[i] = element
	}
	data, err := marshal(batch)
	if err != nil {
		return nil, err
	}
	if len(data) > MaxBatchBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), MaxBatchBytes)
	}
	if err := checkNesting(data); err != nil {
		return nil, err
	}
	return data, nil
}

// encodeReport returns nil for the zero Report.
func encodeReport(r Report) (any, error) {
	if r.Type == "" {
		if r.Violation != nil || r.Detail != nil || r.Body != nil {
			return nil, fmt.Errorf("%w: it has no Type", ErrNotReport)
		}
		return nil, nil
	}
	body, err := encodeBody(r)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"type": r.Type, "url": r.URL, "age": r.Age.Milliseconds(), "user_agent": r.UserAgent, "body": body,
	}, nil
}

func encodeBody(r Report) (any, error) {
	switch {
	case r.Type == TypeViolation:
		if r.Violation == nil {
			return nil, nil
		}
		return violationMembers(r.Violation, camelNames()), nil
	case r.Violation != nil:
		return nil, fmt.Errorf("%w: its Type is %q and it has a Violation", ErrNotReport, r.Type)
	case r.Body != nil:
		if !json.Valid(r.Body) || r.Body[0] != '{' {
			return nil, fmt.Errorf("%w: its Body is not an object", ErrNotJSON)
		}
		return r.Body, nil
	case r.Detail == nil:
		return nil, nil
	}
	kind, members := r.Detail.encode()
	if kind != r.Type {
		return nil, fmt.Errorf("%w: its Type is %q and its Detail that of %q", ErrNotReport, r.Type, kind)
	}
	return dropZeros(members), nil
}

// marshal writes JSON as browsers do, without escapes for HTML: with them, a body could outgrow the limit that it came within.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, errors.Join(ErrNotJSON, err)
	}
	return bytes.TrimSpace(out.Bytes()), nil
}

// names are the keys of a violation in one of the two formats.
type names struct {
	document, referrer, blocked, effective, violated, policy, disposition, sample, source, status, line, column string
}

func legacyNames() names {
	return names{
		"document-uri", "referrer", "blocked-uri", "effective-directive", "violated-directive", "original-policy", "disposition",
		"script-sample", "source-file", "status-code", "line-number", "column-number",
	}
}

func camelNames() names {
	return names{
		"documentURL", "referrer", "blockedURL", "effectiveDirective", "", "originalPolicy", "disposition",
		"sample", "sourceFile", "statusCode", "lineNumber", "columnNumber",
	}
}

func violationMembers(v *Violation, n names) encoded {
	m := encoded{
		n.document: v.DocumentURL, n.referrer: v.Referrer, n.blocked: v.BlockedURL, n.effective: v.Directive,
		n.policy: v.OriginalPolicy, n.disposition: v.Disposition, n.sample: v.Sample, n.source: v.SourceFile,
		n.status: v.StatusCode, n.line: v.Line, n.column: v.Column,
	}
	if n.violated != "" {
		m[n.violated] = v.Directive
	}
	return dropZeros(m)
}

// encoded are the members of a body.
type encoded map[string]any

// dropZeros leaves out what is not known, as Chromium does, and spells dispositions and times.
func dropZeros(m encoded) encoded {
	for key, value := range m {
		switch value := value.(type) {
		case string:
			if value == "" {
				delete(m, key)
			}
		case int:
			if value == 0 {
				delete(m, key)
			}
		case Disposition:
			if m[key] = value.String(); value == DispositionUnknown {
				delete(m, key)
			}
		case time.Time:
			if m[key] = value.UTC().Format("2006-01-02T15:04:05.000Z07:00"); value.IsZero() {
				delete(m, key)
			}
		}
	}
	return m
}
