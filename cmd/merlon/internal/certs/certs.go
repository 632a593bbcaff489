// Package certs gives TLS handshakes their certificates: the operator's own, from files, and those that a CA issues by ACME
// (RFC 8555), which it orders, keeps on disk and renews.
//
// A handshake never causes an order. Orders are made for the hosts of the sites, in the background, each host in a goroutine of its
// own; a handshake gets what is there.
package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// maxOrders is how many orders are under way at once.
const maxOrders = 4

// Config says where certificates come from.
type Config struct {
	ACME *CA    // nil: from files alone
	Dir  string // where certificates of the CA and the keys are kept, readable by this user alone
	Min  uint16 // lowest version of TLS; 0 is 1.2

	// Plain says that a listener for plain HTTP serves Challenges: then the CA may ask there as well.
	Plain  bool
	Logger *slog.Logger
}

// CA is a certificate authority that issues by ACME. The operator has accepted its terms.
type CA struct {
	Email     string // where it may write to, "" for nowhere
	Directory string // its address, an https URL
	Roots     []byte // PEM certificates that its address is trusted by; nil for those of the system
	KeyID     string // of an account that exists there already, "" for none
	MAC       []byte // proves that this account is the operator's
}

// Keeper gives each handshake its certificate. It is safe for concurrent use, but for Use and Close, which belong to its owner.
type Keeper struct {
	c       Config
	log     *slog.Logger
	store   autocert.DirCache
	orders  chan struct{} // holds a value for each order under way
	keeping sync.WaitGroup
	account sync.Mutex // held while its key is read or made

	mu     sync.RWMutex // guards what follows
	own    *Own
	hosts  map[string]*host // those that the CA is asked for
	first  string           // of them
	proofs map[string]*tls.Certificate
	tokens map[string]string // what answers a challenge over HTTP, by host and path
}

// New makes a Keeper that has no certificates yet. Its owner gives it some with Use, and ends it with Close.
func New(c Config) *Keeper {
	k := &Keeper{c: c, log: c.Logger, own: new(Own), orders: make(chan struct{}, maxOrders),
		hosts: map[string]*host{}, proofs: map[string]*tls.Certificate{}, tokens: map[string]string{}}
	if c.ACME != nil {
		k.store = autocert.DirCache(folder(c.Dir, c.ACME.Directory))
	}
	return k
}

// Use puts own certificates in force and has the CA asked for one for each of the hosts that they do not cover. Hosts that were there
// before keep theirs; nothing more is ordered for those that are gone.
func (k *Keeper) Use(own *Own, hosts []string) {
	wanted := map[string]*host{}
	first := ""
	for _, name := range hosts {
		if k.c.ACME == nil || own.covers(name) {
			continue
		}
		if first == "" {
			first = name
		}
		if wanted[name] = k.hosts[name]; wanted[name] == nil { // only Use changes the map
			wanted[name] = &host{name: name, certificate: k.load(name)}
		}
	}
	k.mu.Lock()
	before := k.hosts
	k.own, k.hosts, k.first = own, wanted, first
	k.mu.Unlock()
	for name, h := range before {
		if wanted[name] == nil {
			h.stop()
		}
	}
	for _, h := range wanted {
		if h.stop == nil {
			var ctx context.Context
			ctx, h.stop = context.WithCancel(context.Background())
			k.keeping.Go(func() { k.keep(ctx, h) })
		}
	}
}

// Close gives up the orders under way and waits for their end.
func (k *Keeper) Close() {
	for _, h := range k.hosts {
		h.stop()
	}
	k.keeping.Wait()
}

// TLS returns the configuration of a listener. What Go does by itself is as it should be: renegotiation off, curves, cipher suites and
// session tickets with keys that change.
func (k *Keeper) TLS() *tls.Config {
	c := &tls.Config{MinVersion: max(k.c.Min, tls.VersionTLS12), NextProtos: []string{"h2", "http/1.1"}, GetCertificate: k.certificate}
	if k.c.ACME != nil {
		c.NextProtos = append(c.NextProtos, acme.ALPNProto)
	}
	return c
}

// certificate returns nil without an error for a name that nobody has: the client is told unrecognized_name. RFC 6066 §3
func (k *Keeper) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(hello.ServerName)
	k.mu.RLock()
	defer k.mu.RUnlock()
	if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acme.ALPNProto { // RFC 8737 §3
		return k.proofs[name], nil
	}
	if c := k.own.choose(name, hello); c != nil {
		return c, nil
	}
	h := k.hosts[name]
	if h == nil {
		if c := k.own.first(); c != nil {
			return c, nil
		}
		if name == "" {
			h = k.hosts[k.first]
		}
	}
	switch {
	case h == nil:
		return nil, nil
	case h.certificate == nil:
		return nil, fmt.Errorf("no certificate for %s yet", h.name)
	}
	return h.certificate, nil
}
