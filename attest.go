package merlon

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
)

const (
	randomBytes = 16
	tagBytes    = 8

	// attestedLen is the length of an attested nonce: random bytes and tag, in base64url.
	attestedLen = (randomBytes + tagBytes) / 3 * 4

	minNonceSecret = 16
	maxNonceSite   = 512
)

// NonceKey makes the nonces of a site tell that they are its own: behind their 128 random bits stand 64 bits of an HMAC, and the
// whole has 32 characters of base64url. A report of a browser quotes the policy that was violated, so that a report with
// such a nonce has cost somebody the fetch of a page. More it does not say: who fetches pages can write what he likes about
// them. See [Hooks.NonceKey]. It never changes, and is safe for concurrent use.
type NonceKey struct {
	inner []byte // HMAC's first block and the site; the random bytes come behind
	outer [sha256.BlockSize]byte
}

// NewNonceKey makes the key of a site from a secret of 16 to 64 random bytes. Sites may share a secret: their nonces differ
// all the same. The name of a site has at most 512 bytes.
func NewNonceKey(secret []byte, site string) (*NonceKey, error) {
	if len(secret) < minNonceSecret || len(secret) > sha256.BlockSize {
		return nil, fmt.Errorf("merlon: the secret of a NonceKey has %d bytes; make 32 with crypto/rand", len(secret))
	}
	if len(site) > maxNonceSite {
		return nil, fmt.Errorf("merlon: the site of a NonceKey has %d bytes, at most %d are allowed", len(site), maxNonceSite)
	}
	k := &NonceKey{inner: make([]byte, sha256.BlockSize, sha256.BlockSize+len(site))}
	copy(k.inner, secret)
	copy(k.outer[:], secret)
	for i := range k.outer { // RFC 2104 §2
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	k.inner = append(k.inner, site...)
	return k, nil
}

// Mint returns a new nonce of the key. A Guard does so by itself; this is for tokens in other places that are to prove the same.
func (k *NonceKey) Mint() string {
	var buffer [attestedLen]byte
	return string(k.mint(&buffer))
}

// Attests reports whether a nonce was made with the key, in a time that says nothing about how much of it is right.
func (k *NonceKey) Attests(nonce string) bool {
	var raw [randomBytes + tagBytes]byte
	if len(nonce) != attestedLen {
		return false
	}
	if n, err := base64.RawURLEncoding.Decode(raw[:], []byte(nonce)); n != len(raw) || err != nil {
		return false
	}
	tag := k.tag([randomBytes]byte(raw[:]))
	return subtle.ConstantTimeCompare(tag[:], raw[randomBytes:]) == 1
}

// tag is the beginning of HMAC-SHA256(secret, site ‖ random). It is written out because crypto/hmac allocates, and each page
// has a nonce.
func (k *NonceKey) tag(random [randomBytes]byte) [tagBytes]byte {
	var first [sha256.BlockSize + maxNonceSite + randomBytes]byte
	sum := sha256.Sum256(append(append(first[:0], k.inner...), random[:]...))
	var second [sha256.BlockSize + sha256.Size]byte
	copy(second[:], k.outer[:])
	copy(second[sha256.BlockSize:], sum[:])
	sum = sha256.Sum256(second[:])
	return [tagBytes]byte(sum[:])
}

// NonceKeys are keys of one site that count at the same time: the one in use, and those before it, as long as pages with their nonces
// are open.
type NonceKeys []*NonceKey

// Attests reports whether one of the keys attests the nonce.
func (ks NonceKeys) Attests(nonce string) bool {
	attested := false
	for _, k := range ks {
		attested = k.Attests(nonce) || attested
	}
	return attested
}
