package merlon

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"
)

// Nonce returns the nonce of the response that belongs to the request context ctx, for the nonce attribute of script
// and style elements. Until the response begins it is the same text however often it is called: 128 random bits, with
// [Hooks.NonceKey] a tag behind them, in base64url without padding, which html/template prints unchanged. It is empty where the
// policy has no 'nonce', outside a Guard's Handler, and when the first call comes after the response began without one.
// https://www.w3.org/TR/CSP3/#security-nonces
func Nonce(ctx context.Context) string {
	s := responseOf(ctx)
	if s == nil {
		return ""
	}
	s.mu.Lock()
	switch {
	case s.nonce != "" || !s.plan.wantNonce:
	case s.committed && s.head: // the handler runs as for GET, and nobody gets the page
	case s.committed:
		s.misuse(LateNonce, "the response had begun without a nonce")
	default:
		s.mint()
	}
	nonce := s.nonce
	s.mu.Unlock()
	s.tell()
	return nonce
}

// TemplateFuncs returns the function "nonce" for templates of html/template and text/template, which write
//
//	<script nonce="{{nonce}}">
//
// A template is parsed once, with any context, and each request gets a clone of its own: a template that requests share would
// print the nonce of another.
//
//	mine := template.Must(page.Clone()).Funcs(merlon.TemplateFuncs(r.Context()))
func TemplateFuncs(ctx context.Context) map[string]any {
	return map[string]any{"nonce": func() string { return Nonce(ctx) }}
}

// mint makes the nonce, inside the text of the policy that will most likely go out, so that both are one allocation.
func (s *response) mint() {
	set := &s.plan.policies[s.secure]
	p := &set.enforced.base
	if len(p.parts) == 1 {
		p = &set.trial.base
	}
	var buffer [attestedLen]byte
	nonce := s.guard.orZero().hooks.newNonce(&buffer)
	s.minted, s.mintedText = p, p.fill(nonce)
	begin := len(p.parts[0]) + len("'nonce-")
	s.nonce = s.mintedText[begin : begin+len(nonce)]
}

// newNonce writes a nonce to the buffer, attested where there is a key.
func (h *Hooks) newNonce(buffer *[attestedLen]byte) []byte {
	var key *NonceKey
	if h.NonceKey != nil {
		key = h.NonceKey()
	}
	return key.mint(buffer)
}

// mint writes a nonce to the buffer; without a key it has no tag.
func (k *NonceKey) mint(buffer *[attestedLen]byte) []byte {
	var raw [randomBytes + tagBytes]byte
	rand.Read(raw[:randomBytes]) // never fails since Go 1.24
	n := randomBytes
	if k != nil {
		tag := k.tag([randomBytes]byte(raw[:]))
		n += copy(raw[n:], tag[:])
	}
	base64.RawURLEncoding.Encode(buffer[:], raw[:n])
	return buffer[:base64.RawURLEncoding.EncodedLen(n)]
}

// fill returns the policy's text with the nonce in each of its places.
func (p *policy) fill(nonce []byte) string {
	n := 0
	for _, part := range p.parts {
		n += len(part) + len("'nonce-'") + len(nonce)
	}
	var b strings.Builder
	b.Grow(n)
	for i, part := range p.parts {
		if i > 0 {
			b.WriteString("'nonce-")
			b.Write(nonce)
			b.WriteByte('\'')
		}
		b.WriteString(part)
	}
	return b.String()
}

// text is the policy with this response's nonce.
func (s *response) text(p *policy) string {
	if p == s.minted && s.nonce != "" {
		return s.mintedText
	}
	return p.text(s.nonce)
}
