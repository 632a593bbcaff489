package starter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Bounds of a fetch.
const (
	fetchTimeout   = 30 * time.Second
	maxPageBytes   = 1 << 20
	maxHeaderBytes = 256 << 10
	maxRedirects   = 10
)

// Page is what a live site answered.
type Page struct {
	url    *url.URL
	status int
	header http.Header
	body   []byte
	hosts  []string // of the redirects that led there, the first one first
	steps  []string // the redirects, for people
	secure bool     // plain HTTP led to HTTPS on the same host
}

// ParseURL checks the address of a site.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s is no URL (write https://shop.example/)", show(text))
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("%s is no address of a site (write https://shop.example/)", show(text))
	case u.User != nil:
		return nil, fmt.Errorf("%s names a user: log-in data in an address ends up in logs (take it out)", show(u.Redacted()))
	}
	u.Fragment = ""
	return u, nil
}

// Fetch gets a page of a live site, and follows redirects as long as they stay on the site and never from https to http.
func Fetch(ctx context.Context, from *url.URL) (*Page, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: maxHeaderBytes, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	p := &Page{url: from}
	for range maxRedirects + 1 {
		to, err := p.get(ctx, transport)
		if err != nil || to == nil {
			return p, err
		}
		if err := p.follow(to); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("fetching %s: more than %d redirects", from, maxRedirects)
}

// get makes one request. It returns where a redirect leads to.
func (p *Page) get(ctx context.Context, transport *http.Transport) (*url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", p.url, err)
	}
	req.Header.Set("Accept", "text/html,*/*;q=0.8")
	req.Header.Set("User-Agent", "merlon-init")
	res, err := transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", p.url, fetchCause(ctx, err))
	}
	defer res.Body.Close()
	if to, err := res.Location(); err == nil && res.StatusCode/100 == 3 {
		return to, nil
	}
	p.status, p.header = res.StatusCode, res.Header
	// What is cut off, by them or here, is only missing from a count of what strict would block.
	p.body, _ = io.ReadAll(io.LimitReader(res.Body, maxPageBytes))
	if ctx.Err() != nil {
		return nil, fmt.Errorf("fetching %s: %w", p.url, fetchCause(ctx, ctx.Err()))
	}
	return nil, nil
}

func fetchCause(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("no whole answer within %v", fetchTimeout)
	}
	return err
}

// follow goes on to another page of the same site.
func (p *Page) follow(to *url.URL) error {
	to.Fragment = ""
	switch {
	case to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "" || to.User != nil:
		return fmt.Errorf("fetching %s: it leads to %s, which is no page (name the page itself with --from)", p.url, show(to.Redacted()))
	case !sameSite(p.url.Hostname(), to.Hostname()):
		return fmt.Errorf("fetching %s: it leads to another site, %s (to read that one write --from %s)", p.url, to.Host, plain(to.String()))
	case p.url.Scheme == "https" && to.Scheme == "http":
		return fmt.Errorf("fetching %s: it leads from https to http, to %s (to read that page write --from %s)", p.url, to.Host, plain(to.String()))
	}
	if p.url.Scheme == "http" && to.Scheme == "https" && p.url.Hostname() == to.Hostname() {
		p.secure = true
	}
	p.steps = append(p.steps, fmt.Sprintf("%s leads to %s", plain(p.url.String()), plain(to.String())))
	if host := strings.ToLower(p.url.Hostname()); !slices.Contains(p.hosts, host) {
		p.hosts = append(p.hosts, host)
	}
	p.url = to
	return nil
}

// sameSite reports whether two hosts are names of one site: the same one, or below the same registrable domain.
func sameSite(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	siteA, errA := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(a))
	siteB, errB := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(b))
	return errA == nil && errB == nil && siteA == siteB && net.ParseIP(a) == nil && net.ParseIP(b) == nil
}

// Steps lists the redirects that were followed, for people.
func (p *Page) Steps() []string { return p.steps }

// loopback reports whether a host is this machine: then the page is the application itself.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback() || strings.EqualFold(host, "localhost")
}

// FromPage makes a starter that says what a live site says.
func FromPage(o Options, p *Page) (*Result, error) {
	d := newDraft("merlon init --from " + plain(p.url.Scheme+"://"+p.url.Host+p.url.EscapedPath())) // a query may hold secrets
	local := loopback(p.url.Hostname())
	if o.Upstream == "" && local {
		o.Upstream = p.url.Scheme + "://" + p.url.Host
	}
	s := d.site(o)
	if local {
		s.at("upstream").check("this is the address that was fetched, taken for the application itself.")
	} else {
		s.setHosts(p)
	}
	var fields []field
	for name, list := range p.header {
		for _, v := range list {
			fields = append(fields, field{name: name, value: v})
		}
	}
	seen := s.take(fields, p.url.Scheme == "https")
	if p.status/100 != 2 {
		s.at("preset").check("the page answered with status %d. Its headers may differ from those of the site's pages.", p.status)
	}
	s.contrast(seen)
	s.takeCookies(p.header)
	s.suggestRemoval(p.header)
	if p.secure {
		s.suggestRedirect()
	}
	s.readPage(p.body)
	s.fill(true)
	return d.finish(o.Output)
}

func (s *site) setHosts(p *Page) {
	hosts := []string{strings.ToLower(p.url.Hostname())}
	for _, h := range p.hosts {
		if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	s.set("hosts", hosts).fromSource()
	for _, step := range p.steps {
		s.at("hosts").note("%s.", step)
	}
}

// suggestRedirect is for sites that redirect to HTTPS where it is not known who speaks TLS: without that, a redirect leads
// in a circle.
func (s *site) suggestRedirect() *setting {
	return s.https("redirect").check("plain HTTP is redirected to HTTPS now. Write redirect: true when hosts is set and the gateway speaks TLS (tls: at the top), or https.proxies names the proxy that does.")
}

// suggestRemoval shows how to take out what tells which software answers.
func (s *site) suggestRemoval(h http.Header) {
	var names []string
	for _, name := range []string{"Server", "X-Powered-By", "X-AspNet-Version", "X-Generator"} {
		if v := h.Get(name); v != "" {
			s.at("headers").note("%s says %s.", name, show(v))
			names = append(names, name+": off")
		}
	}
	if names != nil {
		s.at("headers").note("This takes it out:").example("headers: {" + strings.Join(names, ", ") + "}")
	}
}

// takeCookies says which attributes all cookies of the page have, and which lack some. Values of cookies are not shown.
func (s *site) takeCookies(h http.Header) {
	var names, secure, httpOnly []string
	sameSite := map[string]bool{}
	for _, line := range h.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			continue
		}
		names = append(names, c.Name)
		if c.Secure {
			secure = append(secure, c.Name)
		}
		if c.HttpOnly {
			httpOnly = append(httpOnly, c.Name)
		}
		sameSite[map[http.SameSite]string{http.SameSiteLaxMode: "Lax", http.SameSiteStrictMode: "Strict", http.SameSiteNoneMode: "None"}[c.SameSite]] = true
	}
	if names == nil {
		return
	}
	slices.Sort(names)
	names = slices.Compact(names)
	x := s.at("cookies")
	cookies := x.note("What every Set-Cookie line gets that has it not; what the application says itself is kept. The page sets %s.", show(strings.Join(names, ", ")))
	all := func(list []string) bool { slices.Sort(list); return len(slices.Compact(list)) == len(names) }
	take := func(key string, value any) { cookies.child(key).fromSource().value = value }
	if all(secure) {
		take("secure", true)
	} else {
		cookies.check("not every cookie is Secure. If the site is reached over HTTPS only, write cookies: {secure: true}.")
	}
	if all(httpOnly) {
		take("http-only", true)
	} else {
		cookies.check("not every cookie is HttpOnly. Write http-only: true, and under except those that scripts must read.")
	}
	for mode := range sameSite {
		if len(sameSite) == 1 && mode != "" {
			take("same-site", mode)
		}
	}
	if group, ok := cookies.value.([]*setting); ok && live(group) {
		take("only", names)
	}
}
