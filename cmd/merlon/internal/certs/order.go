package certs

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/acme"
)

// orderTimeout bounds one order, the CA's visits included.
const orderTimeout = 5 * time.Minute

// The challenges that a CA can set. RFC 8737, RFC 8555 §8.3
const (
	byTLS  = "tls-alpn-01" // a handshake on port 443
	byHTTP = "http-01"     // a request on port 80
)

// errNotOffered is what a CA's authorization lacks the challenge for.
var errNotOffered = errors.New("the CA does not offer that challenge")

// order gets a certificate for the host and keeps it.
func (k *Keeper) order(ctx context.Context, h *host) (*tls.Certificate, error) {
	select {
	case k.orders <- struct{}{}:
		defer func() { <-k.orders }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	client, done, err := k.client(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	ready, err := k.authorize(ctx, client, h)
	if err != nil {
		return nil, err
	}
	certificate, err := collect(ctx, client, ready, h.name)
	if err != nil {
		return nil, fmt.Errorf("the order: %w", err)
	}
	if err := k.save(h.name, certificate); err != nil {
		k.log.Error("the certificate could not be kept: it serves, and a new start orders another", "host", h.name, "folder", string(k.store), "error", err)
	}
	return certificate, nil
}

// authorize orders and meets the CA's challenges, first those of the kind that worked the last time. A challenge that fails takes the
// order with it, so the other kind is tried with an order of its own.
func (k *Keeper) authorize(ctx context.Context, client *acme.Client, h *host) (*acme.Order, error) {
	kinds := []string{byTLS}
	if k.c.Plain {
		kinds = []string{byTLS, byHTTP}
		if h.plain {
			kinds = []string{byHTTP, byTLS}
		}
	}
	var failed error
	for _, kind := range kinds {
		order, err := k.authorizeBy(ctx, client, h.name, kind)
		if err == nil {
			h.plain = kind == byHTTP
			return order, nil
		}
		err = fmt.Errorf("%s: %w", kind, err)
		if failed == nil {
			failed = err
		} else {
			failed = fmt.Errorf("%w; %w", failed, err)
		}
		if refused := (*acme.AuthorizationError)(nil); !errors.As(err, &refused) && !errors.Is(err, errNotOffered) {
			break // another challenge would change nothing
		}
	}
	return nil, failed
}

func (k *Keeper) authorizeBy(ctx context.Context, client *acme.Client, host, kind string) (*acme.Order, error) {
	order, err := client.AuthorizeOrder(ctx, acme.DomainIDs(host))
	if err != nil {
		return nil, err
	}
	for _, url := range order.AuthzURLs {
		if err := k.meet(ctx, client, url, host, kind); err != nil {
			return nil, err
		}
	}
	return client.WaitOrder(ctx, order.URI)
}

// meet answers the challenge of that kind until the CA has looked.
func (k *Keeper) meet(ctx context.Context, client *acme.Client, url, host, kind string) error {
	authorization, err := client.GetAuthorization(ctx, url)
	if err != nil || authorization.Status == acme.StatusValid { // from an order before
		return err
	}
	for _, challenge := range authorization.Challenges {
		if challenge.Type != kind {
			continue
		}
		remove, err := k.answer(client, host, challenge)
		if err != nil {
			return err
		}
		defer remove()
		if _, err := client.Accept(ctx, challenge); err != nil {
			return err
		}
		_, err = client.WaitAuthorization(ctx, url)
		return err
	}
	return errNotOffered
}

// collect has the CA sign a new key: one that is used for long gets lost at some time.
func collect(ctx context.Context, client *acme.Client, order *acme.Order, host string) (*tls.Certificate, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{host}}, key)
	if err != nil {
		return nil, err
	}
	chain, _, err := client.CreateCertFromOrder(ctx, order, request, true)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, err
	}
	if err := leaf.VerifyHostname(host); err != nil {
		return nil, err
	}
	if !key.PublicKey.Equal(leaf.PublicKey) {
		return nil, errors.New("the CA signed another key")
	}
	return &tls.Certificate{Certificate: chain, PrivateKey: key, Leaf: leaf}, nil
}
