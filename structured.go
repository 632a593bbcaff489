package merlon

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/internal/field"
)

// One syntax mistake makes browsers drop a whole structured field (RFC 9651 §4.2).

func notStructured(v string, err error) error {
	return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: "browsers drop the whole header: " + err.Error()}
}

// dictionary reads a header whose members have keys of their own.
func dictionary(v string) (field.Dictionary, error) {
	d, err := field.ParseDictionary(v)
	switch {
	case err != nil:
		return nil, notStructured(v, err)
	case len(d.Duplicates()) > 0:
		return nil, &cfgerrors.Error{Code: cfgerrors.DuplicateKey, Value: d.Duplicates()[0], Text: "browsers use the last of two entries with one name"}
	case len(d) == 0:
		return nil, &cfgerrors.Error{Code: cfgerrors.Missing, Value: v, Text: "no entry", Hint: "to send none write off"}
	}
	return d, nil
}

var quotedOrigin = regexp.MustCompile(`^(https?|wss?)://(\*\.)?[a-z0-9.-]+(:([0-9]+|\*))?$`)

// checkPermissions reads Permissions-Policy: for each feature an allow-list, and where violations go.
// https://www.w3.org/TR/permissions-policy/#structured-header-serialization
func checkPermissions(c *Config, v string) error {
	d, err := dictionary(v)
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range d {
		list, inner := m.Value.(field.Inner)
		if !inner {
			list = field.Inner{m.Item}
		}
		for _, item := range list {
			if !allowed(item.Value) {
				errs = append(errs, &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: m.Key, Text: "no allow-list that browsers read",
					Hint: fmt.Sprintf(`write %s=(), %[1]s=(self) or %[1]s=(self "https://partner.example")`, m.Key)})
				break
			}
		}
		errs = append(errs, c.checkReportTo(m.Item))
	}
	return errors.Join(errs...)
}

func allowed(v any) bool {
	switch v := v.(type) {
	case field.Token:
		return v == "*" || v == "self" || v == "src"
	case string:
		return quotedOrigin.MatchString(v)
	}
	return false
}

// checkReportTo holds the report-to parameter of an item against the endpoints.
func (c *Config) checkReportTo(item field.Item) error {
	var errs []error
	for _, p := range item.Params {
		name, isString := p.Value.(string)
		word, isToken := p.Value.(field.Token)
		switch {
		case p.Key != "report-to":
			errs = append(errs, &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: p.Key, Text: "browsers know no such parameter", Hint: `write report-to="endpoint"`})
		case isString:
			errs = append(errs, c.checkEndpoint(name))
		case isToken:
			errs = append(errs, &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: string(word), Text: "an endpoint's name stands in quotes here", Hint: fmt.Sprintf("write report-to=%q", word)})
		default:
			errs = append(errs, &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: p.Key, Text: "no endpoint is named", Hint: `write report-to="endpoint"`})
		}
	}
	return errors.Join(errs...)
}

// policyItem reads a header that is one token with a report-to.
func (c *Config) policyItem(v string, values ...string) error {
	item, err := field.ParseItem(v)
	if err != nil {
		return notStructured(v, err)
	}
	word, _ := item.Value.(field.Token)
	return errors.Join(oneOf(string(word), values...), c.checkReportTo(item))
}

// https://html.spec.whatwg.org/#the-coop-headers
func checkOpener(c *Config, v string) error {
	return c.policyItem(v, "same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none")
}

// https://html.spec.whatwg.org/#the-coep-headers
func checkEmbedder(c *Config, v string) error {
	return c.policyItem(v, "require-corp", "credentialless", "unsafe-none")
}

// https://w3c.github.io/webappsec-subresource-integrity/#parse-integrity-policy
func checkIntegrity(c *Config, v string) error {
	d, err := dictionary(v)
	if err != nil {
		return err
	}
	known := map[string][]string{"blocked-destinations": {"script", "style"}, "sources": {"inline"}, "endpoints": sortedKeys(c.Endpoints)}
	var errs []error
	for _, m := range d {
		values, ok := known[m.Key]
		list, inner := m.Value.(field.Inner)
		if !ok || !inner {
			errs = append(errs, &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: m.Key, Text: "browsers read blocked-destinations, sources and endpoints, each a list in parentheses",
				Hint: "write blocked-destinations=(script)"})
			continue
		}
		for _, item := range list {
			word, _ := item.Value.(field.Token)
			switch {
			case slices.Contains(values, string(word)):
			case m.Key == "endpoints":
				errs = append(errs, c.checkEndpoint(string(word)))
			default:
				errs = append(errs, &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: m.Key, Text: "browsers ignore other values than " + strings.Join(values, " and ")})
			}
		}
	}
	if blocked, ok := d.Get("blocked-destinations"); !ok || len(asInner(blocked)) == 0 {
		errs = append(errs, &cfgerrors.Error{Code: cfgerrors.Missing, Value: v, Text: "nothing is blocked", Hint: "write blocked-destinations=(script)"})
	}
	return errors.Join(errs...)
}

func asInner(item field.Item) field.Inner {
	list, _ := item.Value.(field.Inner)
	return list
}

// https://wicg.github.io/document-policy/#document-policy-http-header
func checkDocumentPolicy(c *Config, v string) error {
	d, err := dictionary(v)
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range d {
		for _, p := range m.Params {
			if name, ok := p.Value.(string); p.Key == "report-to" && ok {
				errs = append(errs, c.checkEndpoint(name))
			}
		}
	}
	return errors.Join(errs...)
}

// clearSiteData turns words into the header's strings. https://www.w3.org/TR/clear-site-data/#header
func clearSiteData(v string) (string, error) {
	var out []string
	for word := range strings.SplitSeq(v, ",") {
		word = strings.Trim(strings.TrimSpace(word), `"`)
		if !slices.Contains([]string{"cache", "cookies", "storage", "executionContexts", "clientHints", "prefetchCache", "prerenderCache", "*"}, word) {
			return "", &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: word, Text: "browsers clear nothing of this name", Hint: "write cookies, storage"}
		}
		out = append(out, `"`+word+`"`)
	}
	return strings.Join(out, ", "), nil
}

// isKey reports whether s can be the key of a dictionary, and so the name of an endpoint.
func isKey(s string) bool {
	d, err := field.ParseDictionary(s)
	return err == nil && len(d) == 1 && d[0].Key == s
}
