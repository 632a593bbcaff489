package transport

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Sizes of what a request is written from. A larger head is written from memory that is not kept, and a body that is in memory
// already and no longer than maxInline goes out in one write with its head.
const (
	headBuffer  = 2 << 10
	maxKeptHead = 64 << 10
	maxInline   = 16 << 10
	chunkBuffer = 32 << 10
)

// chunked is the length of a body that nobody knows.
const chunked = -1

// A message is a request as it goes over the wire.
type message struct {
	req     *http.Request
	head    []byte        // up to the empty line, with the body after it if that is short and at hand
	body    io.ReadCloser // what is left to send; nil if nothing
	length  int64         // of body, or chunked
	streams bool          // the body is sent by an upload
	expects bool          // 100 Continue before the body
	close   bool          // the connection ends with this exchange
}

// newMessage writes the head of req to buf. The message is there with an error too: for what must be closed and kept.
func newMessage(buf []byte, req *http.Request) (*message, error) {
	m := &message{req: req, head: buf, length: req.ContentLength}
	if req.Body != nil && req.Body != http.NoBody {
		m.body = req.Body
		if m.length <= 0 || len(req.TransferEncoding) > 0 && req.TransferEncoding[0] == "chunked" {
			m.length = chunked
		}
	}
	if err := m.check(); err != nil {
		return m, err
	}
	m.close = req.Close || httpguts.HeaderValuesContainsToken(req.Header["Connection"], "close")
	m.expects = m.body != nil && httpguts.HeaderValuesContainsToken(req.Header["Expect"], "100-continue")
	if err := m.writeHead(); err != nil {
		return m, err
	}
	if m.body != nil && req.GetBody != nil && 0 < m.length && m.length <= maxInline && !m.expects {
		return m, m.inline()
	}
	m.streams = m.body != nil
	return m, nil
}

func (m *message) check() error {
	switch req := m.req; {
	case req.URL == nil || req.Header == nil:
		return errors.New("the request has no URL or no header")
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return fmt.Errorf("the application's URL has the scheme %q; http and https are known", req.URL.Scheme)
	case req.URL.Host == "":
		return errors.New("the application's URL has no host")
	case req.Method == http.MethodConnect || req.Method != "" && !httpguts.ValidHeaderFieldName(req.Method):
		return fmt.Errorf("the method %q cannot be passed on", req.Method)
	case m.body == nil && req.ContentLength != 0:
		return fmt.Errorf("the request has a length of %d and no body", req.ContentLength)
	}
	return nil
}

func (m *message) writeHead() error {
	host, err := hostOf(m.req)
	if err != nil {
		return err
	}
	target := m.req.URL.RequestURI()
	for i := range len(target) {
		if target[i] <= ' ' || target[i] == 0x7f {
			return errors.New("the request's URL has a space or a control character")
		}
	}
	m.head = append(append(append(m.head, cmp.Or(m.req.Method, http.MethodGet)...), ' '), target...)
	m.head = append(append(append(m.head, " HTTP/1.1\r\nHost: "...), host...), "\r\n"...)
	if err := m.writeFraming(); err != nil {
		return err
	}
	m.head, err = appendFields(m.head, m.req.Header)
	m.head = append(m.head, "\r\n"...)
	return err
}

// hostOf returns the value for Host: international names in their ASCII form, without the zone of an IPv6 address, which means
// something on this machine only (RFC 6874 §1).
func hostOf(req *http.Request) (string, error) {
	host, err := httpguts.PunycodeHostPort(cmp.Or(req.Host, req.URL.Host))
	if err != nil || !httpguts.ValidHostHeader(host) {
		return "", errors.New("the request's Host is none")
	}
	address, zone, scoped := strings.Cut(host, "%")
	if end := strings.LastIndexByte(zone, ']'); scoped && strings.HasPrefix(address, "[") && end >= 0 {
		host = address + zone[end:]
	}
	return host, nil
}

// writeFraming says how long the body is. Servers want to hear that also of a body that is empty, where the method promises one.
func (m *message) writeFraming() error {
	if m.req.Close && !httpguts.HeaderValuesContainsToken(m.req.Header["Connection"], "close") {
		m.head = append(m.head, "Connection: close\r\n"...)
	}
	switch method := m.req.Method; {
	case m.body != nil && m.length == chunked:
		m.head = append(m.head, "Transfer-Encoding: chunked\r\n"...)
		return m.announceTrailers()
	case m.body != nil || method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch:
		m.head = append(strconv.AppendInt(append(m.head, "Content-Length: "...), m.length, 10), "\r\n"...)
	}
	return nil
}

func (m *message) announceTrailers() error {
	separator := "Trailer: "
	for name := range m.req.Trailer {
		if !allowedTrailer(name) {
			return fmt.Errorf("the request has a trailer %q, which cannot be passed on", name)
		}
		m.head = append(append(m.head, separator...), name...)
		separator = ", "
	}
	if len(m.req.Trailer) > 0 {
		m.head = append(m.head, "\r\n"...)
	}
	return nil
}

// allowedTrailer refuses what would change how a message is read, after it was.
func allowedTrailer(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Transfer-Encoding", "Content-Length", "Trailer", "Host", "Connection":
		return false
	}
	return httpguts.ValidHeaderFieldName(name)
}

// appendFields writes all fields but those that writeHead decides about.
func appendFields(dst []byte, fields http.Header) ([]byte, error) {
	for name, values := range fields {
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			continue
		case "User-Agent":
			if len(values) == 1 && values[0] == "" { // what ReverseProxy sets where the client sent none
				continue
			}
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return dst, fmt.Errorf("the request has a header named %q, which is no name", name)
		}
		for _, value := range values {
			if !validValue(value) {
				return dst, fmt.Errorf("the request's header %s has a control character in its value", name)
			}
			dst = append(append(dst, name...), ": "...)
			dst = append(append(dst, textproto.TrimString(value)...), "\r\n"...)
		}
	}
	return dst, nil
}

// validValue tells whether a field's value has no control characters but tabs (RFC 9110 §5.5).
func validValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// inline puts a body that is in memory behind its head.
func (m *message) inline() error {
	start := len(m.head)
	m.head = append(m.head, make([]byte, m.length)...)
	_, err := io.ReadFull(m.body, m.head[start:])
	m.closeBody()
	if err != nil {
		return fmt.Errorf("reading the request's body of %d bytes: %w", m.length, err)
	}
	return nil
}

// closeBody ends a body that nothing else will read.
func (m *message) closeBody() {
	if m.body != nil {
		m.body.Close()
		m.body = nil
	}
}

// repeat prepares a message to be sent once more, and tells whether that is safe: a request that may have reached the
// application is repeated only if that changes nothing (RFC 9110 §9.2.2), and none whose body is gone.
func (m *message) repeat(sent bool) bool {
	switch m.req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
	default:
		if sent && !hasKey(m.req.Header, "Idempotency-Key", "X-Idempotency-Key") {
			return false
		}
	}
	if !m.streams {
		return true
	}
	if m.req.GetBody == nil {
		return false
	}
	body, err := m.req.GetBody()
	m.body = body
	return err == nil
}

func hasKey(h http.Header, names ...string) bool {
	for _, name := range names {
		if _, ok := h[name]; ok {
			return true
		}
	}
	return false
}
