package policyfile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// listeners are the keys with an address, as a line that holds one.
var listeners = map[string]string{"listen": "listen: %s", "admin": "admin: %s", "http": "tls: {cert: a, key: b, http: %s}"}

func TestAddresses(t *testing.T) {
	for _, address := range []string{"127.0.0.1:8080", "0.0.0.0:443", ":8080", "127.0.0.1:0", "[::1]:65535", "[::]:80", "[fe80::1%eth0]:80", "localhost:80", "merlon:7780", "a.example:80", "3com.example:1"} {
		for key, line := range listeners {
			f, err := policyfile.Parse("m", []byte("version: 1\nupstream: http://a:1\n"+fmt.Sprintf(line, `"`+address+`"`)+"\n"))
			if err != nil {
				t.Errorf("%s: %s: %v", key, address, err)
			} else if got := f.Listen + f.Admin + f.TLS.HTTP; got != address {
				t.Errorf("%s: %s is read as %s", key, address, got)
			}
		}
	}
}

func TestAddressMistakes(t *testing.T) {
	const (
		form = "an address is host and port (write "
		port = "a port is a number from 0 to 65535 (write "
		name = "neither an IP address nor the name of a host is before the port (write "
	)
	for address, why := range map[string]string{
		"22:22": name, "127.1:80": name, "1.2.3.256:80": name, "*:80": name, "shop example:80": name, "http://a:80": form,
		"127.0.0.1": form, "8080": form, "::1:8080": form, "/run/x.sock": form, "127.0.0.1:65536": port, "127.0.0.1:": port, "127.0.0.1:http": port, "127.0.0.1:-1": port,
		"127.0.0.1:080": port, "127.0.0.1:+80": port, "": form, "[fe80::1%]:80": name,
	} {
		places := map[string]string{"listen": "m:3:1: listen: ", "admin": "m:3:1: admin: ", "http": "m:3:24: tls.http: "}
		for key, line := range listeners {
			_, err := policyfile.Parse("m", []byte("version: 1\nupstream: http://a:1\n"+fmt.Sprintf(line, `"`+address+`"`)+"\n"))
			value := fmt.Sprintf("%q: ", address)
			if address == "" {
				value = ""
			}
			if want := places[key] + value + why + key + ": "; err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: %q\n got %v\nwant %s", key, address, err, want)
			}
		}
	}
	// Without quotes YAML reads a port alone as a number.
	_, err := policyfile.Parse("m", []byte("version: 1\nupstream: http://a:1\nlisten: 8080\n"))
	if want := `m:3:1: listen: "8080": an address is host and port (write listen: 127.0.0.1:8080; 0.0.0.0 is every address of this machine)`; err == nil || err.Error() != want {
		t.Errorf("listen: 8080\n got %v\nwant %s", err, want)
	}
}
