package dash

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// hostSet holds the names under which the dashboard answers. A page of an attacker whose name resolves to 127.0.0.1 (DNS
// rebinding) sends its own name as Host, and is refused by it.
type hostSet []string

func newHostSet(hosts []string) (hostSet, error) {
	var set hostSet
	var errs []error
	for _, h := range hosts {
		name := strings.ToLower(strings.TrimSuffix(strings.Trim(h, "[]"), "."))
		if _, err := netip.ParseAddr(name); name == "" || err != nil && strings.ContainsAny(name, ":/*@ \t") {
			errs = append(errs, fmt.Errorf("dashboard: host %q: give a host name or an IP address, without scheme and port", h))
		}
		set = append(set, name)
	}
	return set, errors.Join(errs...)
}

func (s hostSet) contains(hostport string) bool { return slices.Contains(s, hostName(hostport)) }

// hostName cuts port, brackets and a final dot off a Host header.
func hostName(hostport string) string {
	name := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		name = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
}

// checkHost answers 421 to a Host that is not ours. What machines ask for may come by any IP address: orchestrators and
// Prometheus name a container so, and rebinding needs a name. It may not come by any name, because metrics tell what sites
// there are and how busy they are, which no page in somebody's browser is to read. The style sheet, which is in every copy of the program, comes with the page for 421.
func (d *Dashboard) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		probe := forMachines(r.URL.Path) && isIP(r.Host)
		if d.hosts.contains(r.Host) || probe || strings.HasPrefix(r.URL.Path, "/static/") {
			next.ServeHTTP(w, r)
			return
		}
		d.status(w, r, http.StatusMisdirectedRequest)
	})
}

// shown lists the hosts as a person types them.
func (s hostSet) shown() []string {
	names := slices.Clone(s)
	for i, name := range names {
		if strings.Contains(name, ":") {
			names[i] = "[" + name + "]"
		}
	}
	return names
}

func isIP(hostport string) bool {
	_, err := netip.ParseAddr(hostName(hostport))
	return err == nil
}
