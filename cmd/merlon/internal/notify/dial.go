package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Resolver finds the addresses of a host, as net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// dialer opens connections to hosts whose addresses it has looked at itself: what it resolves is what it dials, so that a name cannot
// lead elsewhere in between (DNS rebinding).
type dialer struct {
	resolver     Resolver // nil is the system's
	allowPrivate bool
}

// dialTimeout bounds to resolve a name and to connect to one of its addresses.
const dialTimeout = 10 * time.Second

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	// net/http lets a dial go on without the request that wanted it.
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, addr := range addrs {
		if err := checkAddress(addr, d.allowPrivate); err != nil {
			return nil, err
		}
	}
	var errs []error
	for _, addr := range addrs {
		conn, err := new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(addr.String(), port))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// maxAddresses bounds how many addresses of a host are tried.
const maxAddresses = 8

func (d dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	var r Resolver = net.DefaultResolver
	if d.resolver != nil {
		r = d.resolver
	}
	addrs, err := r.LookupNetIP(ctx, "ip", host)
	if err == nil && len(addrs) == 0 {
		err = fmt.Errorf("the host has no address")
	}
	return addrs[:min(len(addrs), maxAddresses)], err
}

// checkAddress refuses what is not on the public internet. What no target can be, link-local addresses and those where clouds keep
// their secrets, nobody can allow.
func checkAddress(addr netip.Addr, allowPrivate bool) error {
	addr = addr.Unmap().WithZone("")
	if inner, ok := embedded(addr); ok {
		addr = inner
	}
	if within(addr, never) || addr.IsMulticast() || addr.IsUnspecified() || addr.IsLinkLocalUnicast() {
		return fmt.Errorf("%s is no address that alerts may go to", addr)
	}
	if !allowPrivate && (addr.IsPrivate() || addr.IsLoopback() || within(addr, private)) {
		return fmt.Errorf("%s is not on the public internet (write allow_private: true to allow it)", addr)
	}
	return nil
}

// embedded is the IPv4 address that a translator or tunnel makes of one of version 6: 64:ff9b::/96 (RFC 6052), 2002::/16 (RFC 3056),
// ::/96 (RFC 4291 §2.5.5.1).
func embedded(addr netip.Addr) (netip.Addr, bool) {
	if !addr.Is6() {
		return addr, false
	}
	b := addr.As16()
	switch {
	case nat64.Contains(addr), compatible.Contains(addr) && !addr.IsLoopback() && !addr.IsUnspecified():
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return addr, false
}

var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	compatible = netip.MustParsePrefix("::/96")
	sixToFour  = netip.MustParsePrefix("2002::/16")

	// never are link-local addresses, and where clouds answer questions about a machine.
	never = prefixes("169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32", "fe80::/10", "0.0.0.0/8", "240.0.0.0/4")

	// private are those that the IANA's registries of special addresses say are not global, besides those that net/netip knows.
	private = prefixes("100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "192.88.99.0/24",
		"64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10")
)

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range list {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

func within(addr netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
