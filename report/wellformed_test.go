package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/merlon-sec/merlon/report"
)

// FuzzSyntax holds the reader's idea of JSON against encoding/json's, and its bounds against counting brackets and colons.
func FuzzSyntax(f *testing.F) {
	for _, browser := range recordedBrowsers {
		for _, r := range readRecorded(f, browser) {
			f.Add([]byte(r.Body))
		}
	}
	for _, body := range []string{
		`0`, `-0`, `00`, `-`, `1.`, `1.5e+3`, `1e`, `.5`, `+1`, `true`, `tru`, `nulll`, `""`, `"\u00eF"`, `"\u00eg"`, `"\x"`, "\"\t\"", "\"\x7f\"", `"\\"`, `"\"`,
		`[]`, `[,]`, `[1,]`, `[1 2]`, `{}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{1:1}`, `[}`, `{"a":1}x`, "\x00", "[\x00]", " [ 1 , { \"a\" :\r\n\t2 } ] ",
		strings.Repeat("[", 8) + strings.Repeat("]", 8), strings.Repeat("[", 9) + strings.Repeat("]", 9),
		`{` + strings.Repeat(`"a":1,`, 63) + `"a":1}`, `{` + strings.Repeat(`"a":1,`, 64) + `"a":1}`, `"` + strings.Repeat("é\u2028", 9) + `"`,
	} {
		f.Add([]byte(body))
		f.Add([]byte(`[` + body + `]`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > report.MaxObjectBytes || !utf8.Valid(body) {
			return // which other errors and repairs are about
		}
		_, err := report.Decode(body)
		want := plainSyntax(body)
		got := err
		if errors.Is(err, report.ErrNotReport) || errors.Is(err, report.ErrTooMany) {
			got = nil // but JSON
		}
		if !errors.Is(got, want) {
			t.Errorf("Decode(%q) gives the error %v, want %v", body, err, want)
		}
	})
}

// plainSyntax is the error of a body that is not JSON, or JSON beyond the bounds.
func plainSyntax(body []byte) error {
	var keys [report.MaxDepth + 1]int
	depth := 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			for i++; i < len(body) && body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > report.MaxDepth {
				return report.ErrTooDeep
			}
			keys[depth] = 0
		case '}', ']':
			depth = max(depth-1, 0)
		case ':':
			if keys[depth]++; keys[depth] > report.MaxKeys {
				return report.ErrTooWide
			}
		}
	}
	if !json.Valid(bytes.TrimSpace(body)) {
		return report.ErrNotJSON
	}
	return nil
}
