package certs

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/acme"
)

// problemAdvice has the way out of what CAs say, by the end of the problem's type. RFC 8555 §6.7
var problemAdvice = []struct{ problem, way string }{
	{"rateLimited", "wait: the CA issues no more for now; it says until when, or has a page on its limits"},
	{"rejectedIdentifier", "take the host out of hosts, or name a certificate of your own for it under tls.certs: this CA does not issue for it"},
	{"caa", "allow this CA in the domain's CAA records, or use one that they allow"},
	{"externalAccountRequired", "this CA wants an account there first: write tls.acme.eab: {key_id: ID, key_file: FILE}"},
	{"invalidContact", "correct tls.acme.email"},
	{"unsupportedContact", "correct tls.acme.email"},
	{"userActionRequired", "the CA's terms have changed: read and accept them there"},
	{"badCSR", "name a certificate of your own for the host under tls.certs"},
}

// advice is what the operator can do about a failed order.
func (k *Keeper) advice(host string, err error) string {
	if refused := (*acme.AuthorizationError)(nil); errors.As(err, &refused) {
		if way := problemWay(refused.Errors); way != "" {
			return way
		}
		ports := "port 443"
		if k.c.Plain {
			ports += " or port 80"
		} else {
			ports += " (or port 80, with tls.http: 0.0.0.0:80)"
		}
		return fmt.Sprintf("let the CA reach this gateway at %s on %s: look at its DNS entries, IPv6 included, firewalls and proxies in front", host, ports)
	}
	if way := problemWay([]error{err}); way != "" {
		return way
	}
	if refusal(err) {
		return "the CA says why"
	}
	return "look whether this machine reaches " + k.c.ACME.Directory + " and trusts its certificate (tls.acme.ca_file)"
}

func problemWay(errs []error) string {
	for _, err := range errs {
		problem := (*acme.Error)(nil)
		if order := (*acme.OrderError)(nil); errors.As(err, &order) && order.Problem != nil {
			problem = order.Problem
		} else if !errors.As(err, &problem) {
			continue
		}
		for _, a := range problemAdvice {
			if strings.HasSuffix(strings.ToLower(problem.ProblemType), ":"+strings.ToLower(a.problem)) {
				return a.way
			}
		}
	}
	return ""
}
