package transport

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// maxFields bounds the lines of a header, each of which costs more memory than its bytes.
const maxFields = 1000

// A head is what an answer begins with.
type head struct {
	minor  int    // of HTTP/1.x
	code   int    // 100 to 999
	status string // as it came: code and reason
	header http.Header
}

var emptyLine = []byte("\r\n\r\n")

// readBlock returns the lines up to an empty one, which it includes, in one string, from which all names and values are cut.
func readBlock(br *bufio.Reader, limit int) (string, error) {
	if _, err := br.Peek(1); err != nil {
		return "", err
	}
	buffered, _ := br.Peek(br.Buffered())
	end := bytes.Index(buffered, emptyLine)
	if end < 0 {
		return readLongBlock(br, limit)
	}
	if end += len(emptyLine); end > limit {
		return "", errTooLarge
	}
	block := string(buffered[:end])
	br.Discard(end)
	return block, nil
}

// readLongBlock reads a block that is not in the buffer as a whole.
func readLongBlock(br *bufio.Reader, limit int) (string, error) {
	var block []byte
	for !bytes.HasSuffix(block, emptyLine) {
		line, err := br.ReadSlice('\n')
		if block = append(block, line...); len(block) > limit {
			return "", errTooLarge
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err == nil && !bytes.HasSuffix(block, emptyLine[:2]) {
			err = malformed("a line of its header ends without CR")
		}
		if err != nil && err != bufio.ErrBufferFull {
			return "", err
		}
	}
	return string(block), nil
}

// parseHead reads the status line and the fields of a block (RFC 9112 §4 and §5).
func parseHead(block string) (head, error) {
	line, fields, _ := strings.Cut(block, "\r\n")
	h, ok := parseStatus(line)
	if !ok {
		return head{}, malformed("its first line is %.80q", line)
	}
	var err error
	h.header, err = parseFields(fields)
	return h, err
}

func parseStatus(line string) (h head, ok bool) {
	version, status, _ := strings.Cut(line, " ")
	if version != "HTTP/1.1" && version != "HTTP/1.0" || len(status) < 3 || len(status) > 3 && status[3] != ' ' || !validValue(status) {
		return h, false
	}
	for _, digit := range []byte(status[:3]) {
		if digit < '0' || digit > '9' {
			return h, false
		}
		h.code = h.code*10 + int(digit-'0')
	}
	h.minor, h.status = int(version[7]-'0'), status
	return h, h.code >= 100
}

// parseFields reads lines of the form "name: value" up to the empty one at the end of block. A line that goes on with the value of
// the one before (obs-fold), and a space before the colon, are what readers disagree about, and so refused.
func parseFields(block string) (http.Header, error) {
	count := strings.Count(block, "\n") - 1
	if count > maxFields {
		return nil, malformed("its header has %d lines, more than %d", count, maxFields)
	}
	header, values := make(http.Header, count), make([]string, count)
	for i := 0; ; i++ {
		line, rest, _ := strings.Cut(block, "\r\n")
		if line == "" {
			return header, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !httpguts.ValidHeaderFieldName(name) {
			return nil, malformed("line %d of its header has no name before a colon", i+1)
		}
		if value = trimSpace(value); !validValue(value) {
			return nil, malformed("the value of %s has a control character", name)
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		if earlier, ok := header[name]; ok {
			header[name] = append(earlier, value)
		} else {
			values[i] = value
			header[name] = values[i : i+1 : i+1]
		}
		block = rest
	}
}

// trimSpace takes off what may surround a value: spaces and tabs.
func trimSpace(value string) string {
	for value != "" && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	for value != "" && (value[len(value)-1] == ' ' || value[len(value)-1] == '\t') {
		value = value[:len(value)-1]
	}
	return value
}
