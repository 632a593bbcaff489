package rewrite_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// percent and backslashes are the two ways in which forms and JSON write letters.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func backslashes(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, `\u%04x`, s[i])
	}
	return b.String()
}

// pieces gives its strings one Read after the other.
type pieces struct{ rest []string }

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest[0])
	if p.rest[0] = p.rest[0][n:]; p.rest[0] == "" {
		p.rest = p.rest[1:]
	}
	return n, nil
}

// split cuts s in pieces of n bytes.
func split(s string, n int) *pieces {
	var p pieces
	for ; len(s) > n; s = s[n:] {
		p.rest = append(p.rest, s[:n])
	}
	p.rest = append(p.rest, s)
	return &p
}

var withSecret = map[string]string{
	"alone":           secret,
	"text":            "a " + secret + " b",
	"form":            "q=a&nonce=" + secret + "&x",
	"percent":         "q=" + percent(secret),
	"some percent":    "q=%" + percent(secret[:3]) + secret[3:9] + percent(secret[9:]) + "%",
	"lower percent":   "q=" + strings.ToLower(percent(secret)),
	"JSON":            `{"a":"\"` + secret + `"}`,
	"escaped JSON":    `{"a":"` + backslashes(secret[:4]) + secret[4:] + `"}`,
	"swallowed":       `%5\u00` + secret,
	"swallowed twice": `\u` + secret[:5] + percent(secret[5:6]) + secret[6:],
	"multipart":       "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + secret + "\r\n--b--\r\n",
	"behind its half": secret[:20] + secret,
	"far":             strings.Repeat("long text ", 10_000) + secret + strings.Repeat(" and more", 10_000),
	"in letters":      strings.Repeat("x", 100_000) + secret + strings.Repeat("x", 100_000),
	"in escapes":      strings.Repeat("%20", 50_000) + percent(secret) + strings.Repeat("%20", 50_000),
}

func TestReaderFindsThePlaceholder(t *testing.T) {
	for name, in := range withSecret {
		for _, n := range []int{len(in), 1, 2, 7, 1000} {
			got, err := io.ReadAll(rewrite.NewReader(split(in, n), secret))
			if !errors.Is(err, rewrite.ErrPlaceholder) {
				t.Errorf("%s in pieces of %d: %v", name, n, err)
			}
			plain, _ := url.QueryUnescape(string(got))
			if shown := string(got) + plain; !strings.HasPrefix(in, string(got)) || strings.Contains(shown, secret) {
				t.Errorf("%s in pieces of %d: %q is passed on", name, n, got)
			}
		}
	}
}

func TestReaderPassesTheRest(t *testing.T) {
	for _, in := range []string{
		"", "a", "%", `\`, "q=1%20%zz%2", `{"a":"\u00e9\\u\u12"}`, secret[:31], secret[:16] + "-" + secret[16:], strings.ToUpper(secret), percent(secret[:31]), backslashes(secret[1:]),
		strings.Repeat("letters", 20_000), strings.Repeat("%6e", 20_000), strings.Repeat("\x00\xff%", 50_000),
	} {
		for _, n := range []int{len(in) + 1, 1, 7, 1000} {
			if got, err := io.ReadAll(rewrite.NewReader(split(in, n), secret)); err != nil || string(got) != in {
				t.Errorf("%.40q in pieces of %d: %d bytes of %d, %v", in, n, len(got), len(in), err)
			}
		}
	}
	if err := iotest.TestReader(rewrite.NewReader(strings.NewReader("q=1 2 3"), secret), []byte("q=1 2 3")); err != nil {
		t.Error(err)
	}
	broken := io.MultiReader(strings.NewReader("a b"), iotest.ErrReader(io.ErrClosedPipe))
	if got, err := io.ReadAll(rewrite.NewReader(broken, secret)); err != io.ErrClosedPipe || string(got) != "a " {
		t.Errorf("a body that breaks off gives %q, %v", got, err)
	}
}

// A message that ends in no letter or digit goes out before the next one comes, and how much is held back does not tell
// whether a guess is right.
func TestReaderHoldsBackByKind(t *testing.T) {
	first := func(s string) string {
		in, out := io.Pipe()
		defer in.Close()
		go io.WriteString(out, s)
		p := make([]byte, 200)
		n, err := rewrite.NewReader(in, secret).Read(p)
		if err != nil {
			t.Fatal(err)
		}
		return string(p[:n])
	}
	if got := first("hello\n"); got != "hello\n" {
		t.Errorf("of a line %q goes out", got)
	}
	for n := 1; n < len(secret); n++ {
		if right, wrong := first("q="+secret[:n]), first("q="+secret[:n-1]+"y"); right != "q=" || wrong != "q=" {
			t.Errorf("of %q goes out %q, and of a wrong guess %q", secret[:n], right, wrong)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, in := range withSecret {
		if len(in) < 1000 {
			f.Add(in, 3)
		}
	}
	f.Fuzz(func(t *testing.T, in string, n int) {
		in = strings.ReplaceAll(in, "@", secret)
		if len(in) > 4<<10 {
			return
		}
		n = 1 + int(uint(n)%50)
		whole, wholeErr := io.ReadAll(rewrite.NewReader(strings.NewReader(in), secret))
		got, err := io.ReadAll(rewrite.NewReader(split(in, n), secret))
		if (err == nil) != (wholeErr == nil) || !strings.HasPrefix(in, string(got)) || err == nil && string(got) != in || err == nil && string(whole) != in {
			t.Fatalf("in pieces of %d: %v; whole: %v", n, err, wholeErr)
		}
		if strings.Contains(in, secret) && err == nil || bytes.Contains(got, []byte(secret)) {
			t.Fatalf("the secret passes: %q, %v", got, err)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	page := bytes.ReplaceAll(shop(), []byte(secret), []byte(blank))
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		if _, err := io.Copy(io.Discard, rewrite.NewReader(bytes.NewReader(page), secret)); err != nil {
			b.Fatal(err)
		}
	}
}
