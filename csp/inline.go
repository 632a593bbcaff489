package csp

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// InlineType says what an inline check is about.
type InlineType string

// The inline types. Navigation is a javascript: URL.
const (
	InlineScript          InlineType = "script"
	InlineScriptAttribute InlineType = "script attribute"
	InlineStyle           InlineType = "style"
	InlineStyleAttribute  InlineType = "style attribute"
	InlineNavigation      InlineType = "navigation"
)

// Inline is a script, a style or a handler that stands in a page.
type Inline struct {
	Type           InlineType
	Content        string // for a javascript: URL all of it
	Element        string // the element's name in lower case
	Nonce          string // of the element; "" without the attribute
	Attributes     [][2]string
	Duplicate      bool // the markup had an attribute twice
	ParserInserted bool

	hashes []Source // of content that Contains does not have; nil where Content counts
}

// EffectiveInlineDirective returns the directive that governs an inline type, or "" for types that do not exist, which nothing
// governs.
// https://www.w3.org/TR/CSP3/#effective-directive-for-inline-check
func EffectiveInlineDirective(t InlineType) string {
	switch t {
	case InlineScript, InlineNavigation:
		return "script-src-elem"
	case InlineScriptAttribute:
		return "script-src-attr"
	case InlineStyle:
		return "style-src-elem"
	case InlineStyleAttribute:
		return "style-src-attr"
	}
	return ""
}

// Inline decides whether what stands in the page counts, or whether a page may navigate to a javascript: URL, which
// Trusted Types govern as well. https://www.w3.org/TR/CSP3/#should-block-inline
func (l *List) Inline(m Mode, in *Inline) Decision {
	return l.decide(m, func(d *Decision, policies []Policy, q *quirks) {
		if in.Type == InlineNavigation {
			sink(d, policies, in.sinkSample())
		}
		if !d.Blocked {
			inline(d, policies, in, q)
		}
	})
}

// sinkSample is of the code in a javascript: URL. No default Trusted Types policy exists that would convert it.
// https://w3c.github.io/trusted-types/dist/spec/#require-trusted-types-for-pre-navigation-check
func (in *Inline) sinkSample() string {
	return sinkSample("Location href", strings.TrimPrefix(in.Content, "javascript:"))
}

func inline(d *Decision, policies []Policy, in *Inline, q *quirks) {
	name := EffectiveInlineDirective(in.Type)
	for i := range policies {
		by := policies[i].governing(name)
		if by == nil || by.list.allowsInline(in, by.Name, q) {
			continue
		}
		v := Violation{Policy: i, Directive: name, By: by.Name, Disposition: policies[i].Disposition, Resource: "inline"}
		if by.list.reportSample && (in.Type != InlineNavigation || q.samplesNavigation) {
			v.Sample = firstCharacters(in.Content)
		}
		d.add(v)
	}
}

// allowsInline is "does element match source list for type and source". https://www.w3.org/TR/CSP3/#match-element-to-source-list
func (l *sourceList) allowsInline(in *Inline, directive string, q *quirks) bool {
	if l.allowsAllInline(in.Type, directive, q) {
		return true
	}
	element := in.Type == InlineScript || in.Type == InlineStyle
	if element && in.nonceable() {
		nonce := in.Nonce
		if q.nonceTrimmed {
			nonce = strings.Trim(nonce, " \t\n\f\r")
		}
		if l.hasNonce(nonce) {
			return true
		}
	}
	if (element || l.unsafeHashes) && l.hasContentHash(in, q) {
		return true
	}
	return in.Type == InlineScript && l.strictDynamic && in.Element == "script" && !in.ParserInserted
}

// allowsAllInline is https://www.w3.org/TR/CSP3/#allow-all-inline
func (l *sourceList) allowsAllInline(t InlineType, directive string, q *quirks) bool {
	script := t == InlineScript || t == InlineScriptAttribute || t == InlineNavigation
	if l.nonceOrHash || l.strictDynamic && (script || q.dynamicDefault && directive == "default-src") {
		return false
	}
	return l.unsafeInline
}

// nonceable tells a nonce that the author wrote from one that dangling markup stole.
// https://www.w3.org/TR/CSP3/#is-element-nonceable
func (in *Inline) nonceable() bool {
	if in.Nonce == "" || in.Duplicate {
		return false
	}
	if in.Element != "script" {
		return true
	}
	for _, a := range in.Attributes {
		for _, text := range a {
			text = lower(text)
			if strings.Contains(text, "<script") || strings.Contains(text, "<style") {
				return false
			}
		}
	}
	return true
}

func (l *sourceList) hasContentHash(in *Inline, q *quirks) bool {
	if !l.nonceOrHash {
		return false
	}
	if in.hashes != nil {
		return l.hasAnyHash(in.hashes, q)
	}
	digests := map[string]string{} // by algorithm: a page may be long, and so may the list
	for i := range l.sources {
		s := &l.sources[i]
		if s.Kind != HashSource {
			continue
		}
		if digests[s.Scheme] == "" {
			digests[s.Scheme] = in.digestBy(s.Scheme)
		}
		if s.isHash(digests[s.Scheme], q) {
			return true
		}
	}
	return false
}

func (l *sourceList) hasAnyHash(hashes []Source, q *quirks) bool {
	for _, h := range hashes {
		for i := range l.sources {
			if s := &l.sources[i]; s.Kind == HashSource && s.Scheme == h.Scheme && s.isHash(h.Word, q) {
				return true
			}
		}
	}
	return false
}

// isHash reports whether a hash source names the digest.
func (s *Source) isHash(digest string, q *quirks) bool {
	if q.oneAlphabet && strings.ContainsAny(s.Word, "+/") && strings.ContainsAny(s.Word, "-_") {
		return false
	}
	return equalBase64(s.Word, digest) || q.paddingOptional && equalBase64(strings.TrimRight(s.Word, "="), strings.TrimRight(digest, "="))
}

func (in *Inline) digestBy(algorithm string) string {
	return Hash(algorithm, strings.ToValidUTF8(in.Content, "\uFFFD"))
}

// Hash returns the base64 digest of a text by sha256, sha384 or sha512, as hash sources hold it; "" for other algorithms.
func Hash(algorithm, content string) string {
	var sum []byte
	switch algorithm {
	case "sha256":
		s := sha256.Sum256([]byte(content))
		sum = s[:]
	case "sha384":
		s := sha512.Sum384([]byte(content))
		sum = s[:]
	case "sha512":
		s := sha512.Sum512([]byte(content))
		sum = s[:]
	}
	return base64.StdEncoding.EncodeToString(sum)
}

// sampleLength is how much of a script reports show, in characters. https://www.w3.org/TR/CSP3/#should-block-inline
const sampleLength = 40

func firstCharacters(s string) string {
	n := 0
	for i := range s {
		if n == sampleLength {
			return s[:i]
		}
		n++
	}
	if !utf8.ValidString(s) {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}
