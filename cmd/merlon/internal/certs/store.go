package certs

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/acme/autocert"
)

// accountKey is the name of the account's key in the store. Names and contents of the files are autocert's, so that people can
// take their files along from programs that use it, and to those.
const accountKey = "acme_account+key"

// folder is where the files of one CA are: a certificate for tests of one must not serve when the directory names another.
func folder(dir, directory string) string {
	_, name, _ := strings.Cut(directory, "://")
	return filepath.Join(dir, strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, name), ".-"))
}

// load returns the certificate that is kept for the host, or nil where none is or it cannot be used. One that has ended is used
// until there is another.
func (k *Keeper) load(host string) *tls.Certificate {
	data, err := k.store.Get(context.Background(), host)
	if errors.Is(err, autocert.ErrCacheMiss) {
		return nil
	}
	var c tls.Certificate
	if err == nil {
		c, err = tls.X509KeyPair(data, data)
	}
	if err == nil {
		err = c.Leaf.VerifyHostname(host)
	}
	if err != nil {
		k.log.Warn("the certificate that is kept for a host cannot be used: another is ordered", "host", host, "file", filepath.Join(string(k.store), host), "error", err)
		return nil
	}
	return &c
}

// save keeps a certificate for the next start. It serves even where that fails.
func (k *Keeper) save(host string, c *tls.Certificate) error {
	text, err := encodeKey(c.PrivateKey)
	if err != nil {
		return err
	}
	for _, der := range c.Certificate {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return k.store.Put(context.Background(), host, text)
}

func encodeKey(key crypto.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// accountSigner returns the key of the account at the CA. The first call ever makes it.
func (k *Keeper) accountSigner() (crypto.Signer, error) {
	k.account.Lock()
	defer k.account.Unlock()
	file := filepath.Join(string(k.store), accountKey)
	data, err := k.store.Get(context.Background(), accountKey)
	if errors.Is(err, autocert.ErrCacheMiss) {
		return k.newAccountSigner()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key of the account: %w", err)
	}
	block, rest := pem.Decode(data)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%s is no private key in PEM (take it away, and the next order makes another account)", file)
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil { // as autocert writes it
		return key, nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	return nil, fmt.Errorf("%s is no private key that signs (take it away, and the next order makes another account)", file)
}

func (k *Keeper) newAccountSigner() (crypto.Signer, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	text, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	if err := k.store.Put(context.Background(), accountKey, text); err != nil { // without it the next start would make another account
		return nil, fmt.Errorf("keeping the key of the account: %w", err)
	}
	return key, nil
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }
