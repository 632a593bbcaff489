package cli

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
	"github.com/merlon-sec/merlon/csp"
)

// greet says what is protected and how far, in plain words.
func greet(out io.Writer, file *policyfile.File, s *stack, p ports) {
	fmt.Fprintf(out, "merlon gateway listens on %s\n", address(file, p.public))
	if p.plain != nil {
		fmt.Fprintf(out, "and for plain HTTP on http://%s\n", p.plain.Addr())
	}
	printCertificates(out, file)
	printSites(out, file)
	greetReader(out, s, p)
}

// greetReader says where to read what comes in.
func greetReader(out io.Writer, s *stack, p ports) {
	fmt.Fprintf(out, "\nReports: %s\n", s.dir)
	fmt.Fprintf(out, "Dashboard: http://%s\n  "+tokenLine+" %s\n  "+tokenFileLine+" %s\n", dashboardHost(p.admin.Addr()), s.token, s.tokenFile)
}

// printSites says of each site how far it is protected.
func printSites(out io.Writer, file *policyfile.File) {
	for _, site := range file.Sites {
		printSite(out, file, site)
	}
}

func printSite(out io.Writer, file *policyfile.File, site policyfile.Site) {
	hosts := strings.Join(site.Hosts, ", ")
	fmt.Fprintf(out, "\n%s -> %s\n", cmp.Or(hosts, "every host"), site.Upstream)
	for _, r := range site.Routes {
		if *r.Upstream != *site.Upstream {
			fmt.Fprintf(out, "  %s -> %s\n", r.Match, r.Upstream)
		}
	}
	c := site.Guard.Config()
	fmt.Fprintf(out, "  clickjacking: %s\n", framingState(c))
	fmt.Fprintf(out, "  XSS: %s\n", scriptState(c))
	if c.HTTPS.Redirect && !file.TLS.On() && len(c.HTTPS.Proxies.CIDR) == 0 {
		fmt.Fprintln(out, "  https: EVERY REQUEST IS REDIRECTED: none can arrive over HTTPS (write tls, or https: {proxies: {cidr: [...]}})")
	}
	if strings.Contains(c.CSP, "'nonce'") && site.Nonce == (policyfile.Nonce{}) {
		fmt.Fprintln(out, "  nonces: NOT FORWARDED: the policy blocks every script that has none (write nonce: forward)")
	}
}

// address is the URL of the public listener.
func address(file *policyfile.File, public net.Listener) string {
	if file.TLS.On() {
		return "https://" + public.Addr().String()
	}
	return "http://" + public.Addr().String()
}

// dashboardHost prefers a name to 127.0.0.1, so that the session's cookie reaches no other port of that address.
func dashboardHost(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return addr.String()
}

func framingState(c merlon.Config) string {
	switch {
	case len(c.Frame) == 1 && c.Frame[0] == "deny":
		return "no site may frame these pages"
	case len(c.Frame) == 1 && c.Frame[0] == "self":
		return "only the site itself may frame these pages"
	case len(c.Frame) == 1 && c.Frame[0] == merlon.Remove:
		return "NOT PROTECTED: every site may frame these pages"
	}
	return "these may frame the pages: " + strings.Join(c.Frame, ", ")
}

func scriptState(c merlon.Config) string {
	if sources, ok := csp.Parse(c.CSP).Governing("script-src"); ok && c.CSP != merlon.Remove {
		if runsInjected(sources) {
			return "NOT PROTECTED: the enforced policy lets injected scripts run"
		}
		return "the policy is enforced"
	}
	if _, ok := csp.Parse(c.Trial).Governing("script-src"); ok && c.Trial != merlon.Remove {
		return "reporting only (browsers report what the trial would block)"
	}
	return "NOT PROTECTED: no policy governs scripts"
}

// runsInjected reports whether a script that somebody injects runs: inline, unless browsers ignore 'unsafe-inline', or
// from everywhere.
func runsInjected(sources []string) bool {
	open := false
	for _, w := range sources {
		w = strings.ToLower(w)
		if w == "'strict-dynamic'" || strings.HasPrefix(w, "'nonce") || strings.HasPrefix(w, "'sha") || w == "'hashes'" {
			return false
		}
		open = open || w == "'unsafe-inline'" || w == "*" || w == "data:" || w == "https:" || w == "http:"
	}
	return open
}
