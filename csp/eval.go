package csp

import (
	"slices"
	"strings"
)

// Trust says what reached a place that compiles strings.
type Trust uint8

// What can reach such a place: a string where Trusted Types play no part, one where they do, a TrustedScript.
const (
	Untyped Trust = iota
	PlainString
	TrustedScript
)

// Eval decides whether a string may be compiled to JavaScript. No default Trusted Types policy exists.
// https://www.w3.org/TR/CSP3/#can-compile-strings
func (l *List) Eval(m Mode, source string, trust Trust) Decision {
	return l.decide(m, func(d *Decision, policies []Policy, q *quirks) {
		if trust == PlainString {
			sink(d, policies, sinkSample("eval", source))
			if d.Blocked {
				return
			}
		}
		required := requireTrustedTypes(policies)
		for i := range policies {
			by := policies[i].governing("script-src")
			if by == nil || by.list.allowsEval(required) {
				continue
			}
			v := Violation{Policy: i, Directive: "script-src", By: by.Name, Disposition: policies[i].Disposition, Resource: "eval"}
			if by.list.reportSample {
				v.Sample = firstCharacters(source)
			}
			d.add(v)
		}
	})
}

func requireTrustedTypes(policies []Policy) bool {
	return slices.ContainsFunc(policies, func(p Policy) bool { return p.Disposition == Enforce && p.requiresTrustedTypes() })
}

func (l *sourceList) allowsEval(typesRequired bool) bool {
	return l.unsafeEval || l.trustedEval && typesRequired
}

// Wasm decides whether bytes may be compiled to WebAssembly. https://www.w3.org/TR/CSP3/#can-compile-wasm-bytes
func (l *List) Wasm(m Mode) Decision {
	return l.decide(m, func(d *Decision, policies []Policy, q *quirks) {
		for i := range policies {
			if by := policies[i].governing("script-src"); by != nil && !by.list.unsafeEval && !by.list.wasmEval {
				d.add(Violation{Policy: i, Directive: "script-src", By: by.Name, Disposition: policies[i].Disposition, Resource: "wasm-eval"})
			}
		}
	})
}

// TrustedTypesPolicy decides whether a Trusted Types policy of this name may be made beside those that are there.
// https://w3c.github.io/trusted-types/dist/spec/#should-block-create-policy
func (l *List) TrustedTypesPolicy(m Mode, name string, created []string) Decision {
	return l.decide(m, func(d *Decision, policies []Policy, q *quirks) {
		for i := range policies {
			by := policies[i].directive("trusted-types")
			if by == nil || by.permitsPolicy(name, created) {
				continue
			}
			d.add(Violation{Policy: i, Directive: "trusted-types", By: "trusted-types", Disposition: policies[i].Disposition,
				Resource: "trusted-types-policy", Sample: firstCharacters(name)})
		}
	})
}

func (d *Directive) permitsPolicy(name string, created []string) bool {
	fold := func(word string) func(string) bool { return func(w string) bool { return equalFold(w, word) } }
	switch {
	case len(d.Value) == 1 && equalFold(d.Value[0], "'none'"):
		return false
	case slices.Contains(created, name) && !slices.ContainsFunc(d.Value, fold("'allow-duplicates'")):
		return false
	}
	return slices.Contains(d.Value, name) && isPolicyName(name) || slices.Contains(d.Value, "*")
}

// isPolicyName keeps keywords and misspellings from counting as names.
// https://w3c.github.io/trusted-types/dist/spec/#trusted-types-csp-directive
func isPolicyName(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= lowerByte(c) && lowerByte(c) <= 'z'
		if !letter && !strings.ContainsRune("0123456789-#=_/@.%", rune(c)) {
			return false
		}
	}
	return s != ""
}

// TrustedTypesSink decides whether a plain string may reach a sink, such as "Element innerHTML".
// https://w3c.github.io/trusted-types/dist/spec/#should-block-sink-type-mismatch
func (l *List) TrustedTypesSink(m Mode, name, content string) Decision {
	return l.decide(m, func(d *Decision, policies []Policy, q *quirks) { sink(d, policies, sinkSample(name, content)) })
}

// sinkSample is what reports show of a string in a sink.
func sinkSample(name, content string) string {
	if name == "Function" {
		for _, prefix := range []string{"function anonymous", "async function anonymous", "function* anonymous", "async function* anonymous"} {
			if rest, ok := strings.CutPrefix(content, prefix); ok {
				content = rest
				break
			}
		}
	}
	return name + "|" + firstCharacters(content)
}

func sink(d *Decision, policies []Policy, sample string) {
	for i := range policies {
		if policies[i].requiresTrustedTypes() {
			d.add(Violation{Policy: i, Directive: "require-trusted-types-for", By: "require-trusted-types-for", Disposition: policies[i].Disposition,
				Resource: "trusted-types-sink", Sample: sample})
		}
	}
}

func (p *Policy) requiresTrustedTypes() bool {
	d := p.directive("require-trusted-types-for")
	return d != nil && slices.ContainsFunc(d.Value, func(w string) bool { return equalFold(w, "'script'") })
}
