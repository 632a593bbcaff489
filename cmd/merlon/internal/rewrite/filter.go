package rewrite

import (
	"bytes"
	"io"
	"strings"
)

// filter writes to dst and scrubs secrets on the way. After an error it writes nothing more.
type filter struct {
	dst      io.Writer
	err      error
	secrets  []secret
	scrubbed int
}

// widen makes the filter look for the secret in UTF-16 as well.
func (f *filter) widen() {
	if len(f.secrets) == 1 {
		f.secrets = append(f.secrets, f.secrets[0].wide())
	}
}

func (f *filter) write(b []byte) {
	if f.err == nil && len(b) > 0 {
		_, f.err = f.dst.Write(b)
	}
}

// emit passes on all of b.
func (f *filter) emit(b []byte) { f.write(f.scrub(b)) }

// pass passes on b up to what may be the beginning of a secret, and returns the length of the rest.
func (f *filter) pass(b []byte) int {
	b = f.scrub(b)
	keep := f.tail(b)
	f.write(b[:len(b)-keep])
	return keep
}

// last passes on the end of a body, where the beginning of a secret is scrubbed too.
func (f *filter) last(b []byte) {
	b = f.scrub(b)
	if cut := f.tail(b); cut >= minCut {
		f.write(b[:len(b)-cut])
		f.blank(b[len(b)-cut:])
		f.scrubbed++
		return
	}
	f.write(b)
}

// scrub passes on b through its last secret, and returns what follows.
func (f *filter) scrub(b []byte) []byte {
	for {
		at, n := f.find(b)
		if at < 0 {
			return b
		}
		f.write(b[:at])
		f.blank(b[at : at+n])
		f.scrubbed++
		b = b[at+n:]
	}
}

// blank writes an x for each character of b. Secrets begin with a letter as well, so that "<" and a secret is a start tag
// before and after, and all other syntax stays what it was.
func (f *filter) blank(b []byte) {
	blank := bytes.Repeat([]byte{'x'}, len(b))
	for i, c := range b {
		if c == 0 { // the other half of a UTF-16 unit
			blank[i] = 0
		}
	}
	f.write(blank)
}

// find returns the place and length of the first secret in b, or -1.
func (f *filter) find(b []byte) (at, n int) {
	at = -1
	for i := range f.secrets {
		if j := f.secrets[i].index(b); j >= 0 && (at < 0 || j < at) {
			at, n = j, len(f.secrets[i].text)
		}
	}
	return at, n
}

// tail returns the length of the longest end of b with which a secret begins.
func (f *filter) tail(b []byte) int {
	longest := 0
	for i := range f.secrets {
		text := f.secrets[i].text
		end := b[max(0, len(b)-len(text)+1):]
		for len(end) > longest {
			j := bytes.IndexByte(end, text[0])
			if j < 0 {
				break
			}
			if end = end[j:]; len(end) > longest && bytes.HasPrefix(text, end) {
				longest = len(end)
			}
			end = end[1:]
		}
	}
	return longest
}

// secret is a text to find. bytes.Index looks for the first byte, which in a page may be common. Looking for the byte
// that is rarest in pages is several times faster.
type secret struct {
	text []byte
	rare int
}

// byRarity lists letters and digits, the rarest in web pages first.
const byRarity = "QZXJYKVWqGHUFNBOLMDPRIjTESACz98765430kx21vwybgfmupdhclnoirsate"

func newSecret(s string) secret {
	rare := 0
	for i := range len(s) {
		if strings.IndexByte(byRarity, s[i]) < strings.IndexByte(byRarity, s[rare]) {
			rare = i
		}
	}
	return secret{text: []byte(s), rare: rare}
}

// wide is the secret in UTF-16 of either byte order, without the zero byte at its edge.
func (s secret) wide() secret {
	text := make([]byte, 2*len(s.text)-1)
	for i, c := range s.text {
		text[2*i] = c
	}
	return secret{text: text, rare: 2 * s.rare}
}

func (s *secret) index(b []byte) int {
	for i := s.rare; i < len(b); i++ {
		j := bytes.IndexByte(b[i:], s.text[s.rare])
		if j < 0 {
			break
		}
		i += j
		if bytes.HasPrefix(b[i-s.rare:], s.text) {
			return i - s.rare
		}
	}
	return -1
}
