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

// pass passes on b up to where a secret may have begun, and returns the length of the rest.
func (f *filter) pass(b []byte) int {
	b = f.scrub(b)
	keep := f.tail(b)
	f.write(b[:len(b)-keep])
	return keep
}

// last passes on the end of a body. An upstream that stops in the middle of a secret must not show nearly all of it. But
// to blank whatever a secret begins with would tell a client whose words stand at the end of a page, one character after
// the other, how the secret goes on. So it takes half of the secret, which nobody guesses.
func (f *filter) last(b []byte) {
	b = f.scrub(b)
	cut := f.half(b)
	f.write(b[:len(b)-cut])
	if cut > 0 {
		f.blank(b[len(b)-cut:])
		f.scrubbed++
	}
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

// tail returns the length of the end of b in which a secret may have begun, going by the kind of the bytes alone: letters
// and digits, and zeros where UTF-16 is looked for. What it is compared with must not show in when a byte goes out, or a
// client could find the secret by watching how much of its own words is held back.
func (f *filter) tail(b []byte) int {
	if len(f.secrets) == 0 {
		return 0
	}
	most := min(len(b), len(f.secrets[len(f.secrets)-1].text)-1) // the wide one, if there is one, is last
	for n := range most {
		c := b[len(b)-1-n]
		if !isAlnum(c) && (c != 0 || len(f.secrets) == 1) {
			return n
		}
	}
	return most
}

// half returns the length of the longest end of b that is at least half of a secret, from its beginning on, or 0.
func (f *filter) half(b []byte) int {
	longest := 0
	for i := range f.secrets {
		text := f.secrets[i].text
		for n := min(len(b), len(text)-1); 2*n >= len(text) && n > longest; n-- {
			if bytes.HasSuffix(b, text[:n]) {
				longest = n
			}
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
