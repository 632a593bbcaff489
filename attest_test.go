package merlon_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
)

var nonceSecret = bytes.Repeat([]byte{7}, 32)

func newNonceKey(t testing.TB, secret []byte, site string) *merlon.NonceKey {
	t.Helper()
	k, err := merlon.NewNonceKey(secret, site)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// attesting returns a Guard whose nonces the key of the moment attests.
func attesting(t testing.TB, c merlon.Config, key func() *merlon.NonceKey) *merlon.Guard {
	t.Helper()
	g, err := merlon.NewHooked(c, merlon.Hooks{NonceKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// plainAttests says by the standard library what Attests is to say.
func plainAttests(secret []byte, site, nonce string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(raw) != 24 || len(nonce) != 32 {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(site))
	mac.Write(raw[:16])
	return hmac.Equal(mac.Sum(nil)[:8], raw[16:])
}

func TestAttestedNonce(t *testing.T) {
	for _, site := range []string{"", "shop.example", strings.Repeat("s", 512)} {
		for _, size := range []int{16, 32, 64} {
			secret := nonceSecret[:min(size, 32)]
			if size == 64 {
				secret = append(secret, secret...)
			}
			key := newNonceKey(t, secret, site)
			g := attesting(t, merlon.Strict(), func() *merlon.NonceKey { return key })
			page := g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, merlon.Nonce(r.Context())) }))
			res, body := visit(t, page, 1, "GET", "https://shop.example/")
			if got := nonces(res); len(got) == 0 || got[0] != body || len(body) != 32 {
				t.Fatalf("the page has %q, its policy %q", body, got)
			}
			if !key.Attests(body) || !plainAttests(secret, site, body) {
				t.Errorf("site %q, secret of %d bytes: the nonce %q: Attests %t, by crypto/hmac %t", site, size, body, key.Attests(body), plainAttests(secret, site, body))
			}
		}
	}
}

func TestNonceThatNobodyAttests(t *testing.T) {
	key := newNonceKey(t, nonceSecret, "shop.example")
	g := attesting(t, merlon.Strict(), func() *merlon.NonceKey { return key })
	good := nonces(ask(g.Handler(text("x")), "GET", "https://shop.example/"))[0]
	flipped := []byte(good)
	for name, nonce := range map[string]string{
		"empty":             "",
		"not attested":      good[:22],
		"truncated":         good[:31],
		"longer":            good + "A",
		"padded":            good[:30] + "==",
		"of other letters":  good[:31] + "+",
		"with a line break": good[:16] + "\n" + good[17:],
		"zeros":             strings.Repeat("A", 32),
		"tag of another":    good[:22] + nonces(ask(g.Handler(text("x")), "GET", "https://shop.example/"))[0][22:],
	} {
		if key.Attests(nonce) {
			t.Errorf("%s: %q is attested", name, nonce)
		}
	}
	for i := range flipped {
		flipped[i] ^= 1
		if key.Attests(string(flipped)) {
			t.Errorf("%q is attested, of which letter %d is wrong", flipped, i)
		}
		flipped[i] ^= 1
	}
	if newNonceKey(t, nonceSecret, "shop.exampl").Attests(good) || newNonceKey(t, nonceSecret, "").Attests(good) {
		t.Error("another site attests the nonce")
	}
	if newNonceKey(t, nonceSecret[:31], "shop.example").Attests(good) {
		t.Error("another secret attests the nonce")
	}
}

// A Guard asks for the key each time, and those before it are good as long as somebody has them.
func TestNonceKeysChange(t *testing.T) {
	old, young := newNonceKey(t, nonceSecret, "a"), newNonceKey(t, nonceSecret[:16], "a")
	var key *merlon.NonceKey
	h := attesting(t, merlon.Strict(), func() *merlon.NonceKey { return key }).Handler(text("x"))
	nonce := func() string { return nonces(ask(h, "GET", "https://shop.example/"))[0] }
	if got := nonce(); len(got) != 22 {
		t.Errorf("without a key the nonce is %q", got)
	}
	key = old
	before := nonce()
	key = young
	after := nonce()
	both := merlon.NonceKeys{young, old}
	if !both.Attests(before) || !both.Attests(after) || young.Attests(before) || old.Attests(after) || both.Attests("x") || merlon.NonceKeys(nil).Attests(after) {
		t.Errorf("both keys: %t %t, the other one: %t %t", both.Attests(before), both.Attests(after), young.Attests(before), old.Attests(after))
	}
}

func TestMint(t *testing.T) {
	key := newNonceKey(t, nonceSecret, "a")
	first, second := key.Mint(), key.Mint()
	if first == second || !key.Attests(first) || !plainAttests(nonceSecret, "a", second) {
		t.Errorf("%q and %q", first, second)
	}
}

func TestNewNonceKeyRefuses(t *testing.T) {
	for _, c := range []struct {
		secret int
		site   string
		want   string
	}{{0, "a", "crypto/rand"}, {15, "a", "15 bytes"}, {65, "a", "65 bytes"}, {32, strings.Repeat("a", 513), "at most 512"}} {
		if _, err := merlon.NewNonceKey(make([]byte, c.secret), c.site); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("NewNonceKey(%d bytes, %d bytes): %v, want %q", c.secret, len(c.site), err, c.want)
		}
	}
}

func TestNonceKeyCopiesItsSecret(t *testing.T) {
	secret := bytes.Clone(nonceSecret)
	key := newNonceKey(t, secret, "a")
	clear(secret)
	h := attesting(t, merlon.Strict(), func() *merlon.NonceKey { return key }).Handler(text("x"))
	if nonce := nonces(ask(h, "GET", "https://shop.example/"))[0]; !plainAttests(nonceSecret, "a", nonce) {
		t.Error("clearing the secret changes the key")
	}
}

func TestPolicyHashIgnoresAttestedNonces(t *testing.T) {
	var hashes []string
	for _, key := range []*merlon.NonceKey{nil, newNonceKey(t, nonceSecret, "a")} {
		g, err := merlon.NewHooked(merlon.Strict(), merlon.Hooks{
			NonceKey:  func() *merlon.NonceKey { return key },
			Committed: func(c merlon.Committed) { hashes = append(hashes, c.Policy) },
		})
		if err != nil {
			t.Fatal(err)
		}
		ask(g.Handler(text("x")), "GET", "https://shop.example/")
	}
	if len(hashes) != 2 || hashes[0] != hashes[1] {
		t.Errorf("without and with a key the policies are %q", hashes)
	}
}

func TestAttestedNonceAllocations(t *testing.T) {
	key := newNonceKey(t, nonceSecret, "shop.example")
	g := attesting(t, merlon.Strict(), func() *merlon.NonceKey { return key })
	h := g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) }))
	w := &discard{h: http.Header{}}
	r := httptest.NewRequest("GET", "https://shop.example/a/b", nil)
	if n := testing.AllocsPerRun(100, func() { clear(w.h); h.ServeHTTP(w, r) }); n > 3+allocatedByRace {
		t.Errorf("%v allocations, want at most 3", n)
	}
	nonce := nonces(ask(h, "GET", "https://shop.example/"))[0]
	if n := testing.AllocsPerRun(100, func() { key.Attests(nonce) }); n > 0 {
		t.Errorf("Attests: %v allocations", n)
	}
}

func FuzzAttests(f *testing.F) {
	key := newNonceKey(f, nonceSecret, "shop.example")
	raw := make([]byte, 16)
	mac := hmac.New(sha256.New, nonceSecret)
	mac.Write(append([]byte("shop.example"), raw...))
	good := base64.RawURLEncoding.EncodeToString(mac.Sum(raw)[:24])
	for _, nonce := range []string{good, good[:22], good[:31], good + "\n", strings.ToLower(good), strings.Repeat("A", 32), "\x00", strings.Repeat("-", 32)} {
		f.Add(nonce)
	}
	if !key.Attests(good) {
		f.Fatalf("%q is not attested", good)
	}
	f.Fuzz(func(t *testing.T, nonce string) {
		if got, want := key.Attests(nonce), plainAttests(nonceSecret, "shop.example", nonce); got != want {
			t.Errorf("Attests(%q) = %t, by crypto/hmac %t", nonce, got, want)
		}
	})
}

func BenchmarkNonce(b *testing.B) {
	key := newNonceKey(b, nonceSecret, "shop.example")
	for name, key := range map[string]*merlon.NonceKey{"random": nil, "attested": key} {
		h := attesting(b, merlon.Strict(), func() *merlon.NonceKey { return key }).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200) }))
		b.Run(name, func(b *testing.B) {
			w := &discard{h: http.Header{}}
			r := httptest.NewRequest("GET", "https://shop.example/a/b", nil)
			b.ReportAllocs()
			for b.Loop() {
				clear(w.h)
				h.ServeHTTP(w, r)
			}
		})
	}
}
