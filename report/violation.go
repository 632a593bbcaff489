package report

import (
	"strings"
	"unicode/utf8"
)

// decodeViolation reads the members of all spellings: the kebab case of report-uri, the camel case of report-to, and what
// libraries send that speak for a browser. Of two the last counts, as it does for encoding/json.
func decodeViolation(data []byte) *Violation {
	v := &Violation{}
	var violated string
	for key, value := range members(data) {
		switch string(key) {
		case "documenturl":
			v.DocumentURL = decodeURL(value)
		case "referrer":
			v.Referrer = decodeURL(value)
		case "blockedurl":
			v.BlockedURL = decodeURL(value)
		case "effectivedirective":
			v.Directive = decodeText(value)
		case "violateddirective":
			violated = decodeText(value)
		case "originalpolicy":
			v.OriginalPolicy = decodeText(value)
		case "disposition":
			v.Disposition = ParseDisposition(decodeText(value))
		case "scriptsample", "sample":
			v.Sample = trimSample(decodeText(value))
		case "sourcefile":
			v.SourceFile = decodeURL(value)
		case "statuscode":
			v.StatusCode = decodeNumber(value)
		case "linenumber", "lineno":
			v.Line = decodeNumber(value)
		case "columnnumber", "colno":
			v.Column = decodeNumber(value)
		}
	}
	normalize(v, violated)
	return v
}

// normalize removes what only some browsers and versions do.
func normalize(v *Violation, violated string) {
	if v.Directive == "" && violated != "" {
		v.Directive = violated
		v.OriginalPolicy = foldSelf(v.OriginalPolicy, v.DocumentURL)
	}
	v.Directive = directiveName(v.Directive)
	v.BlockedURL = blockedWord(v)
	if v.Line == 0 {
		v.Column = 0 // Firefox and WebKit send column 1 when they know neither
	}
}

// directiveName returns the first word: CSP2 browsers send the whole directive as violated-directive, and old Firefox sends
// nothing else (https://bugzilla.mozilla.org/show_bug.cgi?id=1192684).
func directiveName(s string) string {
	name, _, _ := strings.Cut(s, " ")
	return strings.ToLower(strings.TrimRight(name, ";"))
}

// foldSelf puts 'self' back where a Firefox without effective-directive has spelled it out as the document's origin with the port,
// which the page's author would hardly do. Later versions send the policy as the page has it.
func foldSelf(policy, document string) string {
	scheme, rest, ok := strings.Cut(document, "://")
	if !ok {
		return policy
	}
	host := rest[:hostEnd(rest)]
	if !strings.Contains(host[strings.LastIndexByte(host, ']')+1:], ":") {
		switch scheme {
		case "http":
			host += ":80"
		case "https":
			host += ":443"
		}
	}
	return replaceWord(policy, scheme+"://"+host, "'self'")
}

// replaceWord replaces a word that stands between spaces, or before a semicolon.
func replaceWord(s, word, with string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, word)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		end := i + len(word)
		before := i == 0 || s[i-1] == ' '
		after := end == len(s) || s[end] == ' ' || s[end] == ';'
		if b.WriteString(s[:i]); before && after {
			b.WriteString(with)
		} else {
			b.WriteString(word)
		}
		s = s[end:]
	}
}

// maxSample is how much of a script, style or handler the specification lets out.
// See https://www.w3.org/TR/CSP3/#violation-sample.
const maxSample = 40

// trimSample takes off the ellipsis that Firefox (in earlier years three dots) puts behind a sample it has cut. The page did not
// write it, and with it the same script would have two samples.
func trimSample(s string) string {
	if utf8.RuneCountInString(s) <= maxSample {
		return s
	}
	return strings.TrimRight(s, " .…")
}

// blockedWord says "inline" and "eval" where old browsers said "" or "self" (Firefox before 43 for one,
// https://bugzilla.mozilla.org/show_bug.cgi?id=1026520). Only script and style can be inline; default-src stands for them in
// browsers that do not name the effective directive.
func blockedWord(v *Violation) string {
	switch v.BlockedURL {
	case "", "self", "inline":
	default:
		return v.BlockedURL
	}
	family := v.Directive
	for _, suffix := range [...]string{"-elem", "-attr"} {
		family = strings.TrimSuffix(family, suffix)
	}
	switch family {
	case "script-src", "style-src", "default-src":
		// Old Firefox describes the call instead of quoting it; a handler is "onclick attribute on DIV element".
		if strings.HasPrefix(v.Sample, "call to eval()") {
			return "eval"
		}
		return "inline"
	}
	return v.BlockedURL
}
