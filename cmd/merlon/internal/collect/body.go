package collect

import (
	"encoding/json"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// cleaned is a report as it is kept: one form for all types and browsers, with nothing in it that may be somebody's.
type cleaned struct {
	Schema      int               `json:"schema"`
	Type        string            `json:"type"`
	Document    string            `json:"document,omitempty"`
	Referrer    string            `json:"referrer,omitempty"`
	Directive   string            `json:"directive"`
	Disposition string            `json:"disposition"`
	Blocked     string            `json:"blocked,omitempty"`
	Source      string            `json:"source,omitempty"`
	Line        int               `json:"line,omitempty"`
	Column      int               `json:"column,omitempty"`
	Sample      string            `json:"sample,omitempty"`
	Status      int               `json:"status,omitempty"`
	Policy      string            `json:"policy,omitempty"` // the hash, see the table of policies
	Browser     string            `json:"browser,omitempty"`
	Age         int64             `json:"age,omitempty"` // milliseconds between the event and the report
	Verdict     string            `json:"verdict"`
	Rule        string            `json:"rule,omitempty"`
	Detail      map[string]string `json:"detail,omitempty"` // what only this type has
}

const bodySchema = 1

// maxURL is the length of an address in a body, in bytes. A host has 253 at most.
const maxURL = 512

// body returns the cleaned report as JSON, of maxBody bytes at most.
func (e *event) body(site *hosts, h *store.Hit) string {
	address := func(s string) string { return cut(site.address(s), maxURL) }
	c := cleaned{
		Schema: bodySchema, Type: e.kind, Directive: e.directive, Disposition: e.disposition.String(), Document: address(documentURL(e.rep)),
		Referrer: address(e.referrer), Blocked: address(e.blocked), Source: address(e.source), Line: e.line, Column: e.col, Sample: h.Sample,
		Policy: h.Policy, Browser: h.Browser, Age: e.rep.Age.Milliseconds(), Verdict: string(h.Verdict), Rule: h.Rule,
	}
	if v := e.rep.Violation; v != nil {
		c.Status = v.StatusCode
	} else {
		c.Detail = e.details(address)
		if e.blockedAt == nil && e.rep.Detail != nil {
			c.Blocked = word(e.blocked) // an id
		}
	}
	data, err := json.Marshal(c)
	if err == nil && len(data) > maxBody {
		c.Detail = nil
		data, err = json.Marshal(c)
	}
	if err != nil || len(data) > maxBody {
		return ""
	}
	return string(data)
}

// details are the members that only one type has. Of reports of unknown types nothing is kept: what their members hold is not known either.
func (e *event) details(address func(string) string) map[string]string {
	m := map[string]string{}
	put := func(name, value string) {
		if value != "" {
			m[name] = value
		}
	}
	switch d := e.rep.Detail.(type) {
	case *report.Hash:
		put("hash", sourceHash(d.Hash))
		put("destination", word(d.Destination))
	case *report.COOP:
		put("effectivePolicy", word(d.EffectivePolicy))
		put("property", word(d.Property))
	case *report.COEP:
		put("destination", word(d.Destination))
	case *report.PermissionsPolicy:
		put("message", sample(d.Message))
		put("allow", sample(d.AllowAttribute))
		put("src", address(d.SrcAttribute))
	case *report.DocumentPolicy:
		put("message", sample(d.Message))
	case *report.Deprecation:
		put("message", sample(d.Message))
		if !d.Removal.IsZero() {
			put("removal", d.Removal.Format("2006-01-02"))
		}
	case *report.Intervention:
		put("message", sample(d.Message))
	case *report.Crash:
		put("visibility", word(d.Visibility))
	case *report.Integrity:
		put("destination", word(d.Destination))
		put("reason", word(d.Reason))
	case *report.NetworkError:
		put("protocol", word(d.Protocol))
		put("method", word(d.Method))
		put("status", networkError(d))
	}
	return m
}

// sourceHash keeps the hash of a script, which everybody can load.
func sourceHash(s string) string {
	if len(s) > 100 {
		return ""
	}
	for _, kind := range [...]string{"sha256-", "sha384-", "sha512-"} {
		if digest, ok := strings.CutPrefix(s, kind); ok && strings.Trim(digest, base64Characters) == "" {
			return s
		}
	}
	return ""
}

const base64Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="
