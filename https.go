package merlon

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// withdraw as the age of HSTS makes browsers forget it. RFC 6797 §6.1.1
const withdraw = "withdraw"

const preloadAge = 365 * 24 * time.Hour

func (s HTTPS) check(hosts []string) error {
	var errs []error
	bad := func(field string, code cfgerrors.Code, value, text, hint string) {
		errs = append(errs, &cfgerrors.Error{Field: field, Code: code, Value: value, Text: text, Hint: hint})
	}
	if s.HSTS != withdraw {
		errs = append(errs, cfgerrors.Under("hsts", second(parseAge(s.HSTS))))
	}
	age, _ := parseAge(s.HSTS)
	if s.IncludeSubDomains && s.hsts() == "" {
		bad("include-subdomains", cfgerrors.Conflict, "", "no HSTS is sent", "write hsts: 365d")
	}
	if s.Preload && (age < preloadAge || !s.IncludeSubDomains || !s.Redirect) {
		bad("preload", cfgerrors.Conflict, "", "the preload list takes only sites that redirect and send HSTS for 365 days and all hosts below",
			"write hsts: 365d, include-subdomains: true and redirect: true, or leave preload out")
	}
	if s.Host != "" && !validHostPort(s.Host) {
		bad("host", cfgerrors.InvalidValue, s.Host, "no host to redirect to", "write www.shop.example or shop.example:8443, without a scheme")
	}
	if s.Redirect && s.Host == "" && len(hosts) == 0 {
		bad("redirect", cfgerrors.Missing, "", "a redirect to whatever host the request names could lead anywhere", "write hosts: [shop.example] for the site, or host: shop.example here")
	}
	if s.Host != "" && len(hosts) > 0 && !(&front{hosts: lower(hosts)}).admits(s.Host) {
		bad("host", cfgerrors.Conflict, s.Host, "the site would answer there with 421", "write the host under hosts as well")
	}
	if !s.Redirect {
		for _, f := range []struct {
			name string
			set  bool
		}{{"temporary", s.Temporary}, {"host", s.Host != ""}, {"ports", len(s.Ports) > 0}, {"exempt", len(s.Exempt) > 0}} {
			if f.set {
				bad(f.name, cfgerrors.Conflict, "", "nothing is redirected", "write redirect: true")
			}
		}
	}
	for _, port := range slices.Sorted(maps.Keys(s.Ports)) {
		if to := s.Ports[port]; !validPort(port) || !validPort(strconv.Itoa(to)) {
			bad("ports."+port, cfgerrors.InvalidValue, strconv.Itoa(to), "a port is a number from 1 to 65535", "")
		}
	}
	errs = append(errs, cfgerrors.Under("exempt", second(compilePatterns(s.Exempt, true))), cfgerrors.Under("proxies", second(s.Proxies.compile())))
	return errors.Join(errs...)
}

// hsts returns the value of Strict-Transport-Security, or "".
func (s HTTPS) hsts() string {
	age, err := parseAge(s.HSTS)
	if s.HSTS != withdraw && (err != nil || age == 0) {
		return ""
	}
	v := fmt.Sprintf("max-age=%d", int64(age/time.Second))
	if s.IncludeSubDomains {
		v += "; includeSubDomains"
	}
	if s.Preload {
		v += "; preload"
	}
	return v
}

// front decides before any handler whether a request belongs here.
type front struct {
	hosts  []string  // lower case; one that begins with "*." stands for those below it
	health *patterns // answered for every host, never redirected

	redirect bool
	codes    [2]int // for GET and HEAD, for other methods
	host     string // where redirects go to; empty for the requested one
	ports    map[string]int
	exempt   *patterns
}

func (c *Config) front() *front {
	f := &front{hosts: lower(c.Hosts), redirect: c.HTTPS.Redirect, codes: [2]int{http.StatusMovedPermanently, http.StatusPermanentRedirect}, ports: c.HTTPS.Ports}
	if c.HTTPS.Temporary {
		f.codes = [2]int{http.StatusFound, http.StatusTemporaryRedirect}
	}
	f.host = strings.ToLower(c.HTTPS.Host)
	f.health, _ = compilePatterns(c.Health, false)
	f.exempt, _ = compilePatterns(c.HTTPS.Exempt, true)
	if path, ok := strings.CutPrefix(c.Reports, "/"); ok {
		path, _, _ = strings.Cut(path, "?")
		f.health.reports = "/" + path
	}
	if len(f.hosts) == 0 && !f.redirect {
		return nil
	}
	return f
}

func lower(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(s)
	}
	return out
}

// answer returns the handler that answers in place of the site's, and the setting behind it, or nil.
func (f *front) answer(r *http.Request, host string, secure, unknown bool) (h http.Handler, cause string) {
	if r.Method == http.MethodConnect || f.health.match(r) {
		return nil, ""
	}
	if len(f.hosts) > 0 && !f.admits(host) {
		return http.HandlerFunc(misdirected), "hosts: the site is not reached as " + host
	}
	if !f.redirect || secure || unknown || r.URL.Path == "*" || f.exempt.match(r) {
		return nil, ""
	}
	code := f.codes[1]
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		code = f.codes[0]
	}
	target := f.target(r, host)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", target) // http.Redirect would rewrite the path
		w.WriteHeader(code)
	}), "https.redirect to " + target
}

func misdirected(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "This server has no site of that name.", http.StatusMisdirectedRequest)
}

// target is the request's URL over HTTPS, its path and query byte for byte.
func (f *front) target(r *http.Request, host string) string {
	rest := r.RequestURI
	if !strings.HasPrefix(rest, "/") { // the absolute form, or a request that no server has read
		rest = r.URL.RequestURI()
	}
	if !strings.HasPrefix(rest, "/") { // an opaque URL, which would become part of the host
		rest = "/"
	}
	if f.host != "" {
		return "https://" + f.host + rest
	}
	name, port := splitHostPort(host)
	if to := f.ports[cmp.Or(port, "80")]; to != 0 && to != 443 {
		name = name + ":" + strconv.Itoa(to)
	}
	return "https://" + name + rest
}

// admits reports whether the site has this host, whose port counts only where the list has one.
func (f *front) admits(host string) bool {
	name, port := splitHostPort(strings.ToLower(host))
	name = strings.TrimSuffix(name, ".")
	full := name
	if port != "" {
		full = name + ":" + port
	}
	if !validHostPort(full) {
		return false
	}
	return slices.ContainsFunc(f.hosts, func(h string) bool {
		if below, ok := strings.CutPrefix(h, "*"); ok {
			return strings.HasSuffix(name, below) || strings.HasSuffix(full, below)
		}
		return h == name || h == full
	})
}

// splitHostPort returns a Host header's name, with the brackets of an IPv6 address, and its port or "".
func splitHostPort(host string) (name, port string) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.HasSuffix(host, "]") {
		return host, ""
	}
	return host[:i], host[i+1:]
}

func checkHosts(hosts []string) error {
	var errs []error
	for i, h := range hosts {
		if !validHostPort(strings.TrimPrefix(h, "*.")) {
			errs = append(errs, &cfgerrors.Error{Field: fmt.Sprintf("[%d]", i), Code: cfgerrors.InvalidValue, Value: h, Text: "no host as browsers send it",
				Hint: "write shop.example, shop.example:8443 or *.shop.example, without a scheme"})
		}
	}
	return errors.Join(errs...)
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// validHostPort reports whether s can be the value of a Host header.
func validHostPort(s string) bool {
	name, port := splitHostPort(s)
	if name != s && !validPort(port) {
		return false
	}
	if inside, ok := strings.CutPrefix(name, "["); ok {
		return net.ParseIP(strings.TrimSuffix(inside, "]")) != nil && strings.HasSuffix(name, "]")
	}
	return validHost(name)
}

func validHost(name string) bool {
	for label := range strings.SplitSeq(strings.ToLower(name), ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return len(name) <= 253
}

// patterns are those of net/http.ServeMux and regular expressions.
type patterns struct {
	mux     *http.ServeMux
	regexps []*regexp.Regexp
	reports string // the path where violations arrive
}

func compilePatterns(list []string, expressions bool) (*patterns, error) {
	p := &patterns{}
	var errs []error
	for i, text := range list {
		at := fmt.Sprintf("[%d]", i)
		expression, isExpression := strings.CutPrefix(text, "regexp:")
		if !isExpression || !expressions {
			if p.mux == nil {
				p.mux = http.NewServeMux()
			}
			errs = append(errs, register(p.mux, at, text, http.NotFoundHandler()))
			continue
		}
		re, err := regexp.Compile(expression)
		if err != nil {
			errs = append(errs, &cfgerrors.Error{Field: at, Code: cfgerrors.Syntax, Value: text, Text: err.Error(), Hint: "write a Go regular expression, such as regexp:^insecure/"})
			continue
		}
		p.regexps = append(p.regexps, re)
	}
	return p, errors.Join(errs...)
}

const acmePath = "/.well-known/acme-challenge/"

// match reports whether a pattern matches. Paths that servers read in different ways match none.
func (p *patterns) match(r *http.Request) bool {
	path := r.URL.Path
	if path == p.reports && path != "" || strings.HasPrefix(path, acmePath) && canonical(r.URL) {
		return true
	}
	if p.mux == nil && p.regexps == nil || !canonical(r.URL) {
		return false
	}
	if p.mux != nil {
		if _, pattern := p.mux.Handler(r); pattern != "" {
			return true
		}
	}
	for _, re := range p.regexps {
		if re.MatchString(strings.TrimPrefix(path, "/")) {
			return true
		}
	}
	return false
}
