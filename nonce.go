package merlon

import (
	"context"
	"crypto/rand"
	"encoding/base64"
)

// Nonce returns the nonce of the response that belongs to the request context ctx, for the nonce attribute of script
// and style elements. It is the same text however often it is called: 128 random bits in base64url without padding,
// which html/template prints unchanged. It is empty where the policy has no 'nonce', and outside a Guard's Handler.
// https://www.w3.org/TR/CSP3/#security-nonces
func Nonce(ctx context.Context) string {
	s := responseOf(ctx)
	if s == nil {
		return ""
	}
	return s.mint()
}

// mint makes the nonce at its first use. After the commit it makes none: the header is out, and a nonce that it does
// not name would be refused by browsers.
func (s *response) mint() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nonce == "" && !s.committed && s.plan.wantNonce {
		s.nonce = newNonce()
	}
	return s.nonce
}

func newNonce() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b[:])
}
