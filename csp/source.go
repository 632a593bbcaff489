package csp

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
)

var hashAlgorithms = [...]string{"sha256", "sha384", "sha512"}

var hashLengths = map[string]int{"sha256": 32, "sha384": 48, "sha512": 64}

// checkSource holds one word of a source list against the grammar.
// Browsers skip a source that they cannot parse (CSP3 §2.3.1): it looks like a rule and is none, so refuse it.
func checkSource(directive, v string) error {
	bad := func(code cfgerrors.Code, text, hint string) error {
		return &cfgerrors.Error{Field: directive, Code: code, Value: v, Text: text, Hint: hint}
	}
	folded := lower(v)
	switch {
	case keywords[folded], v == "*", isScheme(v):
		return nil
	case unquoted(folded):
		return bad(cfgerrors.InvalidSource, "without single quotes this is the name of a host", "write '"+v+"'")
	case colonless[folded]:
		return bad(cfgerrors.InvalidSource, "without a colon this is the name of a host", "write "+folded+":")
	case keywords["'"+strings.Trim(folded, `"`)+"'"]:
		return bad(cfgerrors.InvalidSource, "without single quotes this is the name of a host", "write '"+strings.Trim(folded, `"`)+"'")
	case strings.HasPrefix(folded, "'nonce-"):
		return bad(cfgerrors.LiteralNonce, "a nonce that is the same in every response protects nothing", "write 'nonce': merlon puts a fresh one into each response")
	case strings.HasPrefix(folded, "'sha"):
		return checkHash(directive, v)
	case strings.HasPrefix(v, "'"), strings.HasPrefix(v, `"`):
		return bad(cfgerrors.InvalidSource, "no such keyword", didYouMean(folded, keywords))
	case !isHostSource(v):
		return bad(cfgerrors.InvalidSource, "neither a host, a scheme nor a keyword", "a host is written like https://cdn.example:8443/path/, without query or fragment")
	}
	return nil
}

// unquoted reports whether a word looks like a nonce or a hash whose quotes were forgotten.
func unquoted(word string) bool {
	if word == "nonce" || strings.HasPrefix(word, "nonce-") {
		return true
	}
	algorithm, digest, ok := strings.Cut(word, "-")
	return ok && hashLengths[algorithm] > 0 && !strings.Contains(digest, ".")
}

// colonless are schemes that people write without their colon.
var colonless = map[string]bool{"data": true, "blob": true, "https": true, "http": true, "ws": true, "wss": true, "filesystem": true, "mediastream": true}

func checkHash(directive, v string) error {
	algorithm, digest, _ := strings.Cut(strings.Trim(v, "'"), "-")
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(digest)
	raw, err := base64.StdEncoding.DecodeString(standard)
	if want, known := hashLengths[lower(algorithm)]; !strings.HasSuffix(v, "'") || !known || err != nil || len(raw) != want {
		return &cfgerrors.Error{Field: directive, Code: cfgerrors.InvalidSource, Value: v,
			Text: "not the base64 text of a sha256, sha384 or sha512 digest", Hint: "write 'sha256-' and 44 characters and a closing quote"}
	}
	return nil
}

func isScheme(v string) bool {
	name, ok := strings.CutSuffix(v, ":")
	return ok && validScheme(name)
}

func validScheme(s string) bool {
	for i, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(c))) {
			return false
		}
	}
	return s != ""
}

// isHostSource follows the host-source grammar: [scheme://]host[:port][path]. https://www.w3.org/TR/CSP3/#grammardef-host-source
func isHostSource(v string) bool {
	if scheme, rest, ok := cutSchemePart(v); ok {
		if !validScheme(scheme) {
			return false
		}
		v = rest
	}
	hostPort, path := v, ""
	if i := strings.IndexByte(v, '/'); i >= 0 {
		hostPort, path = v[:i], v[i:]
	}
	if strings.ContainsAny(path, "?#") {
		return false
	}
	host, port, hasPort := strings.Cut(hostPort, ":")
	return validHost(host) && (!hasPort || validPort(port))
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "*" || err == nil && n > 0
}

func validHost(s string) bool {
	if s == "*" {
		return true
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "*."), ".")
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.Trim(lower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}
