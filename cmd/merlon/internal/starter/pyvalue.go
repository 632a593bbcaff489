package starter

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Values of Python: string, int64, float64, bool, nil, pyList (list, tuple and set) and pyDict.
type (
	pyList []any
	pyDict []pyPair
	pyPair struct{ key, value any }

	pyUnknown struct{} // an item that is no literal, of a list or dictionary that is one
)

const (
	maxPyDepth = 40      // brackets in brackets
	maxPySize  = 1 << 13 // characters of a text or items of a list that expressions may grow to
	maxPyPairs = 1 << 10 // pairs of a dictionary
)

// pyParser reads expressions made of literals, and of names that stand for such.
type pyParser struct {
	tokens []pyToken // of one expression
	pos    int
	depth  int
	lookup func(dotted string) (value any, known bool)
}

// errNotLiteral is for what only running the program could tell.
var errNotLiteral = errors.New("not a literal")

// pyEval gives the value of an expression. https://docs.python.org/3/reference/expressions.html
func pyEval(tokens []pyToken, lookup func(string) (any, bool)) (any, error) {
	p := &pyParser{tokens: tokens, lookup: lookup}
	v, err := p.list("")
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.tokens) {
		return nil, errNotLiteral
	}
	return v, nil
}

func (p *pyParser) peek() string {
	if p.pos < len(p.tokens) && p.tokens[p.pos].kind != "string" {
		return p.tokens[p.pos].text
	}
	return ""
}

func (p *pyParser) take(text string) bool {
	if text == "" || p.peek() != text {
		return false
	}
	p.pos++
	return true
}

// list reads what stands up to a closing bracket, or the end: one value, or several with commas, which are a tuple.
func (p *pyParser) list(end string) (any, error) {
	var items pyList
	comma := false
	for p.pos < len(p.tokens) && (end == "" || p.peek() != end) {
		if p.take("*") {
			v, err := p.item(end)
			if err != nil {
				return nil, err
			}
			if inner, ok := v.(pyList); ok {
				items = append(items, inner...)
			} else {
				items = append(items, pyUnknown{})
			}
			comma = true
		} else {
			v, err := p.item(end)
			if err != nil {
				return nil, err
			}
			items = append(items, v)
		}
		if len(items) > maxPySize {
			return nil, errNotLiteral
		}
		if !p.take(",") {
			break
		}
		comma = true
	}
	if end != "" && !p.take(end) {
		return nil, errNotLiteral
	}
	if len(items) == 1 && !comma && end != "]" && end != "}" {
		return items[0], nil
	}
	if len(items) == 0 && end == "" {
		return nil, errNotLiteral
	}
	return append(pyList{}, items...), nil
}

// item reads an item up to a comma or the closing bracket. Inside brackets, one that is no literal leaves the others as they are.
func (p *pyParser) item(end string) (any, error) {
	start := p.pos
	v, err := p.sum()
	if next := p.peek(); end == "" || err == nil && (next == "," || next == end) {
		return v, err
	}
	depth := 0
	for p.pos = start; p.pos < len(p.tokens); p.pos++ {
		switch next := p.peek(); {
		case depth == 0 && (next == "," || next == end):
			return pyUnknown{}, nil
		case next != "" && strings.Contains("([{", next):
			depth++
		case next != "" && strings.Contains(")]}", next):
			depth--
		}
	}
	return nil, errNotLiteral
}

// sum reads values joined by + and -.
func (p *pyParser) sum() (any, error) {
	if p.depth++; p.depth > maxPyDepth {
		return nil, errNotLiteral
	}
	defer func() { p.depth-- }()
	left, err := p.product()
	for err == nil {
		op := p.peek()
		if op != "+" && op != "-" {
			return left, nil
		}
		p.pos++
		var right any
		if right, err = p.product(); err == nil {
			left, err = pyAdd(left, right, op)
		}
	}
	return nil, err
}

func pyAdd(left, right any, op string) (any, error) {
	switch l := left.(type) {
	case int64:
		if r, ok := right.(int64); ok {
			if op == "-" {
				r = -r
			}
			return small(l + r)
		}
	case string:
		if r, ok := right.(string); ok && op == "+" && len(l)+len(r) <= maxPySize {
			return l + r, nil
		}
	case pyList:
		if r, ok := right.(pyList); ok && op == "+" && len(l)+len(r) <= maxPySize {
			return append(append(pyList{}, l...), r...), nil
		}
	}
	return nil, errNotLiteral
}

// small keeps numbers far from overflow. No setting has larger ones.
func small(n int64) (any, error) {
	if n > 1<<40 || n < -(1<<40) {
		return nil, errNotLiteral
	}
	return n, nil
}

func (p *pyParser) product() (any, error) {
	left, err := p.unary()
	for err == nil && p.peek() == "*" {
		p.pos++
		var right any
		if right, err = p.unary(); err != nil {
			break
		}
		l, okL := left.(int64)
		r, okR := right.(int64)
		if !okL || !okR || l > 1<<31 || l < -(1<<31) || r > 1<<31 || r < -(1<<31) {
			return nil, errNotLiteral
		}
		left, err = small(l * r) // of 32 bits each
	}
	return left, err
}

func (p *pyParser) unary() (any, error) {
	if p.take("-") {
		v, err := p.atom()
		if n, ok := v.(int64); ok && err == nil {
			return -n, nil
		}
		return nil, errNotLiteral
	}
	return p.atom()
}

func (p *pyParser) atom() (any, error) {
	if p.pos >= len(p.tokens) {
		return nil, errNotLiteral
	}
	t := p.tokens[p.pos]
	p.pos++
	switch {
	case t.kind == "string":
		return p.strings(t)
	case t.kind == "number":
		return pyNumberValue(t.text)
	case t.kind == "name":
		return p.name(t)
	case t.text == "(" || t.text == "[":
		return p.list(map[string]string{"(": ")", "[": "]"}[t.text])
	case t.text == "{":
		return p.braces()
	}
	return nil, errNotLiteral
}

// strings reads a string and those right behind it, which Python joins.
func (p *pyParser) strings(t pyToken) (any, error) {
	var b strings.Builder
	for {
		if t.open {
			return nil, errNotLiteral
		}
		b.WriteString(t.str)
		if p.pos >= len(p.tokens) || p.tokens[p.pos].kind != "string" {
			return b.String(), nil
		}
		t = p.tokens[p.pos]
		p.pos++
	}
}

func pyNumberValue(text string) (any, error) {
	text = strings.ReplaceAll(text, "_", "")
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return small(n)
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return f, nil
	}
	return nil, errNotLiteral
}

// name reads a name, dotted perhaps. A call, an index or an operator behind it is found where the expression does not end.
func (p *pyParser) name(t pyToken) (any, error) {
	dotted := t.text
	for p.peek() == "." && p.pos+1 < len(p.tokens) && p.tokens[p.pos+1].kind == "name" {
		dotted += "." + p.tokens[p.pos+1].text
		p.pos += 2
	}
	switch dotted {
	case "True":
		return true, nil
	case "False":
		return false, nil
	case "None":
		return nil, nil
	}
	if v, known := p.lookup(dotted); known {
		return v, nil
	}
	return nil, fmt.Errorf("%w: %s", errNotLiteral, dotted)
}
