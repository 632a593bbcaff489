package access

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
)

// Format is the form of a log's lines.
type Format string

// The formats. They are log/slog's.
const (
	Text Format = "text" // key=value
	JSON Format = "json"
)

// Handler returns what writes lines of the format to w.
func (f Format) Handler(w io.Writer, level slog.Leveler) slog.Handler {
	o := &slog.HandlerOptions{Level: level}
	if f == JSON {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

// Addresses says how much of a client's address goes into the log.
type Addresses string

// What the log can have of an address.
const (
	Full   Addresses = "full"
	Masked Addresses = "masked" // the network: /24 of IPv4, /48 of IPv6
	None   Addresses = "off"
)

// Options say what the access log has besides what it always has.
type Options struct {
	Format    Format
	Addresses Addresses // "" is Full
	Query     bool      // the query belongs to the path
	UserAgent bool
}

// Bounds of what a client chooses, in bytes. What is longer ends in "...".
const (
	maxPath      = 2048
	maxHost      = 255
	maxMethod    = 32
	maxUserAgent = 512
)

// Log writes a line for each request. It is safe for concurrent use.
type Log struct {
	handler slog.Handler
	options Options
}

// NewLog returns a Log that writes to w, one line in one Write.
func NewLog(w io.Writer, o Options) *Log {
	return &Log{handler: o.Format.Handler(w, slog.LevelInfo), options: o}
}

// fields is how many attributes a line can have.
const fields = 20

// Write writes the line of a request that is over. Times are whole microseconds: log/slog takes a detour for other numbers. What the client chose stays in its place: it is printable ASCII, and log/slog
// quotes it.
func (l *Log) Write(rec *Record) {
	r := rec.request
	var room [fields]slog.Attr
	attrs := append(room[:0],
		slog.String("site", rec.Site), slog.String("method", Method(r)), slog.String("host", bounded(r.Host, maxHost)),
		slog.String("path", l.target(rec)), slog.String("route", rec.Route), slog.Int("status", rec.Status),
		slog.Int64("bytes", rec.Bytes), slog.Int64("duration_us", rec.Duration.Microseconds()))
	if rec.UpstreamAsked {
		attrs = append(attrs, slog.Int64("upstream_us", rec.Upstream.Microseconds()))
	}
	if l.options.Addresses != None {
		attrs = append(attrs, slog.String("client", rec.client(l.options.Addresses)))
	}
	attrs = append(attrs, slog.String("protocol", r.Proto), slog.Bool("tls", r.TLS != nil), slog.Bool("nonce", rec.Nonce))
	if rec.Page.Rewritten {
		attrs = append(attrs, slog.Int("rewritten", rec.Page.Nonced))
	}
	if l.options.UserAgent {
		attrs = append(attrs, slog.String("user_agent", bounded(r.UserAgent(), maxUserAgent)))
	}
	if rec.Aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	line := slog.NewRecord(rec.Start.Add(rec.Duration), slog.LevelInfo, "request", 0)
	line.AddAttrs(attrs...)
	_ = l.handler.Handle(context.Background(), line) // a log that cannot be written has nobody to be told
}

func (l *Log) target(rec *Record) string {
	path := rec.path(rec.request)
	if l.options.Query && !rec.Withheld && rec.request.URL.RawQuery != "" {
		path += "?" + rec.request.URL.RawQuery
	}
	return bounded(path, maxPath)
}

// Path is the request's path as every log may show it: as it came, printable, bounded, and withheld where it holds a secret.
func Path(r *http.Request) string { return Of(r.Context()).path(r) }

// Method is the request's method as every log may show it.
func Method(r *http.Request) string { return bounded(r.Method, maxMethod) }

// path is the path as it came, with its percent signs, so that it has no control characters to begin with.
func (r *Record) path(req *http.Request) string {
	if r != nil && r.Withheld {
		return "(withheld)"
	}
	if req.URL.Opaque != "" {
		return bounded(req.URL.Opaque, maxPath)
	}
	return bounded(req.URL.EscapedPath(), maxPath)
}

// bounded is what of s goes into a log: not too long, and printable ASCII, because terminals obey control characters beyond
// ASCII too, which log/slog lets through in JSON.
func bounded(s string, most int) string {
	if len(s) > most {
		s = s[:most] + "..."
	}
	if strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; unprintable(rune(c)) {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return r < ' ' || r > '~' }

// client is the address of the client: the peer's, or what trusted proxies say, counted from the right at every comma.
func (r *Record) client(how Addresses) string {
	text := r.request.RemoteAddr
	if r.hops > 0 {
		if said := fromRight(r.request.Header["X-Forwarded-For"], r.hops); said != "" {
			text = said
		}
	}
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if with, portErr := netip.ParseAddrPort(text); portErr == nil {
		addr, err = with.Addr(), nil
	}
	if err != nil { // a Unix socket
		return bounded(text, maxHost)
	}
	addr = addr.Unmap().WithZone("")
	if how == Masked {
		return mask(addr)
	}
	return addr.String()
}

func mask(addr netip.Addr) string {
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	network, err := addr.Prefix(bits)
	if err != nil { // no address is that short
		return ""
	}
	return network.String()
}

func fromRight(lines []string, n int) string {
	values := strings.Split(strings.Join(lines, ","), ",")
	if len(values) < n {
		return ""
	}
	return strings.TrimSpace(values[len(values)-n])
}
