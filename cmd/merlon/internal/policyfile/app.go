package policyfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// App is an application behind the gateway, and how it is treated.
type App struct {
	Upstream  *url.URL // http, https or h2c with a host, or unix with the path of a socket; nil only for a collector
	Roots     []byte   // PEM certificates that an https upstream is trusted by; nil for those of the system
	Nonce     Nonce    // how its pages get their nonces
	MaxBody   int64    // of a request, in bytes; 0 for no limit
	MayLoosen bool     // whether its own headers count as those of a Go handler do, and not only where they tighten
}

// Route is a route of a site on which the gateway itself does something different.
type Route struct {
	Match string // a pattern of the site's Guard
	App          // what the route does not say is the site's
}

// siteApp takes the application's keys out of a site's.
func (r *reader) siteApp(keys map[string]any, path string) App {
	a := r.app(App{}, keys, path, keys["preset"])
	if _, here := keys["upstream"]; !here && !r.forwardsNothing {
		r.wrong(path, cfgerrors.Missing, "", "the application's address is missing", "write upstream: http://127.0.0.1:8000")
	}
	for _, key := range appKeys.names() {
		delete(keys, key)
	}
	return a
}

// app reads what is said of an application, over what is in force without it.
func (r *reader) app(a App, keys map[string]any, path string, preset any) App {
	if _, here := keys["upstream"]; here {
		a.Upstream = r.upstream(keys, path)
	}
	if _, here := keys["upstream_ca_file"]; here {
		a.Roots = r.roots(keys, path, "upstream_ca_file")
		if a.Upstream != nil && a.Upstream.Scheme != "https" {
			r.wrong(under(path, "upstream_ca_file"), cfgerrors.Conflict, "", "only an https:// upstream shows a certificate", "write upstream: https://…, or leave the key out")
		}
	}
	if v, here := keys["nonce"]; here {
		a.Nonce = r.nonce(v, under(path, "nonce"), preset)
	}
	if v, here := keys["max-body"]; here {
		a.MaxBody = r.size(v, under(path, "max-body"))
	}
	return a
}

// routes takes the tool's keys out of a site's routes, whose other keys are the library's.
func (r *reader) routes(keys map[string]any, path string, site App) []Route {
	list, ok := keys["routes"].([]any)
	if !ok {
		return nil // absent, or a mistake that the library tells
	}
	var out []Route
	rest := make([]any, len(list))
	for i, item := range list {
		rest[i] = item
		route, isMap := item.(map[string]any)
		if !isMap || !slices.ContainsFunc(routeKeys.names(), func(key string) bool { _, has := route[key]; return has }) {
			continue
		}
		at := fmt.Sprintf("%s[%d]", under(path, "routes"), i)
		match, _ := route["match"].(string)
		preset := route["preset"]
		if preset == nil {
			preset = keys["preset"]
		}
		a := r.app(site, route, at, preset)
		a.MayLoosen = r.mayLoosen(route, at)
		out = append(out, Route{Match: match, App: a})
		theirs := maps.Clone(route)
		for _, key := range routeKeys.names() {
			delete(theirs, key)
		}
		rest[i] = theirs
	}
	keys["routes"] = rest
	return out
}

func (r *reader) mayLoosen(route map[string]any, path string) bool {
	may := r.flag(route, path, "upstream-may-loosen")
	reason, _ := route["reason"].(string)
	if may && !strings.ContainsFunc(reason, unicode.IsLetter) {
		r.wrong(path, cfgerrors.ReasonMissing, "", "on this route the application may loosen what protects it", "say why in words, such as reason: contract 114")
	}
	return may
}

func (r *reader) upstream(keys map[string]any, path string) *url.URL {
	text := r.text(keys, path, "upstream")
	if text == "" {
		return nil
	}
	u, err := ParseUpstream(text)
	r.report(under(path, "upstream"), err)
	return u
}

// ParseUpstream checks the address of an application: http:// or https:// with host and port, h2c:// for HTTP/2 without
// TLS, or unix: and the path of a socket. Errors are *cfgerrors.Error.
func ParseUpstream(text string) (*url.URL, error) {
	bad := func(why string) (*url.URL, error) {
		return nil, &cfgerrors.Error{Code: cfgerrors.InvalidValue, Value: text, Text: why, Hint: "write http://127.0.0.1:8000, or unix:/run/app.sock"}
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return bad("no URL")
	case u.Scheme == "unix":
		if !strings.HasPrefix(u.Path, "/") || u.Host != "" || u.RawQuery != "" || u.Fragment != "" {
			return bad("a Unix socket is unix: and an absolute path")
		}
		return u, nil
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "h2c":
		return bad("an upstream begins with http://, https://, h2c:// or unix:")
	case !validHost(withoutZone(u)):
		return bad("no valid host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return bad("an upstream is scheme, host and port only; paths are passed on as they come")
	}
	u.Path = ""
	return u, nil
}

// withoutZone is the host of a URL without the zone of an IPv6 address: one has it to connect, and in no Host header.
func withoutZone(u *url.URL) string {
	addr, err := netip.ParseAddr(u.Hostname())
	if err != nil || addr.Zone() == "" {
		return u.Host
	}
	return strings.Replace(u.Host, "%"+addr.Zone(), "", 1)
}

// units are those of sizes, as people write them. KB and KiB are not the same.
var units = map[string]float64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

// maxSize is far above every disk, and safely below what int64 holds.
const maxSize = 1 << 50

// size reads a number of bytes, such as 10MB or 65536; off is 0.
func (r *reader) size(v any, at string) int64 {
	text := fmt.Sprint(v)
	if text == "off" {
		return 0
	}
	number := strings.TrimRight(text, "BKMGi")
	factor, known := units[text[len(number):]]
	var n float64
	if !known || json.Unmarshal([]byte(number), &n) != nil || n*factor < 1 || n*factor > maxSize {
		r.wrong(at, cfgerrors.InvalidValue, text, "no size", "write a number of bytes such as 10MB, 512KiB or 65536, or off for no limit")
		return 0
	}
	return int64(n * factor)
}

// What a header may be limited to: less than the least is in the way of every browser, and more than the most is memory that
// a client gets for nothing.
const (
	minHeader = 4 << 10
	maxHeader = 1 << 20
)

func (r *reader) maxHeader(v any) int64 {
	if v == nil {
		return 0
	}
	n := r.size(v, "max-header")
	if fmt.Sprint(v) == "off" || n != 0 && (n < minHeader || n > maxHeader) {
		r.wrong("max-header", cfgerrors.InvalidValue, fmt.Sprint(v), "a header is limited to a size from 4KiB to 1MiB", "write max-header: 64KiB")
	}
	return n
}
