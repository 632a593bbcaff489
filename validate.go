package merlon

import (
	"errors"
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/csp"
	"github.com/merlon-sec/merlon/internal/cookie"
)

// nonceToken is the word in a policy's text that becomes a nonce.
const nonceToken = "'nonce'"

// check normalises what a Config says about every response and reports all its mistakes. Routes are checked apart.
func (c *Config) check() error {
	var errs []error
	at := func(field string, err error) { errs = append(errs, cfgerrors.Under(field, err)) }
	var err error
	if c.Frame, err = c.Frame.normalize(); err != nil {
		base, _ := preset(c.Preset)
		c.Frame = base.Frame // for the comparison with routes
	}
	at("frame", err)
	at("csp", checkPolicy(c.CSP))
	at("trial", checkPolicy(c.Trial))
	at("reports", checkReports(c.Reports))
	at("report-sample", second(parseShare(c.ReportSample)))
	at("trial-sample", second(parseShare(c.TrialSample)))
	at("", c.checkEndpoints())
	at("nonce-cache", checkNonceCache(c.NonceCache))
	for i := range headers {
		at(headers[i].field, headers[i].checkIn(c))
	}
	at("headers", errors.Join(c.checkHeaders()...))
	at("mandatory", c.checkMandatory())
	at("cookies", c.Cookies.check())
	at("https", c.HTTPS.check(c.Hosts))
	at("hosts", checkHosts(c.Hosts))
	at("health", second(compilePatterns(c.Health, false)))
	return errors.Join(errs...)
}

// second is for checks that compile and throw the result away.
func second[T any](_ T, err error) error { return err }

// checkIn checks the header's value in c.
func (h *header) checkIn(c *Config) error {
	v := *h.value(c)
	if v == "" || v == Remove {
		return nil
	}
	if !printable(v) {
		return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: "a header value is printable ASCII"}
	}
	return h.check(c, v)
}

func (c *Config) checkMandatory() error {
	var errs []error
	for i, name := range c.Mandatory {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		value, custom := c.Headers[name]
		known := canonical == headerCSP || canonical == headerXFO || headerNamed(name) != nil || custom && value != Remove
		if !known {
			errs = append(errs, &cfgerrors.Error{Field: fmt.Sprintf("[%d]", i), Code: cfgerrors.InvalidValue, Value: name, Text: "no header that this configuration sends",
				Hint: "write the header's name, such as Referrer-Policy"})
		}
	}
	return errors.Join(errs...)
}

// parseShare reads a share such as "10%". Empty means all.
func parseShare(v string) (float64, error) {
	if v == "" {
		return 1, nil
	}
	if v == Remove {
		return 0, nil
	}
	number, ok := strings.CutSuffix(v, "%")
	percent, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(percent >= 0 && percent <= 100) {
		return 1, &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: "no share of the responses", Hint: "write 10%"}
	}
	return percent / 100, nil
}

func (k Cookies) check() error {
	var errs []error
	bad := func(field string, code cfgerrors.Code, value, text, hint string) {
		errs = append(errs, &cfgerrors.Error{Field: field, Code: code, Value: value, Text: text, Hint: hint})
	}
	if k.SameSite != "" && !slices.Contains([]string{"Lax", "Strict", "None"}, k.SameSite) {
		bad("same-site", cfgerrors.InvalidValue, k.SameSite, "browsers ignore this value", "write Lax, Strict or None")
	}
	if k.SameSite == "None" && !k.Secure {
		bad("same-site", cfgerrors.Conflict, k.SameSite, "browsers refuse None without Secure", "write secure: true as well")
	}
	if k.Partitioned && !k.Secure {
		bad("partitioned", cfgerrors.Conflict, "", "browsers refuse Partitioned without Secure", "write secure: true as well")
	}
	if len(k.Only) > 0 && len(k.Except) > 0 {
		bad("except", cfgerrors.Conflict, "", "only names the cookies already", "write one of the two")
	}
	for _, list := range []struct {
		field string
		names []string
	}{{"only", k.Only}, {"except", k.Except}} {
		for i, name := range list.names {
			if !token.MatchString(name) {
				bad(fmt.Sprintf("%s[%d]", list.field, i), cfgerrors.InvalidValue, name, "no name of a cookie", "")
			}
		}
		if len(list.names) > 0 && !k.Secure && !k.HTTPOnly && !k.Partitioned && k.SameSite == "" {
			bad(list.field, cfgerrors.Missing, "", "nothing is asked of these cookies", "write secure: true, http-only: true or same-site: Lax")
		}
	}
	return errors.Join(errs...)
}

func checkPolicy(text string) error {
	if text == "" || text == Remove {
		return nil
	}
	var errs []error
	p := csp.Parse(text)
	if len(p.Directives) == 0 {
		errs = append(errs, &cfgerrors.Error{Code: cfgerrors.Missing, Value: text, Text: "no directive", Hint: "to send no policy write off"})
	}
	if _, ok := p.Get("frame-ancestors"); ok {
		errs = append(errs, &cfgerrors.Error{Field: "frame-ancestors", Code: cfgerrors.MisplacedFraming,
			Text: "framing is one setting, so that X-Frame-Options says the same", Hint: "write frame: deny, self or {by: [origins]}"})
	}
	for _, name := range []string{"report-uri", "report-to"} {
		if _, ok := p.Get(name); ok {
			errs = append(errs, &cfgerrors.Error{Field: name, Code: cfgerrors.MisplacedReporting,
				Text: "where violations go is one setting for all policies", Hint: "write reports: /path or reports: https://..."})
		}
	}
	for _, d := range p.Directives {
		if slices.Contains(d.Value, nonceToken) && !takesNonce(d.Name) {
			errs = append(errs, &cfgerrors.Error{Field: d.Name, Code: cfgerrors.InvalidSource, Value: nonceToken, Text: "a nonce means nothing here",
				Hint: "nonces are for script-src and style-src, their -elem forms and default-src"})
		}
		if slices.Contains(d.Value, hashesToken) && !takesHashes(d.Name) {
			errs = append(errs, &cfgerrors.Error{Field: d.Name, Code: cfgerrors.InvalidSource, Value: hashesToken, Text: "hashes of inline code mean nothing here",
				Hint: "they are for script-src and style-src, their -elem and -attr forms and default-src"})
		}
	}
	return errors.Join(append(errs, csp.Check(text, nonceToken, hashesToken))...)
}

func takesNonce(directive string) bool {
	switch directive {
	case "default-src", "script-src", "script-src-elem", "style-src", "style-src-elem":
		return true
	}
	return false
}

func checkReports(v string) error {
	u, err := url.Parse(v)
	plain := err == nil && u.User == nil && printable(v) && !strings.ContainsAny(v, ` #;,"'\`)
	path := plain && u.Scheme == "" && u.Host == "" && strings.HasPrefix(v, "/") && !strings.HasPrefix(v, "//")
	if v == "" || v == Remove || path || plain && u.Scheme == "https" && u.Host != "" {
		return nil
	}
	return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: "violations go to a path of the site or to an https URL", Hint: "write /.merlon/r"}
}

func checkNonceCache(v string) error {
	if v == "no-store" || v == "private" {
		return nil
	}
	return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: "documents with a nonce are never for shared caches", Hint: "write no-store or private"}
}

func printable(v string) bool {
	return !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' })
}

// parseAge reads "365d", "24h" or "off" (0).
func parseAge(v string) (time.Duration, error) {
	if v == "" || v == Remove {
		return 0, nil
	}
	bad := func(text, hint string) error {
		return &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: v, Text: text, Hint: hint}
	}
	age, err := time.ParseDuration(v)
	if days, ok := strings.CutSuffix(v, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		age = time.Duration(n) * 24 * time.Hour
	}
	seconds, notNumber := strconv.ParseUint(v, 10, 32)
	switch {
	case err != nil && notNumber == nil:
		return 0, bad("a number without its unit", fmt.Sprintf("write %dd, or %s if these are seconds", seconds, inDays(seconds)))
	case err != nil:
		return 0, bad("no length of time", "write days as 365d or hours as 24h")
	case age < time.Second:
		return 0, bad("no time at all", "to send nothing write off")
	}
	return age, nil
}

func (k Cookies) rule() *cookie.Rule {
	if !k.Secure && !k.HTTPOnly && !k.Partitioned && k.SameSite == "" {
		return nil
	}
	return &cookie.Rule{Secure: k.Secure, HTTPOnly: k.HTTPOnly, SameSite: k.SameSite, Partitioned: k.Partitioned, Only: k.Only, Except: k.Except}
}

// inDays writes seconds as parseAge reads them, in days where they are whole.
func inDays(seconds uint64) string {
	const day = 24 * 60 * 60
	if seconds >= day && seconds%day == 0 {
		return fmt.Sprintf("%dd", seconds/day)
	}
	return fmt.Sprintf("%ds", seconds)
}
