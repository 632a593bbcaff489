package cspcase

import (
	"errors"
	"fmt"
	"slices"

	"github.com/merlon-sec/merlon/csp"
)

// checks are the values of check by kind; "" is the one without.
var checks = map[string][]string{
	"parse": {""}, "source-match": {""}, "inline": {""}, "frame": {""}, "xfo": {""}, "subsumes": {""},
	"request":   {"", "navigate", "base-uri", "webrtc", "upgrade"},
	"eval":      {"js", "wasm", "tt-policy", "tt-sink"},
	"effective": {"", "sandbox", "sandbox-worker"},
	"report":    {"", "strip"},
}

var inlineTypes = []string{string(csp.InlineScript), string(csp.InlineScriptAttribute), string(csp.InlineStyle), string(csp.InlineStyleAttribute), string(csp.InlineNavigation)}

// prepare parses what every kind has and refuses values that mean nothing: an answer would hide the mistake.
func (c *Case) prepare() error {
	known, ok := checks[c.Kind]
	if !ok {
		return fmt.Errorf("%w: %q", errKind, c.Kind)
	}
	errs := []error{oneOf("check", c.Check, known...), oneOf("navigation", c.Navigation, "", "form-submission", "other")}
	switch c.Kind {
	case "inline":
		errs = append(errs, oneOf("inline_type", c.InlineType, inlineTypes...))
	case "subsumes":
		if c.Required == nil {
			errs = append(errs, errors.New("no required policy"))
		}
	}
	for _, p := range c.Policies {
		errs = append(errs, oneOf("disposition", p.Disposition, "", "enforce", "report"), oneOf("source", p.Source, "", "header", "meta"))
	}
	return errors.Join(append(errs, c.preparePage())...)
}

func oneOf(member, value string, known ...string) error {
	if slices.Contains(known, value) {
		return nil
	}
	return fmt.Errorf("%s %q: write one of %q", member, value, known)
}

// preparePage parses the page and those around it.
func (c *Case) preparePage() (err error) {
	self := "https://example.com"
	if c.Self != nil {
		self = *c.Self
	}
	if c.page, err = pageOf("self", self); err != nil {
		return err
	}
	for _, a := range c.Ancestors {
		u, err := pageOf("ancestor", a)
		if err != nil {
			return err
		}
		c.frames = append(c.frames, u.Origin())
	}
	c.document = csp.Document{URL: c.page, Endpoints: c.Endpoints}
	if d := c.Document; d != nil {
		c.document.Referrer, c.document.Status = normal(d.Referrer), int(d.Status)
		c.document.URL, err = urlOf("document.url", d.URL)
	}
	return err
}

// pageOf takes "null" for a page of an opaque origin: it is no URL, and so the zero one.
func pageOf(member, text string) (csp.URL, error) {
	if text == "null" {
		return csp.URL{}, nil
	}
	return urlOf(member, text)
}
