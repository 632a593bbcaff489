package field

import "strings"

// ParseItem reads a header that has one value, such as Cross-Origin-Opener-Policy. The error is a [*SyntaxError], as it
// is for the other parsers; all of them refuse more than 64 KiB. https://www.rfc-editor.org/rfc/rfc9651#section-4.2.3
func ParseItem(s string) (Item, error) { return parse(s, (*parser).item) }

// ParseList reads a header that is a list; the lines of one header are joined with a comma before. An empty header is an
// empty list. https://www.rfc-editor.org/rfc/rfc9651#section-4.2.1
func ParseList(s string) (List, error) {
	return parse(s, func(p *parser) (List, error) { return members(p, (*parser).itemOrInner) })
}

// ParseDictionary reads a header that is a dictionary; the lines of one header are joined with a comma before. An
// empty header is an empty dictionary. https://www.rfc-editor.org/rfc/rfc9651#section-4.2.2
func ParseDictionary(s string) (Dictionary, error) {
	return parse(s, func(p *parser) (Dictionary, error) { return members(p, (*parser).member) })
}

// A parser reads in from pos on. It steps back only to say where a mistake begins, so that it takes linear time.
type parser struct {
	in  string
	pos int
}

func parse[T any](s string, read func(*parser) (T, error)) (T, error) {
	var none T
	p := &parser{in: s}
	if len(s) > maxBytes {
		p.pos = maxBytes
		return none, p.wrong("a header of over 64 KiB is not read")
	}
	p.skip(" ")
	value, err := read(p)
	if err != nil {
		return none, err
	}
	if p.skip(" "); p.more() {
		return none, p.wrong("nothing may follow the value but parameters, which begin with a semicolon")
	}
	return value, nil
}

// members reads what commas separate. Tabs are allowed around the commas and nowhere else.
func members[T any](p *parser, read func(*parser) (T, error)) ([]T, error) {
	var all []T
	for p.more() {
		one, err := read(p)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
		if p.skip(" \t"); !p.more() {
			break
		}
		if !p.take(',') {
			return nil, p.wrong("a comma must separate this from what stands before it")
		}
		if p.skip(" \t"); !p.more() {
			return nil, p.wrong("something must follow the last comma")
		}
	}
	return all, nil
}

func (p *parser) member() (m Member, err error) {
	if m.Key, err = p.key(); err != nil {
		return m, err
	}
	if p.take('=') {
		m.Item, err = p.itemOrInner()
		return m, err
	}
	m.Value = true
	m.Params, err = p.params()
	return m, err
}

func (p *parser) itemOrInner() (Item, error) {
	if p.peek() == '(' {
		return p.inner()
	}
	return p.item()
}

func (p *parser) item() (i Item, err error) {
	if i.Value, err = p.bare(); err == nil {
		i.Params, err = p.params()
	}
	return i, err
}

// inner reads an inner list. https://www.rfc-editor.org/rfc/rfc9651#section-4.2.1.2
func (p *parser) inner() (Item, error) {
	var items Inner
	p.take('(')
	for p.skip(" "); !p.take(')'); p.skip(" ") {
		if !p.more() {
			return Item{}, p.wrong("the parenthesis is not closed")
		}
		if p.peek() == '(' {
			return Item{}, p.wrong("parentheses do not stand within parentheses")
		}
		i, err := p.item()
		if err != nil {
			return Item{}, err
		}
		if next := p.peek(); p.more() && next != ' ' && next != ')' {
			return Item{}, p.wrong("within parentheses, a space must separate this from what stands before it")
		}
		items = append(items, i)
	}
	params, err := p.params()
	return Item{Value: items, Params: params}, err
}

// params reads what follows a value: semicolons at once, then a space at most. https://www.rfc-editor.org/rfc/rfc9651#section-4.2.3.2
func (p *parser) params() ([]Param, error) {
	var all []Param
	for p.take(';') {
		p.skip(" ")
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		one := Param{Key: key, Value: true}
		if p.take('=') {
			if one.Value, err = p.bare(); err != nil {
				return nil, err
			}
		}
		all = append(all, one)
	}
	return all, nil
}

func (p *parser) key() (string, error) {
	if c := p.peek(); !isLower(c) && c != '*' {
		return "", p.wrong("a key begins with a lower-case letter or *")
	}
	return p.while(isKey), nil
}

func (p *parser) more() bool { return p.pos < len(p.in) }

// peek returns the next byte, or 0 at the end. No rule of the syntax accepts a 0 of the input either.
func (p *parser) peek() byte {
	if !p.more() {
		return 0
	}
	return p.in[p.pos]
}

func (p *parser) take(c byte) bool {
	taken := p.more() && p.in[p.pos] == c
	if taken {
		p.pos++
	}
	return taken
}

func (p *parser) skip(set string) {
	p.while(func(c byte) bool { return strings.IndexByte(set, c) >= 0 })
}

func (p *parser) while(accepts func(byte) bool) string {
	start := p.pos
	for p.more() && accepts(p.in[p.pos]) {
		p.pos++
	}
	return p.in[start:p.pos]
}

func (p *parser) wrong(text string) error {
	near := p.in[p.pos:]
	return &SyntaxError{Offset: p.pos, Near: near[:min(len(near), 20)], Text: text}
}
