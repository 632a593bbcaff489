package certs

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"golang.org/x/crypto/acme"

	"github.com/merlon-sec/merlon"
)

// answer has the gateway answer a challenge until remove is called.
func (k *Keeper) answer(client *acme.Client, host string, c *acme.Challenge) (remove func(), err error) {
	switch c.Type {
	case byTLS:
		proof, err := client.TLSALPN01ChallengeCert(c.Token, host)
		if err != nil {
			return nil, err
		}
		k.locked(func() { k.proofs[host] = &proof })
		return func() { k.locked(func() { k.forget(host, &proof) }) }, nil
	case byHTTP:
		text, err := client.HTTP01ChallengeResponse(c.Token)
		if err != nil {
			return nil, err
		}
		at := host + client.HTTP01ChallengePath(c.Token)
		k.locked(func() { k.tokens[at] = text })
		return func() { k.locked(func() { delete(k.tokens, at) }) }, nil
	}
	return nil, fmt.Errorf("no answer to a challenge %s", c.Type)
}

// forget takes a proof away, but not one of a later order: the host may have been taken out and put back meanwhile.
func (k *Keeper) forget(host string, proof *tls.Certificate) {
	if k.proofs[host] == proof {
		delete(k.proofs, host)
	}
}

func (k *Keeper) locked(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f()
}

// Challenges answers what the CA asks over plain HTTP, and leaves all else to next: other paths, other hosts, and challenges that
// are not ours, for the application may have a client of its own.
func (k *Keeper) Challenges(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text := k.token(r); text != "" {
			new(merlon.Guard).Handler(answerText(text)).ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (k *Keeper) token(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return ""
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.tokens[strings.ToLower(host)+r.URL.Path]
}

func answerText(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream") // RFC 8555 §8.3
		io.WriteString(w, text)
	})
}
