package policyfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// tree is a YAML document as plain values, with the place of each.
type tree struct {
	data   []byte
	root   any
	places map[string]place // by path, such as sites[0].frame.by[1]
	errs   []error
}

type place struct{ line, column int }

const maxDepth = 32

// parse reads YAML into plain values: map[string]any, []any, string, bool and json.Number. Anchors, aliases, tags and merge
// keys are refused: they make a policy that reads one way and means another. The parser itself refuses duplicate keys.
func parse(data []byte) (*tree, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if line, found := lonelyReturn(data); found {
		return nil, &Error{Line: line, Column: 1, Mistake: &cfgerrors.Error{Code: cfgerrors.Syntax,
			Text: "a carriage return within a line: YAML begins a new line there, and editors do not show it", Hint: "remove it"}}
	}
	tokens := lexer.Tokenize(string(data))
	if err := cutOff(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, syntaxMistake(data, err)
	}
	t := &tree{data: data, places: map[string]place{"": {1, 1}}}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return nil, &Error{Line: 1, Column: 1, Mistake: &cfgerrors.Error{Code: cfgerrors.Missing, Text: "the file is empty", Hint: "begin it with version: 1"}}
	case 1:
		t.root = t.value("", bodies[0], 0)
	default:
		t.mistake(bodies[1], &cfgerrors.Error{Code: cfgerrors.Syntax, Text: "a second YAML document", Hint: "write several sites under sites:"})
	}
	return t, errors.Join(t.errs...)
}

// lonelyReturn finds a carriage return without a line feed, and its line. Behind it a comment may hide a key.
func lonelyReturn(data []byte) (line int, found bool) {
	for i, b := range data {
		if b == '\r' && (i+1 == len(data) || data[i+1] != '\n') {
			return 1 + bytes.Count(data[:i], []byte("\n")), true
		}
	}
	return 0, false
}

func position(t *token.Token) (line, column int) {
	if t == nil || t.Position == nil {
		return 1, 1
	}
	return t.Position.Line, t.Position.Column
}

// start is where a node begins. The token of a map is its first colon.
func start(n ast.Node) place {
	switch m := n.(type) {
	case *ast.MappingNode:
		if len(m.Values) > 0 {
			n = m.Values[0].Key
		}
	case *ast.MappingValueNode:
		n = m.Key
	}
	line, column := position(n.GetToken())
	return place{line, column}
}

func (t *tree) mistake(n ast.Node, m *cfgerrors.Error) {
	at := start(n)
	t.errs = append(t.errs, &Error{Line: at.line, Column: at.column, Mistake: m})
}

func (t *tree) value(path string, n ast.Node, depth int) any {
	if _, known := t.places[path]; !known || path == "" {
		t.places[path] = start(n)
	}
	if depth > maxDepth {
		t.mistake(n, &cfgerrors.Error{Field: path, Code: cfgerrors.Syntax, Text: fmt.Sprintf("nested deeper than %d levels", maxDepth)})
		return nil
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return t.mapping(path, n.Values, depth)
	case *ast.MappingValueNode:
		return t.mapping(path, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		list := make([]any, len(n.Values))
		for i, v := range n.Values {
			list[i] = t.value(fmt.Sprintf("%s[%d]", path, i), v, depth+1)
		}
		return list
	case *ast.StringNode:
		if m := teachPolicy(path, n.Value, n.GetToken()); m != nil {
			t.mistake(n, m)
		}
		return n.Value
	case *ast.LiteralNode:
		return strings.TrimRight(n.Value.Value, "\n")
	case *ast.BoolNode:
		return n.Value
	case *ast.NullNode:
		t.mistake(n, &cfgerrors.Error{Field: path, Code: cfgerrors.Missing, Text: "no value", Hint: teachNull(path, lineOf(t.data, start(n).line))})
		return nil
	case *ast.IntegerNode, *ast.FloatNode:
		return number(n.GetToken().Value)
	}
	t.refuse(path, n)
	return nil
}

// number keeps what JSON calls a number; other spellings of YAML (0x10, 1_000) stay text, and are of the wrong type.
func number(text string) any {
	if json.Valid([]byte(text)) {
		return json.Number(text)
	}
	return text
}

// refuse says what is meant to be written where YAML reads something else.
func (t *tree) refuse(path string, n ast.Node) {
	m := &cfgerrors.Error{Field: path, Code: cfgerrors.Syntax, Value: n.GetToken().Value, Text: "policy files have no " + n.Type().String() + " nodes", Hint: "write the value out"}
	switch n.(type) {
	case *ast.AliasNode:
		m.Text, m.Hint = "YAML reads * as a reference to another place in the file", `put the value in double quotes, such as "*"`
	case *ast.AnchorNode:
		m.Text, m.Hint = "YAML reads & as a name for this place", "put the value in double quotes"
	case *ast.TagNode:
		m.Text, m.Hint = "YAML reads ! as a type", "put the value in double quotes"
	}
	t.mistake(n, m)
}

func (t *tree) mapping(path string, pairs []*ast.MappingValueNode, depth int) any {
	out := map[string]any{}
	for _, pair := range pairs {
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			t.refuseKey(path, pair.Key)
			continue
		}
		if m := teachKeyText(key.Value); m != nil {
			m.Field = path
			t.mistake(key, m)
			continue
		}
		at := under(path, key.Value)
		t.places[at] = start(key)
		out[key.Value] = t.value(at, pair.Value, depth+1)
	}
	return out
}

// refuseKey says why a key that is no text cannot be one.
func (t *tree) refuseKey(path string, key ast.Node) {
	m := &cfgerrors.Error{Field: path, Code: cfgerrors.Syntax, Value: key.GetToken().Value, Text: "keys are plain words", Hint: "write key: value"}
	switch key.(type) {
	case *ast.MergeKeyNode:
		m.Text, m.Hint = "policy files have no merge keys", "write the keys out"
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		m.Text, m.Hint = "YAML reads this key as no text", fmt.Sprintf("put it in double quotes: %q", m.Value)
	}
	t.mistake(key, m)
}

// teachKeyText finds keys that are none: a list item, or the rest of a policy whose line ends in a scheme.
func teachKeyText(key string) *cfgerrors.Error {
	switch {
	case gluedDash.MatchString(key):
		return &cfgerrors.Error{Code: cfgerrors.Syntax, Value: key, Text: "a - begins a list item only with a space behind it", Hint: "write - " + clip(key[1:])}
	case strings.Contains(key, " "):
		return &cfgerrors.Error{Code: cfgerrors.Syntax, Value: clip(key), Text: "YAML reads this line as a key, up to its colon", Hint: "if it goes on with the text above: " + ownLines}
	}
	return nil
}

// locate gives the place of the deepest part of the path that stands in the file.
func (t *tree) locate(path string) place {
	for {
		if p, ok := t.places[path]; ok {
			return p
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}
