package hostport_test

import (
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/hostport"
)

func TestSplit(t *testing.T) {
	for text, want := range map[string]string{
		"Shop.example": "shop.example", "shop.example:8443": "shop.example :8443", "a_b-c.example": "a_b-c.example", "shop.example.": "shop.example.",
		"192.0.2.1:80": "192.0.2.1 :80", "[2001:DB8:0::1]:80": "[2001:db8::1] :80", "[::1]": "[::1]", "::1": "[::1]",
		"": "-", "a..b": "-", "a b": "-", "a/b": "-", "b@a": "-", "a:": "-", "a:0": "-", "a:65536": "-", "a:http": "-", "[a]": "-", "[192.0.2.1]": "-", "[fe80::1%eth0]": "-", "*.a": "-",
	} {
		got := "-"
		if name, port, ok := hostport.Split(text); ok && port != "" {
			got = name + " " + port
		} else if ok {
			got = name
		}
		if got != want {
			t.Errorf("Split(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestMap(t *testing.T) {
	m := hostport.Map[string]{}
	for _, host := range []string{"a.example", "a.example:8443", "*.a.example", "*.b.a.example:81", "[::1]:80"} {
		if err := m.Add(host, host); err != nil {
			t.Fatal(err)
		}
	}
	for host, want := range map[string]string{
		"a.example": "a.example", "a.example:80": "a.example", "A.example:8443": "a.example:8443", "x.a.example": "*.a.example", "x.b.a.example:81": "*.b.a.example:81",
		"x.b.a.example": "*.a.example", "ba.example": "", "example": "", "[0::1]:80": "[::1]:80", "[::1]": "",
	} {
		name, port, ok := hostport.Split(host)
		if got, found := m.Get(name, port); !ok || got != want || found != (want != "") {
			t.Errorf("Get(%q) = %q, %v, want %q", host, got, found, want)
		}
	}
	for _, host := range []string{"A.EXAMPLE", "*.a.example", "https://a.example", "*.", ""} {
		if err := m.Add(host, ""); err == nil {
			t.Errorf("Add(%q) = nil", host)
		}
	}
}
