package report

import (
	"math"
	"time"
)

// decodeDetail reads the clean body of a report of one of the known types; for any other it returns nil.
func decodeDetail(kind string, body []byte) Detail {
	read, ok := detailReader(kind)
	if !ok {
		return nil
	}
	m := detailMembers{}
	for key, value := range members(body) {
		if len(key) > 0 {
			m[string(key)] = value
		}
	}
	return read(m)
}

func detailReader(kind string) (func(detailMembers) Detail, bool) {
	switch kind {
	case TypeHash:
		return readHash, true
	case TypeCOOP:
		return readCOOP, true
	case TypeCOEP:
		return readCOEP, true
	case TypePermissionsPolicy:
		return readPermissionsPolicy, true
	case TypePotentialPermissionsPolicy:
		return readPotentialPermissionsPolicy, true
	case TypeDocumentPolicy:
		return readDocumentPolicy, true
	case TypeDeprecation:
		return readDeprecation, true
	case TypeIntervention:
		return readIntervention, true
	case TypeCrash:
		return readCrash, true
	case TypeIntegrity:
		return readIntegrity, true
	case TypeNetworkError:
		return readNetworkError, true
	}
	return nil, false
}

// detailMembers are the members of a body by their folded keys, see members.
type detailMembers map[string][]byte

// text returns the first of the members that is a text and not empty: browsers and versions of specifications have
// different names for one thing.
func (m detailMembers) text(keys ...string) string {
	for _, key := range keys {
		if value := m[key]; value != nil {
			if s := decodeText(value); s != "" {
				return s
			}
		}
	}
	return ""
}

func (m detailMembers) url(keys ...string) string {
	for _, key := range keys {
		if value := m[key]; value != nil {
			if s := decodeURL(value); s != "" {
				return s
			}
		}
	}
	return ""
}

func (m detailMembers) number(keys ...string) int {
	for _, key := range keys {
		if value := m[key]; value != nil {
			if n := decodeNumber(value); n != 0 {
				return n
			}
		}
	}
	return 0
}

func (m detailMembers) disposition() Disposition { return ParseDisposition(m.text("disposition")) }

// place returns the source file, line and column. A column without a line means nothing.
func (m detailMembers) place() (file string, line, column int) {
	file = m.url("sourcefile")
	if line = m.number("linenumber", "lineno", "line"); line > 0 {
		column = m.number("columnnumber", "colno", "column")
	}
	return file, line, column
}

func readHash(m detailMembers) Detail {
	return &Hash{
		DocumentURL:    m.url("documenturl"),
		SubresourceURL: m.url("subresourceurl"),
		Hash:           m.text("hash"),
		Destination:    m.text("destination"),
	}
}

func readCOOP(m detailMembers) Detail {
	d := &COOP{
		Disposition:      m.disposition(),
		EffectivePolicy:  m.text("effectivepolicy"),
		Violation:        m.text("type", "violation", "violationtype"),
		PreviousURL:      m.url("previousresponseurl", "previousurl"),
		NextURL:          m.url("nextresponseurl", "nexturl"),
		Referrer:         m.url("referrer"),
		Property:         m.text("property"),
		OpenerURL:        m.url("openerurl"),
		OpeneeURL:        m.url("openeeurl"),
		OtherDocumentURL: m.url("otherdocumenturl"),
		InitialPopupURL:  m.url("initialpopupurl"),
	}
	d.SourceFile, d.Line, d.Column = m.place()
	return d
}

func readCOEP(m detailMembers) Detail {
	return &COEP{
		Disposition: m.disposition(),
		Violation:   m.text("type", "violation", "violationtype"),
		BlockedURL:  m.url("blockedurl"),
		Destination: m.text("destination"),
	}
}

func readPermissionsPolicy(m detailMembers) Detail {
	d := &PermissionsPolicy{
		Disposition:    m.disposition(),
		Feature:        m.text("featureid", "policyid", "feature"),
		Message:        m.text("message"),
		AllowAttribute: m.text("allowattribute"),
		SrcAttribute:   m.text("srcattribute"),
	}
	d.SourceFile, d.Line, d.Column = m.place()
	return d
}

func readPotentialPermissionsPolicy(m detailMembers) Detail {
	d := readPermissionsPolicy(m).(*PermissionsPolicy)
	d.Potential = true
	return d
}

func readDocumentPolicy(m detailMembers) Detail {
	d := &DocumentPolicy{
		Disposition: m.disposition(),
		Policy:      m.text("policyid", "featureid", "policy"),
		Message:     m.text("message"),
	}
	d.SourceFile, d.Line, d.Column = m.place()
	return d
}

func readDeprecation(m detailMembers) Detail {
	d := &Deprecation{
		ID:      m.text("id"),
		Message: m.text("message"),
		Removal: m.date("anticipatedremoval"),
	}
	d.SourceFile, d.Line, d.Column = m.place()
	return d
}

func readIntervention(m detailMembers) Detail {
	d := &Intervention{ID: m.text("id"), Message: m.text("message")}
	d.SourceFile, d.Line, d.Column = m.place()
	return d
}

func readCrash(m detailMembers) Detail {
	top := m["istoplevel"]
	return &Crash{
		Reason:     m.text("reason"),
		Visibility: m.text("visibilitystate"),
		TopLevel:   top != nil && decodeBool(top),
	}
}

func readIntegrity(m detailMembers) Detail {
	d := &Integrity{
		Disposition: m.disposition(),
		DocumentURL: m.url("documenturl"),
		BlockedURL:  m.url("blockedurl"),
		Destination: m.text("destination"),
		Reason:      m.text("reason"),
	}
	// The only type that tells its disposition as a truth value.
	if only := m["reportonly"]; only != nil && d.Disposition == DispositionUnknown {
		if d.Disposition = Enforce; decodeBool(only) {
			d.Disposition = ReportOnly
		}
	}
	return d
}

func readNetworkError(m detailMembers) Detail {
	return &NetworkError{
		Phase:            m.text("phase"),
		Type:             m.text("type"),
		Protocol:         m.text("protocol"),
		ServerIP:         m.text("serverip"),
		Method:           m.text("method"),
		Referrer:         m.url("referrer"),
		StatusCode:       m.number("statuscode"),
		Elapsed:          time.Duration(m.number("elapsedtime")) * time.Millisecond,
		SamplingFraction: m.fraction("samplingfraction"),
	}
}

// minFraction bounds for how many requests one report may speak: anybody can write 1e-300.
const minFraction = 1e-6

// fraction returns 1 for what is no fraction.
func (m detailMembers) fraction(key string) float64 {
	if value := m[key]; value != nil {
		if f := decodeFloat(value); f >= minFraction && f <= 1 {
			return f
		}
	}
	return 1
}

// date returns a day or time in one of the forms that were in use, the zero time if it is none or not in the years 1970 to 9999.
func (m detailMembers) date(key string) time.Time {
	value := m[key]
	if value == nil {
		return time.Time{}
	}
	if ms := decodeFloat(value); ms > 0 && ms <= math.MaxInt64 { // since 1970, in early Chromium
		return bound(time.UnixMilli(int64(ms)))
	}
	text := decodeText(value)
	for _, layout := range [...]string{time.RFC3339Nano, time.DateOnly, "1/2/2006"} {
		if t, err := time.Parse(layout, text); err == nil {
			return bound(t)
		}
	}
	return time.Time{}
}

func bound(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Millisecond)
	if t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
