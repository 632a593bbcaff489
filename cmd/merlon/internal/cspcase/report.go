package cspcase

import (
	"errors"
	"fmt"

	"github.com/merlon-sec/merlon/csp"
)

// report decides about the trigger and says what a browser would report of it.
func (c *Case) report(m csp.Mode) (map[string]any, error) {
	if c.Check == "strip" {
		u, err := urlOf("url", c.URL)
		if err != nil {
			return nil, err
		}
		return map[string]any{"stripped": u.Strip()}, nil
	}
	if c.Trigger == nil {
		return nil, errors.New("a report has a trigger")
	}
	l := c.list()
	d, resource, err := c.Trigger.decide(m, l, c)
	if err != nil {
		return nil, fmt.Errorf("trigger: %w", err)
	}
	reports := []map[string]any{}
	for _, r := range l.Reports(&d, c.document, resource, normal(c.SourceFile)) {
		reports = append(reports, map[string]any{
			"policy": r.Policy, "disposition": r.Disposition.String(), "effective_directive": r.EffectiveDirective, "document_url": r.DocumentURL,
			"referrer": r.Referrer, "blocked": r.Blocked, "original_policy": r.OriginalPolicy, "sample": r.Sample, "status": r.Status,
			"source_file": orNil(r.SourceFile), "report_uri": append([]string{}, r.ReportURI...), "report_to": orNil(r.ReportTo), "report_to_url": orNil(r.ReportToURL),
		})
	}
	return map[string]any{"reports": reports}, nil
}

// decide answers a trigger against the policies and for the page of the case around it, and gives the URL that was asked for
// first.
func (c *Case) decide(m csp.Mode, l *csp.List, around *Case) (d csp.Decision, resource csp.URL, err error) {
	if err := c.prepare(); err != nil {
		return d, resource, err
	}
	switch c.Kind {
	case "request":
		if c.Check != "webrtc" {
			if resource, err = urlOf("url", c.URL); err != nil {
				return d, resource, err
			}
		}
		d, err = c.requestDecision(m, l, around.page.Origin())
	case "inline":
		d = c.inlineDecision(m, l)
	case "eval":
		d = c.evalDecision(m, l)
	case "frame":
		resource = around.page
		d = l.Frame(m, resource, c.frames, c.XFO).Decision
	default:
		err = fmt.Errorf("%w: %q", errKind, c.Kind)
	}
	return d, resource, err
}
