package policyfile

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// What stands in several ways out.
const (
	quoteAll  = `put the whole value in double quotes, and only single ones inside: csp: "default-src 'self'"`
	quoteIt   = "put the value in double quotes"
	ownLines  = "text over several lines goes below csp: >-, indented and without comments"
	likeOther = "begin it exactly below the keys that it stands beside"
)

// syntaxMistake says what YAML made of the text, and what to write instead: the parser's own words are about grammar.
func syntaxMistake(data []byte, err error) error {
	m := &cfgerrors.Error{Code: cfgerrors.Syntax, Text: err.Error()}
	e := &Error{Line: 1, Column: 1, Mistake: m}
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) {
		return e
	}
	m.Text = syntax.Message
	e.Line, e.Column = position(syntax.Token)
	at := spot{before: before(data, e.Line, e.Column), line: lineOf(data, e.Line), token: syntax.Token}
	for _, trap := range traps {
		if strings.Contains(syntax.Message, trap.says) {
			m.Text, m.Hint = trap.teach(at)
			break
		}
	}
	switch {
	case strings.HasSuffix(at.before, "*") && syntax.Message == "unexpected scalar value type": // the parser looks past it
		e.Column--
	case strings.Contains(syntax.Message, "already defined"):
		m.Code = cfgerrors.DuplicateKey
		m.Text = twice(syntax.Message)
	}
	return e
}

// spot is where the parser stopped.
type spot struct {
	before string // what stands before it on its line, without the space at the end
	line   string // the whole line
	token  *token.Token
}

type trap struct {
	says  string // in the parser's message
	teach func(spot) (text, hint string)
}

func says(text, hint string) func(spot) (string, string) {
	return func(spot) (string, string) { return text, hint }
}

// traps are asked in this order.
var traps = []trap{
	{"'\t'", says("a tab", "indent with spaces")},
	{"tab character", says("a tab", "indent with spaces")},
	{"mapping value is not allowed", teachColon},
	{"map key-value is pre-defined", teachRest},
	{"value is not allowed in this context", says("this line begins where no key above it begins", likeOther)},
	{"undefined alias name", says("YAML reads * as a reference to another place in the file", `put the value in double quotes, such as "*"`)},
	{"undefined anchor", says("YAML reads & as a name for this place", quoteIt)},
	{"unexpected scalar value type", teachScalar},
	{"reserved character", says("YAML keeps @ and ` at the beginning of a value for itself", quoteIt)},
	{"unexpected directive value", says("YAML reads % at the beginning of a value as an instruction to itself", quoteIt)},
	{"already defined", says("this key is here twice", "keep one of the two")},
	{"non-map value", teachKey},
	{"unexpected key name", teachKey},
	{"unexpected map key", teachKey},
	{"end character of", says("the quote that opens here is never closed", `close it; a value with single quotes goes into double ones: csp: "default-src 'self'"`)},
	{"sequence end token", says("the [ that opens here is never closed", "close it with ]")},
	{"mapping end token", says("the { that opens here is never closed", "close it with }")},
	{"must be specified", says(insideFlow, quoteFlow)},
	{"could not find '", says(insideFlow, quoteFlow)},
	{"found an invalid key", says(insideFlow, quoteFlow)},
	{"sequence entries are not allowed", says("a list does not begin on the line of its key", "write it in brackets, [a, b], or each - a on a line of its own")},
	{"invalid header option", says("| and > stand alone at the end of their line", "write csp: >- and the text below it, indented")},
	{"unknown escape character", says(`\ begins an escape in double quotes`, `write \\ for one, or single quotes around the value`)},
}

const (
	insideFlow = "inside { } and [ ] YAML reads braces, brackets, commas and colons as its own"
	quoteFlow  = `put the value in double quotes, such as match: "GET /users/{id}"`
)

// teachColon is for a value with a colon and a space, on one line or because the lines below are indented too deep.
func teachColon(at spot) (text, hint string) {
	if strings.Contains(strings.TrimRight(at.token.Origin, " \r\n"), "\n") {
		return "the next line is indented, so YAML reads it as more of this value, in which a colon cannot stand",
			"begin a key where the others begin; " + ownLines
	}
	return "YAML reads the colon in this value as the end of a key", `put the whole value in double quotes: csp: "img-src 'self' data:"`
}

// teachRest is for text after a value that is complete: behind its closing quote, or below its comment.
func teachRest(at spot) (text, hint string) {
	if strings.HasSuffix(at.before, "'") || strings.HasSuffix(at.before, `"`) {
		return "the value has ended at the quote before this", quoteAll
	}
	return "YAML cannot tell what this line goes on with", likeOther + "; " + ownLines
}

func teachScalar(at spot) (text, hint string) {
	switch {
	case strings.HasSuffix(at.before, "*"):
		return "YAML reads * as a reference to another place in the file", `put the value in double quotes, such as "*"`
	case strings.HasSuffix(at.before, ","):
		return "there is nothing between two commas", "remove one"
	}
	return insideFlow, quoteFlow
}

var (
	gluedColon = regexp.MustCompile(`^\s*(?:- )?["']?([A-Za-z0-9_-]+)["']?:([^\s].*)`)
	gluedDash  = regexp.MustCompile(`^\s*-([A-Za-z].*)`)
	equals     = regexp.MustCompile(`^\s*([A-Za-z0-9_-]+) ?= ?(.*)`)
)

// teachKey is for a line that is no key with its value.
func teachKey(at spot) (text, hint string) {
	if m := gluedColon.FindStringSubmatch(at.line); m != nil {
		return "a colon ends a key only with a space behind it", "write " + m[1] + ": " + clip(m[2])
	}
	if m := gluedDash.FindStringSubmatch(at.line); m != nil {
		return "a - begins a list item only with a space behind it", "write - " + clip(m[1])
	}
	if item, ok := strings.CutPrefix(strings.TrimSpace(at.line), "- "); ok {
		return "a list item where a key is expected", "write " + clip(item) + ", or indent it below the key that it belongs to"
	}
	if m := equals.FindStringSubmatch(at.line); m != nil {
		return "no key with its value", "write " + m[1] + ": " + clip(m[2])
	}
	return "no key with its value", "write key: value, such as frame: deny"
}

var definedAt = regexp.MustCompile(`key "(.*)" already defined at \[(\d+):`)

func twice(message string) string {
	m := definedAt.FindStringSubmatch(message)
	if m == nil {
		return "this key is here twice"
	}
	return fmt.Sprintf("%s is here twice, first on line %s", m[1], m[2])
}

func clip(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "..."
	}
	return s
}

// lineOf returns the text of a line, from 1.
func lineOf(data []byte, line int) string {
	for ; line > 1; line-- {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	text, _, _ := bytes.Cut(data, []byte("\n"))
	return strings.TrimRight(string(text), "\r")
}

// before returns what stands before a column, which counts characters, on its line.
func before(data []byte, line, column int) string {
	text := []rune(lineOf(data, line))
	return strings.TrimRight(string(text[:max(0, min(column-1, len(text)))]), " ")
}

// cutOff finds a comment that is glued to its #, behind a value: a colour, a fragment or the rest of a policy, which YAML
// throws away. People put a space there, or have the whole line as a comment.
func cutOff(tokens token.Tokens) error {
	for i, t := range tokens {
		if t.Type != token.CommentType || i == 0 || t.Value == "" || strings.ContainsAny(t.Value[:1], " \t\r#") {
			continue
		}
		if line, column := position(t); tokens[i-1].Position.Line == line {
			return &Error{Line: line, Column: column, Mistake: &cfgerrors.Error{Code: cfgerrors.Syntax, Value: "#" + clip(t.Value),
				Text: "YAML reads # behind a space as a comment, and the value ends before it",
				Hint: "put the value in double quotes, or write a space behind the # of a comment"}}
		}
	}
	return nil
}

// manyKeys hold keys or items of their own.
var manyKeys = regexp.MustCompile(`(^|\.)(https|proxies|cookies|headers|tls|sites|routes|hosts)$`)

// teachNull is for a key without a value. The line is the one that it stands on.
func teachNull(path, line string) (hint string) {
	switch {
	case strings.Contains(line, ": #"):
		return "YAML reads # behind a space as a comment: put the value in double quotes"
	case strings.Contains(line, "{") && strings.Contains(line, ","):
		return "inside { } a comma ends a value: put one that holds commas in double quotes"
	case manyKeys.MatchString(path):
		return "indent what belongs to it below it, or leave the key out"
	}
	return "to inherit leave the key out; to send nothing write off"
}

// policyKeys take text of Content-Security-Policy.
var policyKeys = map[string]bool{"csp": true, "trial": true, "set": true, "allow": true}

// keyword are the words that policies have in single quotes.
var keyword = regexp.MustCompile(`^(?i:self|none|nonce|unsafe-inline|unsafe-eval|strict-dynamic|unsafe-hashes|report-sample|wasm-unsafe-eval)$`)

// teachPolicy looks at a policy's text for what was lost on the way: single quotes, which YAML takes for its own, and what word
// processors make of quotes and spaces. It returns nil where nothing was.
func teachPolicy(path, text string, t *token.Token) *cfgerrors.Error {
	key := path[strings.LastIndexByte(path, '.')+1:]
	if !policyKeys[key] {
		return nil
	}
	m := &cfgerrors.Error{Field: path, Code: cfgerrors.Syntax, Value: clip(text)}
	switch {
	case t.Type == token.SingleQuoteType && keyword.MatchString(text):
		m.Text, m.Hint = "YAML takes these single quotes for its own, and a policy begins with a directive", fmt.Sprintf(`write %s: "default-src '%s'"`, key, text)
	case strings.ContainsAny(text, "“”„‘’‚"):
		m.Text, m.Hint = "these are quotes for prose", `write straight ones: csp: "default-src 'self'"`
	case strings.ContainsRune(text, '\u00a0'):
		m.Text, m.Hint = "a no-break space, which browsers take for part of a word", "write a plain space"
	default:
		return nil
	}
	return m
}
