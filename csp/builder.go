package csp

import (
	"errors"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// Keyword sources, for [Builder]. Their names are those of the specification.
const (
	Self          = "'self'"
	Nothing       = "'none'"
	UnsafeInline  = "'unsafe-inline'"
	UnsafeEval    = "'unsafe-eval'"
	UnsafeHashes  = "'unsafe-hashes'"
	StrictDynamic = "'strict-dynamic'"
	ReportSample  = "'report-sample'"
	WasmEval      = "'wasm-unsafe-eval'"
)

// Nonce returns the source for a nonce; base64 and base64url are both good.
func Nonce(value string) string { return "'nonce-" + value + "'" }

// HashOf returns the source for the content of a script or style, by sha256, sha384 or sha512.
func HashOf(algorithm, content string) string {
	return "'" + algorithm + "-" + Hash(algorithm, content) + "'"
}

// Builder makes a policy from parts. It collects mistakes instead of making a policy that says something else than its
// author: words that would end a source or a directive, misspellings, 'none' beside other sources. The zero Builder is
// ready, and every method returns its receiver. It is not safe for concurrent use.
type Builder struct {
	policy Policy
	errs   []error
}

// Set gives a directive this value, replacing the one that it has.
func (b *Builder) Set(name string, value ...string) *Builder {
	if b.sound(name, value) {
		b.policy = b.policy.Set(lower(name), value...)
	}
	return b
}

// Append adds sources to a directive as [Policy.Append] does.
func (b *Builder) Append(name string, value ...string) *Builder {
	if b.sound(name, value) {
		b.policy = b.policy.Append(lower(name), value...)
	}
	return b
}

// Remove takes a directive out.
func (b *Builder) Remove(name string) *Builder {
	b.policy = b.policy.Remove(lower(name))
	return b
}

// Merge adds what another policy has: its sources to directives that both have, and its other directives whole.
func (b *Builder) Merge(p Policy) *Builder {
	for _, d := range p.Directives {
		if _, both := b.policy.Get(d.Name); both && HasSources(d.Name) {
			b.Append(d.Name, d.Value...)
		} else {
			b.Set(d.Name, d.Value...)
		}
	}
	return b
}

// sound notes words that would break out of their place, before they get into the policy.
func (b *Builder) sound(name string, value []string) bool {
	for _, w := range append([]string{name}, value...) {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return r <= ' ' || r > '~' || r == ';' || r == ',' }) {
			b.errs = append(b.errs, &cfgerrors.Error{Field: lower(name), Code: cfgerrors.Syntax, Value: w,
				Text: "a word of a policy is printable ASCII without space, comma and semicolon", Hint: "give each source as an argument of its own"})
			return false
		}
	}
	return true
}

// Policy returns the policy, or all mistakes joined, each a *cfgerrors.Error. Nonces are good here: the policy is of one
// response.
func (b *Builder) Policy() (Policy, error) {
	errs := b.errs
	for e := range cfgerrors.All(Check(b.policy.String())) {
		if e.Code != cfgerrors.LiteralNonce || ParseSource(e.Value).Kind != NonceSource {
			errs = append(errs, e)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Policy{}, err
	}
	return b.policy, nil
}
