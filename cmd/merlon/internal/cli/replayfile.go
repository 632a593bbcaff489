package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/merlon-sec/merlon/report"
)

// maxReplayLine bounds a line: a batch of the greatest size as a string in JSON, which may double it.
const maxReplayLine = 4 << 20

// recorded is a report as a browser sent it.
type recorded struct {
	line        int
	contentType string
	userAgent   string
	disposition string // of the address: e or r; "" for none
	body        []byte
}

// errNoPost is returned for a recorded request that sends no report.
var errNoPost = errors.New("not a POST")

// parseRecorded reads a line of a recording: an object with method, path, content_type, headers and body, or a body alone.
func parseRecorded(line []byte) (recorded, error) {
	line = bytes.TrimSpace(line)
	if !json.Valid(line) {
		return recorded{}, errors.New("no JSON")
	}
	var r struct {
		Method      string            `json:"method"`
		Path        string            `json:"path"`
		ContentType string            `json:"content_type"`
		Headers     map[string]string `json:"headers"`
		Body        *string           `json:"body"`
	}
	if line[0] != '{' || json.Unmarshal(line, &r) != nil || r.Body == nil { // a Reporting API report has an object there
		return bareBody(line)
	}
	if r.Method != "" && r.Method != http.MethodPost {
		return recorded{}, errNoPost
	}
	if *r.Body == "" {
		return recorded{}, errors.New("an empty body")
	}
	headers := http.Header{}
	for name, value := range r.Headers {
		headers.Set(name, value)
	}
	out := recorded{contentType: cmp.Or(r.ContentType, headers.Get("Content-Type"), contentTypeOf([]byte(*r.Body))), userAgent: headers.Get("User-Agent"), body: []byte(*r.Body)}
	if u, err := url.Parse(r.Path); err == nil {
		out.disposition = u.Query().Get("d")
	}
	return out, nil
}

func bareBody(line []byte) (recorded, error) {
	if line[0] != '{' && line[0] != '[' {
		return recorded{}, errors.New("neither a recorded request nor a body")
	}
	return recorded{contentType: contentTypeOf(line), body: bytes.Clone(line)}, nil
}

// contentTypeOf guesses what browsers send with such a body.
func contentTypeOf(body []byte) string {
	if bytes.Contains(body[:min(len(body), 40)], []byte(`"csp-report"`)) {
		return "application/csp-report"
	}
	return "application/reports+json"
}

// moveTo makes the documents of the body those of another host, wherever it names theirs.
func (r *recorded) moveTo(host string) {
	reports, _ := report.Decode(r.body) // what is none is sent as it is
	moved := map[string]bool{}
	for _, rep := range reports {
		document := rep.URL
		if rep.Violation != nil {
			document = rep.Violation.DocumentURL
		}
		u, err := url.Parse(document)
		if err != nil || u.Host == "" || moved[u.Host] {
			continue
		}
		moved[u.Host] = true
		from := regexp.MustCompile(`(:(?:\\?/){2})` + regexp.QuoteMeta(u.Host) + `([^A-Za-z0-9.:-]|$)`)
		r.body = from.ReplaceAll(r.body, []byte("${1}"+host+"${2}"))
	}
}

// eachRecorded calls use for each report of a recording. What is wrong with a line goes to bad, whose error ends it.
func eachRecorded(in io.Reader, use func(recorded) error, bad func(line int, err error) error) error {
	lines := bufio.NewReaderSize(in, 64<<10)
	for n := 1; ; n++ {
		line, err := nextLine(lines)
		var r recorded
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err == nil && len(bytes.TrimSpace(line)) == 0:
			continue
		case err == nil:
			r, err = parseRecorded(line)
			r.line = n
		case !errors.Is(err, errLongLine):
			return err
		}
		if err != nil {
			err = bad(n, err)
		} else {
			err = use(r)
		}
		if err != nil {
			return err
		}
	}
}

// errLongLine is returned for a line that is too long, of which nothing is kept.
var errLongLine = fmt.Errorf("longer than %d bytes: no browser sends that much", maxReplayLine)

// nextLine reads a line to its end, however long it is, or returns io.EOF.
func nextLine(in *bufio.Reader) (line []byte, err error) {
	long := false
	for {
		part, err := in.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxReplayLine; !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case long:
			return nil, errLongLine
		case len(line) == 0: // without even an end of line
			return nil, err
		default:
			return line, nil
		}
	}
}

// target is the address of a collector: the report path, unless another one is named.
func target(text, reportPath string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("write the collector's address, such as http://127.0.0.1:7781")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = reportPath
	}
	return u, nil
}
