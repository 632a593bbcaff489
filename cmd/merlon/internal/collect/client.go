package collect

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// client is who sent a POST, as far as it is known while the POST is answered. The address goes nowhere but into keyed hashes.
type client struct {
	addr    netip.Addr // the zero Addr: not known
	network uint64     // keyed hash for store.Hit; 0: not known; even: everybody's, so that it has no budget
}

// nat64 is where IPv6-only networks see IPv4 addresses. https://www.rfc-editor.org/rfc/rfc6052#section-2.1
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// plain returns the IPv4 address in an IPv6 one that stands for it, and any address without its zone.
func plain(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if nat64.Contains(addr) {
		raw := addr.As16()
		return netip.AddrFrom4([4]byte(raw[12:]))
	}
	return addr
}

// network returns what one subscriber has at least: an IPv4 /24, an IPv6 /48.
func network(addr netip.Addr) netip.Prefix {
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	prefix, err := addr.Prefix(bits)
	if err != nil { // the zero Addr
		return netip.Prefix{}
	}
	return prefix
}

// shared reports whether everybody may come from the address: it is a proxy of the operator's whose word is not taken.
func shared(addr netip.Addr) bool {
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast()
}

// networks hashes the networks of clients with a key that lives for a day and is nowhere but in memory, so that nobody can find
// out the network from what is stored. An address is one block of AES, which is thus all that the hash needs: under a key that nobody has,
// the first half of an encrypted block tells nothing about what was encrypted. An HMAC took ten times as long.
type networks struct {
	mu  sync.Mutex
	day int64 // in UTC
	key cipher.Block
}

func (n *networks) of(addr netip.Addr, now time.Time) client {
	addr = plain(addr)
	prefix := network(addr)
	if !prefix.IsValid() {
		return client{}
	}
	block := prefix.Addr().As16() // an IPv4 address as the IPv6 address that stands for it
	n.today(now).Encrypt(block[:], block[:])
	hash := binary.BigEndian.Uint64(block[:]) | 1
	if shared(addr) {
		hash ^= 1
	}
	return client{addr, hash}
}

func (n *networks) today(now time.Time) cipher.Block {
	n.mu.Lock()
	defer n.mu.Unlock()
	if day := now.Unix() / (24 * 60 * 60); day != n.day || n.key == nil {
		n.day, n.key = day, freshKey()
	}
	return n.key
}

func freshKey() cipher.Block {
	var key [32]byte
	rand.Read(key[:]) // never fails since Go 1.24
	block, err := aes.NewCipher(key[:])
	if err != nil { // of the key's length
		panic(err)
	}
	return block
}

// peer is the address at the other end of the connection.
func peer(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddrPort(r.RemoteAddr)
	return addr.Addr()
}

// Behind returns a function for [Site.Client]: the peer, or where that is one of the trusted proxies, the address that the outermost of so
// many of them has added to X-Forwarded-For. Where they say nothing the client is not known.
func Behind(trusted func(*http.Request) bool, hops int) func(*http.Request) netip.Addr {
	return func(r *http.Request) netip.Addr {
		if !trusted(r) {
			return peer(r)
		}
		values := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
		if len(values) < hops {
			return netip.Addr{}
		}
		text := strings.TrimSpace(values[len(values)-hops])
		if with, err := netip.ParseAddrPort(text); err == nil {
			return with.Addr()
		}
		addr, _ := netip.ParseAddr(strings.Trim(text, "[]"))
		return addr
	}
}
