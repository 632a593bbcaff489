package starter

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// top adds a key above all sites, if something is said with it.
func (n *nginx) top(x *setting) {
	if !x.silent() {
		n.draft.file = append(n.draft.file, x)
	}
}

// timeKeys are the keys of timeouts that mean the same as a time of nginx.
type timeKeys struct {
	name string
	keys []string
	more string // what is not the same
}

// times of nginx that have a place here. https://nginx.org/en/docs/http/ngx_http_core_module.html
var times = []timeKeys{
	{"client_header_timeout", []string{"request-header"}, ""},
	{"client_body_timeout", []string{"request-body"}, " Here a client that sends less than 512 bytes a second on the average is ended too."},
	{"send_timeout", []string{"response"}, ""},
	{"keepalive_timeout", []string{"idle"}, ""},
	{"proxy_connect_timeout", []string{"upstream-connect"}, ""},
	{"proxy_read_timeout", []string{"upstream-header", "upstream-body"}, " WebSockets may be silent for longer here."},
}

// timeouts writes how long nginx waits. What it does not say keeps the gateway's times.
func (n *nginx) timeouts(sites []*nginxServer) {
	x := &setting{key: "timeouts"}
	for _, t := range times {
		n.time(x, t, sites)
	}
	n.otherTimes(x, sites)
	n.top(x)
}

// time writes one time: here it is for all sites, and the longest stops nothing that works.
func (n *nginx) time(x *setting, t timeKeys, sites []*nginxServer) {
	var longest time.Duration
	at, differ := "", false
	for _, s := range sites {
		d := s.pages.said(t.name)
		if d == nil {
			continue
		}
		v, ok := readTime(d.args[0])
		switch {
		case ok && v == 0 && t.name == "keepalive_timeout":
			x.check("%s: keepalive_timeout 0 closes connections after each response. The gateway keeps them for the next request; idle says how long.", d.at)
			continue
		case !ok || v == 0:
			x.check("%s: %s %s cannot be kept.", d.at, t.name, show(d.args[0]))
			continue
		}
		differ = differ || at != "" && v != longest
		if v > longest {
			longest, at = v, d.at
		}
	}
	if at == "" {
		return
	}
	for _, key := range t.keys {
		x.child(key).fromSource().value = timeText(longest)
	}
	first := x.child(t.keys[0]).note("From %s %s.%s", at, t.name, t.more)
	if differ {
		first.check("%s differs from site to site in nginx. Here one time is for all: this is the longest.", t.name)
	}
}

// otherTimes tells of locations with times of their own.
func (n *nginx) otherTimes(x *setting, sites []*nginxServer) {
	for _, s := range sites {
		for _, l := range s.locations {
			for _, d := range l.block {
				known := slices.ContainsFunc(times, func(t timeKeys) bool { return t.name == d.name })
				if known && l != s.pages && len(d.args) > 0 {
					x.check("%s: %s has %s %s. Here a time is for all requests. Write the longest that you need; WebSockets have none.", d.at, locationName(l), d.name, plain(d.args[0]))
				}
			}
		}
	}
}

// maxHeader writes how large the header of a request may be.
func (n *nginx) maxHeader(sites []*nginxServer) {
	x := &setting{key: "max-header"}
	largest := int64(0)
	for _, s := range sites {
		d := s.pages.said("large_client_header_buffers")
		if d == nil || len(d.args) != 2 {
			continue
		}
		number, ok := readSize(d.args[0])
		size, sized := readSize(d.args[1])
		if !ok || !sized || number == 0 || size > 1<<30 || number > 1<<20 {
			x.check("%s: large_client_header_buffers %s cannot be kept.", d.at, show(strings.Join(d.args, " ")))
			continue
		}
		if number*size > largest {
			largest = number * size
			x.notes = []note{{text: fmt.Sprintf("From %s large_client_header_buffers, %d of %s. Here a single line may be as long as all of them.", d.at, number, sizeText(size))}}
			x.fromSource().value = sizeText(largest)
		}
	}
	n.top(x)
}

// h2c writes whether the listener speaks HTTP/2 without TLS. With TLS it speaks it in any case.
func (n *nginx) h2c(sites []*nginxServer) {
	x := &setting{key: "h2c"}
	for _, s := range sites {
		if s.quic != "" {
			n.top((&setting{key: "listen"}).check("%s: the gateway speaks no HTTP/3. Browsers come over HTTP/2; take out Alt-Svc headers that name h3.", s.quic))
			break
		}
	}
	if slices.ContainsFunc(sites, func(s *nginxServer) bool { return s.ssl }) {
		return
	}
	for _, s := range sites {
		if s.h2c != "" {
			x.note("HTTP/2 without TLS, for a proxy in front. From %s.", s.h2c).fromSource().value = true
			break
		}
	}
	n.top(x)
}

// accessLog writes whether requests are logged, and how.
func (n *nginx) accessLog(sites []*nginxServer) {
	x := &setting{key: "log"}
	var on, off *directive
	for _, s := range sites {
		for _, d := range s.pages.saidAll("access_log") {
			switch {
			case d.args[0] == "off":
				off = d
			case on == nil:
				on = d
			}
		}
	}
	switch {
	case on != nil:
		x.child("access").fromSource().note("From %s access_log. on is standard output. A file of its own can stand here, never that of nginx. Queries and user agents are off: docs/operations.md has the keys.", on.at).value = "on"
		if off != nil {
			x.child("access").note("%s has it off for its site. Here one log is for all.", off.at)
		}
		if len(on.args) > 1 && n.isJSON(on.args[1]) {
			x.child("format").fromSource().note("The names of the fields are merlon's. Errors are logged in this form too.").value = "json"
		}
	case off != nil:
		x.child("access").fromSource().note("From %s access_log.", off.at).value = "off"
	}
	n.top(x)
}

// isJSON reports whether a log_format writes JSON.
func (n *nginx) isJSON(format string) bool {
	d := n.formats[format]
	return d != nil && slices.ContainsFunc(d.args[1:], func(arg string) bool { return arg == "escape=json" || strings.HasPrefix(strings.TrimSpace(arg), "{") })
}

// shutdown writes what requests in flight get to complete.
func (n *nginx) shutdown() {
	d := n.root.said("worker_shutdown_timeout")
	if d == nil {
		return
	}
	x := &setting{key: "shutdown"}
	if v, ok := readTime(d.args[0]); ok {
		x.child("drain").fromSource().note("From %s worker_shutdown_timeout: what requests in flight get to complete.", d.at).value = timeText(v)
	} else {
		x.check("%s: worker_shutdown_timeout %s cannot be kept.", d.at, show(d.args[0]))
	}
	n.top(x)
}
