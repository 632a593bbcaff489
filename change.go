package merlon

import (
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/csp"
)

// Change is one thing that a route, or one response, does differently. The functions of this package that return it make one.
type Change struct {
	text  string // as a program writes it
	apply func(c *Config, policies []*string) error
	on    target

	header bool // is about a header, whose loosening wants a reason
}

// target says which policies a change is for.
type target uint8

const (
	both target = iota
	enforcedOnly
	trialOnly
)

// OnEnforced returns the change for the enforced policy alone.
func (ch Change) OnEnforced() Change {
	ch.text, ch.on = ch.text+".OnEnforced()", enforcedOnly
	return ch
}

// OnTrial returns the change for the trial alone.
func (ch Change) OnTrial() Change { ch.text, ch.on = ch.text+".OnTrial()", trialOnly; return ch }

// policyChange makes a change of policies, which can be for one of them.
func policyChange(text string, apply func(c *Config, policies []*string) error) Change {
	return Change{text: text, apply: apply}
}

// change makes one of something else.
func change(text string, apply func(c *Config) error) Change {
	return Change{text: text, apply: func(c *Config, policies []*string) error {
		if len(policies) < 2 {
			return &cfgerrors.Error{Code: cfgerrors.Conflict, Value: text, Text: "only changes of policies can be for one of them", Hint: "leave out OnEnforced and OnTrial"}
		}
		return apply(c)
	}}
}

func (ch Change) applyTo(c *Config) error {
	if ch.apply == nil {
		return &cfgerrors.Error{Code: cfgerrors.Missing, Text: "an empty Change", Hint: "make changes with FrameBy, Allow and their like"}
	}
	policies := []*string{&c.CSP, &c.Trial}
	switch ch.on {
	case enforcedOnly:
		policies = policies[:1]
	case trialOnly:
		policies = policies[1:]
	}
	return ch.apply(c, policies)
}

// FrameBy lets the pages of these origins frame the route, such as https://partner.example.
func FrameBy(origins ...string) Change {
	text := fmt.Sprintf("FrameBy(%q)", origins)
	if f := Frame(origins); f.is("deny") || f.is(Remove) {
		return change(text, func(*Config) error {
			return &cfgerrors.Error{Field: "frame", Code: cfgerrors.InvalidValue, Value: origins[0], Text: "no origin", Hint: "use FrameDeny or FrameExempt, or name origins"}
		})
	}
	return frameChange(text, origins)
}

// FrameSelf lets only pages of the same origin frame the route.
func FrameSelf() Change { return frameChange("FrameSelf()", Frame{"self"}) }

// FrameDeny lets nobody frame the route.
func FrameDeny() Change { return frameChange("FrameDeny()", Frame{"deny"}) }

// FrameExempt sends nothing about framing, so that everybody may frame the route.
func FrameExempt() Change { return frameChange("FrameExempt()", Frame{Remove}) }

func frameChange(text string, f Frame) Change {
	f = slices.Clone(f)
	return change(text, func(c *Config) error {
		n, err := f.normalize()
		c.Frame = n
		return cfgerrors.Under("frame", err)
	})
}

// Allow adds sources to directives of both policies, written as policy text such as "img-src https://tiles.example". A
// directive that a policy lacks starts from the one that governs it, so that what was allowed stays allowed.
func Allow(text string) Change {
	return policyChange(fmt.Sprintf("Allow(%q)", text), func(c *Config, policies []*string) error {
		if err := errors.Join(checkPolicy(text), checkAllowed(text)); err != nil {
			return cfgerrors.Under("allow", err)
		}
		added := csp.Parse(text)
		if err := checkEffect(added, c); err != nil {
			return cfgerrors.Under("allow", err)
		}
		edit(policies, func(p csp.Policy) csp.Policy {
			for _, d := range added.Directives {
				p = p.Append(d.Name, d.Value...)
			}
			return p
		})
		return nil
	})
}

// edit changes the policies that are sent at all.
func edit(policies []*string, change func(csp.Policy) csp.Policy) {
	for _, p := range policies {
		if policyText(*p) != "" {
			*p = change(csp.Parse(*p)).String()
		}
	}
}

// Set replaces directives of both policies, written as policy text such as "img-src 'none'; object-src 'none'".
func Set(text string) Change {
	return policyChange(fmt.Sprintf("Set(%q)", text), func(_ *Config, policies []*string) error {
		if err := checkPolicy(text); err != nil || policyText(text) == "" {
			return cfgerrors.Under("set", errors.Join(err, noDirective(text)))
		}
		edit(policies, func(p csp.Policy) csp.Policy {
			for _, d := range csp.Parse(text).Directives {
				p = p.Set(d.Name, d.Value...)
			}
			return p
		})
		return nil
	})
}

func noDirective(text string) error {
	if policyText(text) != "" {
		return nil
	}
	return &cfgerrors.Error{Code: cfgerrors.Missing, Value: text, Text: "no directive", Hint: "to send no policy use Exempt"}
}

// Replace sends this policy in place of both: Replace("default-src 'none'").OnEnforced() leaves the trial.
func Replace(text string) Change {
	return policyChange(fmt.Sprintf("Replace(%q)", text), func(_ *Config, policies []*string) error {
		for _, p := range policies {
			*p = text
		}
		return cfgerrors.Under("csp", errors.Join(checkPolicy(text), noDirective(text)))
	})
}

// Exempt sends no Content-Security-Policy but for framing.
func Exempt() Change {
	return policyChange("Exempt()", func(_ *Config, policies []*string) error {
		for _, p := range policies {
			*p = Remove
		}
		return nil
	})
}

// Use replaces the whole base by a preset: "strict", "compat", "api" or "off".
func Use(preset string) Change {
	return change(fmt.Sprintf("Use(%q)", preset), func(c *Config) error { return c.use(preset) })
}

// Without sends none of these headers, such as Cross-Origin-Opener-Policy.
func Without(names ...string) Change {
	names = slices.Clone(names)
	ch := change(fmt.Sprintf("Without(%q)", names), func(c *Config) error {
		var errs []error
		for _, name := range names {
			errs = append(errs, c.setHeader(name, Remove))
		}
		return errors.Join(errs...)
	})
	ch.header = slices.ContainsFunc(names, func(name string) bool { return headerNamed(name) != nil })
	return ch
}

// Header sends a header with this value, such as Cache-Control, or Clear-Site-Data after a log-out.
func Header(name, value string) Change {
	ch := change(fmt.Sprintf("Header(%q, %q)", name, value), func(c *Config) error { return c.setHeader(name, value) })
	ch.header = headerNamed(name) != nil
	return ch
}

// instead are the changes for what are no plain headers.
var instead = map[string]string{
	headerCSP: "Exempt, Set or Replace", headerTrial: "Exempt, Set or Replace with OnTrial", headerXFO: "FrameExempt, FrameSelf or FrameBy",
}

// siteWide are headers that say something about the whole host and would contradict themselves from route to route.
var siteWide = map[string]bool{headerHSTS: true, "Origin-Agent-Cluster": true, "Nel": true, "Report-To": true}

const headerClear = "Clear-Site-Data"

// setHeader sets a header of the table, or another one.
func (c *Config) setHeader(name, value string) error {
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	bad := func(code cfgerrors.Code, text, hint string) error {
		return &cfgerrors.Error{Field: "headers." + name, Code: code, Value: value, Text: text, Hint: hint}
	}
	h := headerNamed(name)
	switch {
	case instead[canonical] != "":
		return bad(cfgerrors.Conflict, "no plain header", "use "+instead[canonical]+"; in a file frame, csp or trial")
	case siteWide[canonical]:
		return bad(cfgerrors.Conflict, "this header is about the whole site", "set it for all routes")
	case canonical == headerClear && value != Remove:
		data, err := clearSiteData(value)
		c.clear = data
		return cfgerrors.Under("headers."+name, err)
	case canonical == headerClear:
		c.clear = ""
		return nil
	case h != nil:
		if value == "" {
			return bad(cfgerrors.Missing, "no value", "to send none write off")
		}
		*h.value(c) = value
		return cfgerrors.Under("headers."+name, h.checkIn(c))
	}
	with := Config{Headers: map[string]string{name: value}}
	if err := errors.Join(with.checkHeaders()...); err != nil {
		return cfgerrors.Under("headers", err)
	}
	c.Headers = maps.Clone(c.Headers)
	if c.Headers == nil {
		c.Headers = map[string]string{}
	}
	maps.DeleteFunc(c.Headers, func(other, _ string) bool { return strings.EqualFold(other, name) })
	c.Headers[canonical] = value
	if len(c.Headers) > maxHeaders {
		return bad(cfgerrors.InvalidValue, fmt.Sprintf("%d headers are more than %d", len(c.Headers), maxHeaders), "")
	}
	return nil
}

// checkAllowed refuses what adds nothing to a source list.
func checkAllowed(text string) error {
	var errs []error
	for _, d := range csp.Parse(policyText(text)).Directives {
		switch {
		case csp.Known(d.Name) && !csp.HasSources(d.Name):
			errs = append(errs, &cfgerrors.Error{Field: d.Name, Code: cfgerrors.InvalidValue, Text: "only source lists can be added to", Hint: "to replace the directive use set"})
		case len(d.Value) == 0 || len(d.Value) == 1 && strings.EqualFold(d.Value[0], "'none'"):
			errs = append(errs, &cfgerrors.Error{Field: d.Name, Code: cfgerrors.InvalidValue, Text: "no source to add", Hint: "to replace the directive use set"})
		}
	}
	return errors.Join(append(errs, noDirective(text))...)
}

// checkEffect refuses sources that browsers ignore: beside 'strict-dynamic' neither hosts nor schemes count.
func checkEffect(added csp.Policy, c *Config) error {
	var errs []error
	for _, d := range added.Directives {
		if !strings.HasPrefix(d.Name, "script-src") || slices.ContainsFunc(d.Value, func(w string) bool { return w[0] == '\'' }) {
			continue
		}
		enforced, governed := csp.Parse(policyText(c.CSP)).Governing(d.Name)
		if governed && slices.Contains(enforced, "'strict-dynamic'") {
			errs = append(errs, &cfgerrors.Error{Field: d.Name, Code: cfgerrors.Conflict, Value: strings.Join(d.Value, " "),
				Text: "beside 'strict-dynamic' browsers ignore hosts and schemes", Hint: "give the script element the nonce instead"})
		}
	}
	return errors.Join(errs...)
}

// changes returns what a RouteConfig says as changes, in the order in which they apply.
func (rc RouteConfig) changes() []Change {
	var out []Change
	add := func(given bool, ch func() Change) {
		if given {
			out = append(out, ch())
		}
	}
	add(rc.Preset != "", func() Change { return Use(rc.Preset) })
	add(rc.CSP == Remove, func() Change { return Exempt().OnEnforced() })
	add(rc.CSP != "" && rc.CSP != Remove, func() Change { return Replace(rc.CSP).OnEnforced() })
	add(rc.Trial == Remove, func() Change { return Exempt().OnTrial() })
	add(rc.Trial != "" && rc.Trial != Remove, func() Change { return replaceTrial(rc.Trial) })
	add(rc.Set != "", func() Change { return Set(rc.Set) })
	add(rc.Frame != nil, func() Change { return frameChange("frame", rc.Frame) })
	add(rc.Allow != "", func() Change { return Allow(rc.Allow) })
	add(rc.Reports != "", func() Change { return noReports(rc.Reports) })
	for _, name := range sortedKeys(rc.Headers) {
		out = append(out, Header(name, rc.Headers[name]))
	}
	return out
}

// texts returns the changes as the file says them.
func (rc RouteConfig) texts() []string {
	var out []string
	add := func(key, value string) {
		if value != "" {
			out = append(out, key+": "+value)
		}
	}
	add("preset", rc.Preset)
	add("csp", rc.CSP)
	add("trial", rc.Trial)
	add("set", rc.Set)
	add("frame", strings.Join(rc.Frame, " "))
	add("allow", rc.Allow)
	add("reports", rc.Reports)
	for _, name := range sortedKeys(rc.Headers) {
		add(name, rc.Headers[name])
	}
	return out
}

func replaceTrial(text string) Change {
	return change("trial", func(c *Config) error {
		c.Trial = text
		return cfgerrors.Under("trial", checkPolicy(text))
	})
}

func noReports(v string) Change {
	return change("reports", func(c *Config) error {
		if c.Reports, c.ReportTo = Remove, ""; v != Remove {
			return &cfgerrors.Error{Field: "reports", Code: cfgerrors.InvalidValue, Value: v, Text: "the violations of a site go to one place", Hint: "write off, or leave it out"}
		}
		return nil
	})
}

// use replaces the base by a preset. What is about the site as a whole stays.
func (c *Config) use(name string) error {
	base, ok := preset(name)
	if !ok {
		return unknownPreset("preset", name)
	}
	c.Preset, c.CSP, c.Trial, c.Frame, c.NonceCache = base.Preset, base.CSP, base.Trial, base.Frame, base.NonceCache
	for i := range headers {
		if !siteWide[headers[i].name] {
			*headers[i].value(c) = *headers[i].value(&base)
		}
	}
	return nil
}
