package csp

import "strings"

// coversIntegrity reports whether every hash that the element names is listed. Unknown algorithms and options do not count; an
// algorithm without a digest does, and nothing lists that.
// https://www.w3.org/TR/CSP3/#match-integrity-metadata-to-source-list https://www.w3.org/TR/SRI/#parse-metadata
func (l *sourceList) coversIntegrity(metadata string, q *quirks) bool {
	if !l.nonceOrHash {
		return false
	}
	var listed map[integrity]bool
	if len(metadata) > longIntegrity {
		listed = l.integrities(q)
	}
	any := false
	for {
		item, rest := cutWord(metadata)
		if item == "" {
			return any
		}
		metadata = rest
		item, _, _ = strings.Cut(item, "?")
		algorithm, digest, _ := strings.Cut(item, "-")
		if hashLength(algorithm) == 0 {
			continue
		}
		any = true
		if listed != nil && !listed[newIntegrity(algorithm, digest, q)] || listed == nil && !l.hasHash(algorithm, digest, q) {
			return false
		}
	}
}

// longIntegrity is where a map of the hashes is worth its making: many hashes beside many sources would take quadratic time.
const longIntegrity = 1 << 10

// integrity is one hash of integrity metadata in the form that makes equal ones the same.
type integrity struct {
	length int // of the algorithm's digests
	digest string
}

var standardDigits = strings.NewReplacer("-", "+", "_", "/")

func newIntegrity(algorithm, digest string, q *quirks) integrity {
	if q.hashFoldsURL {
		digest = standardDigits.Replace(digest)
	}
	return integrity{hashLength(algorithm), digest}
}

func (l *sourceList) integrities(q *quirks) map[integrity]bool {
	out := make(map[integrity]bool, len(l.sources))
	for i := range l.sources {
		if s := &l.sources[i]; s.Kind == HashSource {
			out[newIntegrity(s.Scheme, s.Word, q)] = true
		}
	}
	return out
}

// cutWord cuts off the first word; it is empty where there is none.
func cutWord(s string) (word, rest string) {
	const space = " \t\n\f\r"
	s = strings.TrimLeft(s, space)
	if i := strings.IndexAny(s, space); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func hashLength(algorithm string) int {
	switch {
	case equalFold(algorithm, "sha256"):
		return 32
	case equalFold(algorithm, "sha384"):
		return 48
	case equalFold(algorithm, "sha512"):
		return 64
	}
	return 0
}

func (l *sourceList) hasHash(algorithm, digest string, q *quirks) bool {
	for i := range l.sources {
		s := &l.sources[i]
		if s.Kind == HashSource && equalFold(s.Scheme, algorithm) && (s.Word == digest || q.hashFoldsURL && equalBase64(s.Word, digest)) {
			return true
		}
	}
	return false
}

// equalBase64 compares in either alphabet, padding included.
func equalBase64(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if standardDigit(a[i]) != standardDigit(b[i]) {
			return false
		}
	}
	return true
}

func standardDigit(c byte) byte {
	switch c {
	case '-':
		return '+'
	case '_':
		return '/'
	}
	return c
}
