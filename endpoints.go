package merlon

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/internal/field"
)

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// checkEndpoints checks the Reporting API: every name that something reports to needs an endpoint.
func (c *Config) checkEndpoints() error {
	var errs []error
	for _, name := range sortedKeys(c.Endpoints) {
		if !isKey(name) {
			errs = append(errs, &cfgerrors.Error{Field: "reporting-endpoints." + name, Code: cfgerrors.Syntax, Text: "no name of an endpoint", Hint: "use lower-case letters, digits and hyphens"})
		}
		if v := c.Endpoints[name]; v == "" || v == Remove {
			errs = append(errs, &cfgerrors.Error{Field: "reporting-endpoints." + name, Code: cfgerrors.Missing, Text: "no URL"})
		} else {
			errs = append(errs, cfgerrors.Under("reporting-endpoints."+name, checkReports(v)))
		}
	}
	if c.ReportTo != "" && c.ReportTo != Remove {
		errs = append(errs, cfgerrors.Under("report-to", c.checkEndpoint(c.ReportTo)))
	}
	return errors.Join(append(errs, cfgerrors.Under("nel", c.checkNEL()))...)
}

func (c *Config) checkEndpoint(name string) error {
	if c.Endpoints[name] != "" {
		return nil
	}
	return &cfgerrors.Error{Code: cfgerrors.Missing, Value: name, Text: "no endpoint has this name, so that nothing would arrive",
		Hint: fmt.Sprintf("write reporting-endpoints: {%s: https://...}", name)}
}

func (c *Config) checkNEL() error {
	age, err := parseAge(c.NetworkErrors)
	if err != nil || age == 0 {
		return err
	}
	if url := c.nelEndpoint(); !strings.HasPrefix(url, "https://") {
		return &cfgerrors.Error{Code: cfgerrors.Missing, Value: url, Text: "reports of network errors go to an absolute URL, which should be of another host",
			Hint: "write reporting-endpoints: {network-errors: https://reports.example/r}"}
	}
	return nil
}

func (c *Config) nelEndpoint() string {
	if url := c.Endpoints["network-errors"]; url != "" {
		return url
	}
	return c.Endpoints["default"]
}

// reporting returns the headers of the Reporting API. Browsers take them over HTTPS only.
func (c *Config) reporting() []fixed {
	var out []fixed
	var members []string
	for _, name := range sortedKeys(c.Endpoints) {
		url, _ := field.String(c.Endpoints[name]) // checkReports lets nothing pass that a header cannot say
		members = append(members, name+"="+url)
	}
	if members != nil {
		out = append(out, fixed{name: "Reporting-Endpoints", value: strings.Join(members, ", ")})
	}
	if age, _ := parseAge(c.NetworkErrors); age > 0 {
		seconds := int64(age / time.Second)
		out = append(out,
			fixed{name: "Nel", value: fmt.Sprintf(`{"report_to":"network-errors","max_age":%d}`, seconds)},
			fixed{name: "Report-To", value: fmt.Sprintf(`{"group":"network-errors","max_age":%d,"endpoints":[{"url":%q}]}`, seconds, c.nelEndpoint())})
	}
	return out
}
