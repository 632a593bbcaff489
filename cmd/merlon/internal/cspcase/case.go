// Package cspcase asks package csp what a case in JSON asks, so that anybody can hold the engine against cases of their own,
// in any language. The format is described in docs/csp-cases.md.
package cspcase

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/merlon-sec/merlon/csp"
)

// Case is one question.
type Case struct {
	ID       identifier `json:"id"`
	Kind     string     `json:"kind"`
	Self     *string    `json:"self"`
	Policy   *string    `json:"policy"`
	Policies []policy   `json:"policies"`

	Check string `json:"check"`

	Expression *string `json:"expression"` // parse
	SourceList string  `json:"source_list"`

	URL         string  `json:"url"` // request and source-match
	CurrentURL  *string `json:"current_url"`
	ResponseURL *string `json:"response_url"`
	Redirects   count   `json:"redirects"`
	Destination string  `json:"destination"`
	Initiator   string  `json:"initiator"`
	Navigation  string  `json:"navigation"`
	Nonce       string  `json:"nonce"`
	Integrity   string  `json:"integrity"`
	Parser      bool    `json:"parser_inserted"`
	CertHashes  bool    `json:"webtransport_hashes"`

	InlineType string  `json:"inline_type"` // inline
	Content    string  `json:"content"`
	Element    element `json:"element"`

	Trusted *bool    `json:"trusted"` // eval
	Name    string   `json:"name"`
	Created []string `json:"created"`
	Sink    string   `json:"sink"`

	Ancestors []string `json:"ancestors"` // frame
	XFO       []string `json:"xfo"`

	Trigger    *Case     `json:"trigger"` // report
	Document   *document `json:"document"`
	SourceFile string    `json:"source_file"`
	Endpoints  string    `json:"reporting_endpoints"`

	Required *string  `json:"required"` // subsumes
	Returned []string `json:"returned"`

	page     csp.URL // what prepare makes of self, ancestors and document
	frames   []csp.Origin
	document csp.Document
}

// identifier is what the answer is known by: a text, or a number as it was written.
type identifier string

func (id *identifier) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(id))
	}
	return json.Unmarshal(data, (*json.Number)(id))
}

// count is a whole number, which JSON may spell with a fraction or an exponent.
type count int

// maxCount is beyond all redirects and statuses.
const maxCount = 1 << 30

func (n *count) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil || f != math.Trunc(f) || f < 0 || f > maxCount {
		return fmt.Errorf("%.40s: write a whole number from 0", data)
	}
	*n = count(f)
	return nil
}

type document struct {
	URL      string `json:"url"`
	Referrer string `json:"referrer"`
	Status   count  `json:"status"`
}

type policy struct {
	Value       string `json:"value"`
	Disposition string `json:"disposition"`
	Source      string `json:"source"`
}

type element struct {
	Name       string      `json:"name"`
	Nonce      string      `json:"nonce"`
	Attributes [][2]string `json:"attributes"`
	Duplicate  bool        `json:"duplicate_attribute"`
	Parser     bool        `json:"parser_inserted"`
}

// errKind is returned for kinds of cases that the engine has no answer for.
var errKind = errors.New("no such kind of case")

// ErrPanic is returned for cases that the engine cannot bear, each of which is a defect of the engine.
var ErrPanic = errors.New("the engine panicked")

// Run answers a case in JSON: the members that its kind defines.
func Run(m csp.Mode, data []byte) (id string, got map[string]any, err error) {
	defer func() {
		// Anybody may have written the cases, and one hostile line must not end the run of the others.
		if reason := recover(); reason != nil {
			id, got, err = idOf(data), nil, fmt.Errorf("%w: %v", ErrPanic, reason)
		}
	}()
	var c Case
	if err := json.Unmarshal(data, &c); err != nil {
		return idOf(data), nil, fmt.Errorf("not a case: %w", err)
	}
	if err := c.prepare(); err != nil {
		return string(c.ID), nil, err
	}
	got, err = c.answer(m)
	return string(c.ID), got, err
}

// idOf finds the id of a case that is wrong elsewhere.
func idOf(data []byte) string {
	var c struct {
		ID identifier `json:"id"`
	}
	if json.Unmarshal(data, &c) != nil {
		return ""
	}
	return string(c.ID)
}

func (c *Case) answer(m csp.Mode) (map[string]any, error) {
	switch c.Kind {
	case "parse":
		return c.parse(m), nil
	case "source-match":
		return c.sourceMatch(m)
	case "request":
		return c.request(m)
	case "inline":
		return c.inline(m), nil
	case "eval":
		return c.eval(m), nil
	case "frame", "xfo":
		return c.frame(m), nil
	case "effective":
		return c.effective(m), nil
	case "report":
		return c.report(m)
	case "subsumes":
		return c.subsumes(m), nil
	}
	return nil, fmt.Errorf("%w: %q", errKind, c.Kind)
}

func (c *Case) list() *csp.List {
	var delivered []csp.Delivered
	if c.Policy != nil {
		delivered = append(delivered, csp.Delivered{Value: *c.Policy})
	}
	for _, p := range c.Policies {
		d := csp.Delivered{Value: p.Value, Meta: p.Source == "meta"}
		if p.Disposition == "report" {
			d.Disposition = csp.Report
		}
		delivered = append(delivered, d)
	}
	return csp.NewList(delivered...)
}

// result gives a decision in the members that all kinds share.
func result(d csp.Decision) map[string]any {
	violations := []map[string]any{}
	for _, v := range d.Violations() {
		one := map[string]any{"policy": v.Policy, "directive": v.Directive, "disposition": v.Disposition.String(), "sample": v.Sample}
		if v.Resource != "" {
			one["resource"] = v.Resource
		}
		violations = append(violations, one)
	}
	return map[string]any{"result": word(d.Blocked), "violations": violations}
}

func word(blocked bool) string {
	if blocked {
		return "blocked"
	}
	return "allowed"
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
