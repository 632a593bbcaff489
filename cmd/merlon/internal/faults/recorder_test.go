//go:build linux

package faults_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A recorder is an application that reads requests as the strictest of parsers does and notes what came.
type recorder struct {
	*rawApp
	mu       sync.Mutex
	got      []string // method and target of each request, with its body after a space
	mistakes []string // what a parser could read in another way
}

func newRecorder(t *testing.T) *recorder {
	r := &recorder{}
	r.rawApp = serveRaw(t, "127.0.0.1:0", func(c net.Conn, in *bufio.Reader) {
		for {
			var raw bytes.Buffer
			line, err := strictRequest(bufio.NewReaderSize(io.TeeReader(oneByte{in}, &raw), 16))
			r.note(line, raw.String(), err)
			if err != nil {
				return
			}
			if strings.HasPrefix(line, "POST /hint ") {
				io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
			}
			if strings.HasPrefix(line, "HEAD ") {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n")
				continue
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	return r
}

// oneByte gives a byte at a time, so that nothing of the next request is read.
type oneByte struct{ io.Reader }

func (r oneByte) Read(b []byte) (int, error) { return r.Reader.Read(b[:1]) }

func (r *recorder) note(line, raw string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.got = append(r.got, line)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed): // cut off, which nobody takes for complete
	case raw != "":
		r.mistakes = append(r.mistakes, fmt.Sprintf("%v in %q", err, raw))
	}
}

// take returns what came since the last call.
func (r *recorder) take() (got, mistakes []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	got, mistakes = r.got, r.mistakes
	r.got, r.mistakes = nil, nil
	return got, mistakes
}

var (
	requestLine = regexp.MustCompile(`^[!#$%&'*+.^_|~0-9A-Za-z-]+ /[!-"$->@-~]*(\?[^\x00- #\x7f]*)? HTTP/1\.1$`)
	headerLine  = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)$")
	chunkLine   = regexp.MustCompile(`^[0-9a-fA-F]{1,8}$`)
	onlyDigits  = regexp.MustCompile(`^[0-9]+$`)
)

// strictRequest reads a request in which no two parsers can see different things: RFC 9112 and nothing that it tolerates.
func strictRequest(in *bufio.Reader) (string, error) {
	first, err := strictLine(in)
	if err != nil {
		return "", err
	}
	if !requestLine.MatchString(first) {
		return "", fmt.Errorf("request line %q", first)
	}
	header, err := strictHeader(in)
	if err != nil {
		return "", err
	}
	body, err := strictBody(in, header)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(first, " HTTP/1.1") + " " + body, nil
}

func strictLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	text, ok := strings.CutSuffix(line, "\r\n")
	switch {
	case err != nil:
		return "", err
	case !ok || strings.ContainsAny(text, "\r\x00"):
		return "", fmt.Errorf("the line %q ends oddly", line)
	}
	return text, nil
}

func strictHeader(in *bufio.Reader) (map[string][]string, error) {
	header := map[string][]string{}
	for {
		line, err := strictLine(in)
		if err != nil || line == "" {
			return header, err
		}
		m := headerLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("header line %q", line)
		}
		name := strings.ToLower(m[1])
		header[name] = append(header[name], m[2])
	}
}

func strictBody(in *bufio.Reader, header map[string][]string) (string, error) {
	hosts, lengths, codings := header["host"], header["content-length"], header["transfer-encoding"]
	switch {
	case len(hosts) != 1 || strings.ContainsAny(hosts[0], " \t,/@?#"):
		return "", fmt.Errorf("hosts %q", hosts)
	case len(lengths)+len(codings) > 1:
		return "", fmt.Errorf("lengths %q and codings %q", lengths, codings)
	case len(header["upgrade"]) > 0 || len(header["http2-settings"]) > 0:
		return "", errors.New("a switch of protocols")
	case len(codings) == 1 && codings[0] != "chunked":
		return "", fmt.Errorf("coding %q", codings[0])
	case len(codings) == 1:
		return strictChunks(in)
	case len(lengths) == 0:
		return "", nil
	case !onlyDigits.MatchString(lengths[0]):
		return "", fmt.Errorf("length %q", lengths[0])
	}
	n, err := strconv.Atoi(lengths[0])
	if err != nil {
		return "", err
	}
	body := make([]byte, n)
	_, err = io.ReadFull(in, body)
	return string(body), err
}

func strictChunks(in *bufio.Reader) (string, error) {
	var body strings.Builder
	for {
		line, err := strictLine(in)
		if err != nil {
			return "", err
		}
		if !chunkLine.MatchString(line) {
			return "", fmt.Errorf("chunk line %q", line)
		}
		n, err := strconv.ParseUint(line, 16, 32)
		if err != nil {
			return "", err
		}
		if n == 0 {
			trailer, err := strictHeader(in)
			for name := range trailer {
				if slices.Contains([]string{"host", "content-length", "transfer-encoding", "connection", "cookie", "authorization"}, name) || strings.HasPrefix(name, "merlon-") || strings.HasPrefix(name, "x-forwarded") {
					return "", fmt.Errorf("%s in a trailer", name)
				}
			}
			return body.String(), err
		}
		if _, err := io.CopyN(&body, in, int64(n)); err != nil {
			return "", err
		}
		if end, err := strictLine(in); err != nil || end != "" {
			return "", fmt.Errorf("a chunk ends in %q, %v", end, err)
		}
	}
}
