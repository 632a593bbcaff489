package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/crypto/acme"
)

// callTimeout bounds one request to the CA.
const callTimeout = 30 * time.Second

// maxRetries and maxRetryPause bound how often one request to the CA is made again, after a nonce that it did not take or an error of
// its own, and how long it can make us wait for that. Beyond those the order has failed.
const (
	maxRetries    = 6
	maxRetryPause = 30 * time.Second
)

// client returns a client with an account at the CA, and what ends its connections. It is for one order: the next one may be months
// away, and until then the CA may have moved its addresses or forgotten the account.
func (k *Keeper) client(ctx context.Context) (client *acme.Client, done func(), err error) {
	signer, err := k.accountSigner()
	if err != nil {
		return nil, nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if k.c.ACME.Roots != nil {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(k.c.ACME.Roots)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	client = &acme.Client{Key: signer, DirectoryURL: k.c.ACME.Directory, UserAgent: "merlon",
		HTTPClient: &http.Client{Transport: transport, Timeout: callTimeout}, RetryBackoff: retryPause}
	if err := k.register(ctx, client); err != nil {
		transport.CloseIdleConnections()
		return nil, nil, err
	}
	return client, transport.CloseIdleConnections, nil
}

// register makes the account, or finds the one that the key has.
func (k *Keeper) register(ctx context.Context, client *acme.Client) error {
	account := new(acme.Account)
	if k.c.ACME.Email != "" {
		account.Contact = []string{"mailto:" + k.c.ACME.Email}
	}
	if k.c.ACME.KeyID != "" {
		account.ExternalAccountBinding = &acme.ExternalAccountBinding{KID: k.c.ACME.KeyID, Key: k.c.ACME.MAC}
	}
	terms := ""
	_, err := client.Register(ctx, account, func(url string) bool { terms = url; return true })
	switch {
	case errors.Is(err, acme.ErrAccountAlreadyExists):
		return nil
	case err != nil:
		return fmt.Errorf("registering at the CA: %w", err)
	}
	k.log.Info("registered at the CA", "ca", k.c.ACME.Directory, "accepted terms", terms)
	return nil
}

// retryPause is how long to wait before a request is made for the nth time again; 0 gives it up.
func retryPause(n int, _ *http.Request, res *http.Response) time.Duration {
	pause := 100 * time.Millisecond << n
	if after, err := time.ParseDuration(res.Header.Get("Retry-After") + "s"); err == nil {
		pause = max(pause, after)
	}
	if n > maxRetries || pause > maxRetryPause {
		return 0
	}
	return pause
}
