package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Pair names a certificate, with those up to its root behind it, and its private key, in PEM files.
type Pair struct{ Cert, Key string }

// Own is a set of certificates from files. It never changes; the zero Own is empty.
type Own struct {
	list   []*tls.Certificate
	files  []Pair
	byName map[string][]*tls.Certificate // by the names that stand in them, *.shop.example included
}

// Read reads certificates and checks that each belongs to its key. The error joins all mistakes.
func Read(pairs []Pair) (*Own, error) {
	o := &Own{files: pairs, byName: map[string][]*tls.Certificate{}}
	var errs []error
	for _, p := range pairs {
		c, err := tls.LoadX509KeyPair(p.Cert, p.Key)
		if err != nil {
			errs = append(errs, fmt.Errorf("tls: the certificate %s and the key %s: %w (%s)", p.Cert, p.Key, err, wayOut(err)))
			continue
		}
		o.list = append(o.list, &c)
		for _, name := range c.Leaf.DNSNames {
			name = strings.ToLower(name)
			o.byName[name] = append(o.byName[name], &c)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return o, nil
}

// wayOut is what to do about a pair that cannot be read.
func wayOut(err error) string {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "names count from the directory in which merlon is started: write the whole path"
	case errors.Is(err, os.ErrPermission):
		return "let the user that merlon runs as read both files"
	}
	return "write the certificate, with those up to its root behind it, under cert, and the key that it was made for under key, both in PEM"
}

func (o *Own) first() *tls.Certificate {
	if len(o.list) == 0 {
		return nil
	}
	return o.list[0]
}

// named returns the certificates with the name, or else those for all names beside it. A wildcard stands for one label. RFC 6125 §6.4.3
func (o *Own) named(name string) []*tls.Certificate {
	if list := o.byName[name]; list != nil {
		return list
	}
	if _, above, ok := strings.Cut(name, "."); ok {
		return o.byName["*."+above]
	}
	return nil
}

// choose returns the first certificate with the name that the client can check, or else the first one, or nil where none has it.
func (o *Own) choose(name string, hello *tls.ClientHelloInfo) *tls.Certificate {
	list := o.named(name)
	for _, c := range list {
		if hello.SupportsCertificate(c) == nil {
			return c
		}
	}
	if len(list) > 0 {
		return list[0]
	}
	return nil
}

// covers reports whether one of the certificates is for the host, which may be an address or begin with "*.".
func (o *Own) covers(host string) bool {
	if len(o.named(host)) > 0 {
		return true
	}
	for _, c := range o.list {
		if c.Leaf.VerifyHostname(host) == nil {
			return true
		}
	}
	return false
}

// readable are the bits of a key file's mode that let others read it, and its group change it. A group of servers that reads it is
// how Debian keeps keys.
const readable = 0o027

// Warnings says what works and is probably not meant: certificates out of their time, key files that others can read, and hosts that
// neither these certificates are for nor the CA, which is asked for those in ordered.
func (o *Own) Warnings(hosts, ordered []string, now time.Time) []string {
	var out []string
	for i, c := range o.list {
		file := o.files[i]
		if now.After(c.Leaf.NotAfter) {
			out = append(out, fmt.Sprintf("the certificate %s ended on %s: browsers refuse it; put a new one there", file.Cert, c.Leaf.NotAfter.Format(time.DateOnly)))
		}
		if now.Before(c.Leaf.NotBefore) {
			out = append(out, fmt.Sprintf("the certificate %s begins on %s: browsers refuse it until then; is this machine's clock right?", file.Cert, c.Leaf.NotBefore.Format(time.DateOnly)))
		}
		if info, err := os.Stat(file.Key); err == nil && runtime.GOOS != "windows" && info.Mode()&readable != 0 {
			out = append(out, fmt.Sprintf("the key %s has mode %04o: others can read or change it; run chmod 600 %s", file.Key, info.Mode().Perm(), file.Key))
		}
	}
	var missing []string
	known := map[string]bool{}
	for _, host := range ordered {
		known[host] = true
	}
	for _, host := range hosts {
		if !known[host] && !o.covers(host) {
			missing = append(missing, host)
		}
	}
	if len(missing) > 0 {
		out = append(out, fmt.Sprintf("no certificate is for %s: browsers refuse those hosts over HTTPS; name a certificate for them under tls.certs", strings.Join(missing, ", ")))
	}
	return out
}
