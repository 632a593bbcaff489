package rewrite_test

import (
	"io"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

type stream interface {
	io.WriteCloser
	Flush() error
}

// secretPipes are all that look for a secret: the Writer in text, tags, raw text and after it gave up.
var secretPipes = []struct {
	name, before string
	wide         bool
	wrap         func(io.Writer) stream
}{
	{"scrubber", "echo: ", false, newScrubber},
	{"scrubber of UTF-16", "e\x00:\x00", true, newScrubber},
	{"page", "<p>Hello ", false, newPlacer},
	{"attribute", `<p title="`, false, newPlacer},
	{"tag", `<link nonce="`, false, newPlacer},
	{"raw text", "<textarea>", false, newPlacer},
	{"script", "<script>// ", false, newPlacer},
	{"comment", "<!-- ", false, newPlacer},
	{"lost", "<plaintext>", false, newPlacer},
	{"page in UTF-16", "\xff\xfe<\x00", true, newPlacer},
}

func newScrubber(w io.Writer) stream { return rewrite.NewScrubber(w, secret) }
func newPlacer(w io.Writer) stream   { return rewrite.NewWriter(w, placing) }

// TestOracle plays a client whose words the application repeats: at the end of the body, and before a flush. What it says
// and a guess that is wrong in the last character must be treated alike until half of the secret is right.
func TestOracle(t *testing.T) {
	for _, tt := range secretPipes {
		for n := 1; n < len(secret)/2; n++ {
			right, wrong := secret[:n], secret[:n-1]+"y"
			if tt.wide {
				right, wrong = utf16(right, false), utf16(wrong, false)
			}
			flushed, whole := observe(t, tt.wrap, tt.before, right)
			wrongFlushed, wrongWhole := observe(t, tt.wrap, tt.before, wrong)
			if whole != tt.before+right || wrongWhole != tt.before+wrong {
				t.Errorf("%s: %q became %q, and %q %q", tt.name, right, whole, wrong, wrongWhole)
			}
			if flushed != wrongFlushed {
				t.Errorf("%s: a flush lets out %d bytes for %q, and %d for %q", tt.name, flushed, right, wrongFlushed, wrong)
			}
		}
	}
}

// observe returns how many bytes go out at a flush behind said, and all that has gone out in the end.
func observe(t *testing.T, wrap func(io.Writer) stream, before, said string) (flushed int, whole string) {
	t.Helper()
	var out strings.Builder
	w := wrap(&out)
	io.WriteString(w, before+said)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	flushed = out.Len()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return flushed, out.String()
}

// TestCutOff holds that no body that stops in the secret, and no place of a flush in it, shows half of it.
func TestCutOff(t *testing.T) {
	for _, tt := range secretPipes {
		for n := len(secret) / 2; n <= len(secret); n++ {
			for flush := range n {
				said, part := secret[:n], secret[:flush]
				if tt.wide {
					said, part = utf16(said, false), utf16(part, false)
				}
				var out strings.Builder
				w := tt.wrap(&out)
				io.WriteString(w, tt.before+part)
				w.Flush()
				if out.Len() > len(tt.before) {
					t.Errorf("%s: %q is out before anyone knows what follows", tt.name, part)
				}
				io.WriteString(w, said[len(part):])
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				if got := strings.ReplaceAll(out.String()[len(tt.before):], "\x00", ""); strings.Trim(got, "x") != "" {
					t.Errorf("%s: %d characters, flushed at %d, show %q", tt.name, n, flush, got)
				}
			}
		}
	}
}
