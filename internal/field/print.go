package field

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

var errInner = errors.New("an inner list stands only in a list or a dictionary")

// String returns s as a string of a header, in quotes and escaped. It refuses what cannot stand in one: control
// characters and what is not ASCII.
func String(s string) (string, error) { return Item{Value: s}.Print() }

// Print returns the canonical text of the item; [ParseItem] reads it back. It refuses values that no header can
// carry. https://www.rfc-editor.org/rfc/rfc9651#section-4.1
func (i Item) Print() (string, error) {
	b, err := i.append(nil)
	return string(b), err
}

// Print returns the canonical text of the list, as [Item.Print] does. An empty list is no header: do not send it.
func (l List) Print() (string, error) {
	b, err := separated(nil, ", ", l, Item.appendMember)
	return string(b), err
}

// Print returns the canonical text of the dictionary, as [Item.Print] does, with every member that it has. An empty
// dictionary is no header: do not send it.
func (d Dictionary) Print() (string, error) {
	b, err := separated(nil, ", ", d, Member.append)
	return string(b), err
}

// separated appends all the elements, or nothing and the first error.
func separated[T any](b []byte, separator string, all []T, one func(T, []byte) ([]byte, error)) ([]byte, error) {
	for i, element := range all {
		if i > 0 {
			b = append(b, separator...)
		}
		var err error
		if b, err = one(element, b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (m Member) append(b []byte) ([]byte, error) {
	b, err := appendKey(b, m.Key)
	if err != nil {
		return nil, err
	}
	if m.Value == true {
		return separated(b, "", m.Params, Param.append)
	}
	return m.appendMember(append(b, '='))
}

// appendMember appends an item, or an inner list as it may stand in a list or a dictionary.
func (i Item) appendMember(b []byte) ([]byte, error) {
	inner, ok := i.Value.(Inner)
	if !ok {
		return i.append(b)
	}
	b, err := separated(append(b, '('), " ", inner, Item.append)
	if err != nil {
		return nil, err
	}
	return separated(append(b, ')'), "", i.Params, Param.append)
}

func (i Item) append(b []byte) ([]byte, error) {
	b, err := appendBare(b, i.Value)
	if err != nil {
		return nil, err
	}
	return separated(b, "", i.Params, Param.append)
}

func (p Param) append(b []byte) ([]byte, error) {
	b, err := appendKey(append(b, ';'), p.Key)
	if err != nil || p.Value == true {
		return b, err
	}
	return appendBare(append(b, '='), p.Value)
}

func appendKey(b []byte, key string) ([]byte, error) {
	p := parser{in: key}
	if _, err := p.key(); err != nil || p.more() {
		return nil, fmt.Errorf("%q is no key: lower-case letters, digits and _-.* after a letter or *", key)
	}
	return append(b, key...), nil
}

func appendBare(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		return appendQuoted(b, v)
	case Token:
		return appendToken(b, v)
	case int64:
		return appendInteger(b, v)
	case Decimal:
		return appendDecimal(b, v)
	case Date:
		return appendInteger(append(b, '@'), int64(v))
	case Display:
		return appendDisplay(b, v)
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(b, ':'), v), ':'), nil
	case bool:
		if v {
			return append(b, "?1"...), nil
		}
		return append(b, "?0"...), nil
	case Inner:
		return nil, errInner
	default:
		return nil, fmt.Errorf("a value of the type %T has no form in a header", value)
	}
}

func appendQuoted(b []byte, s string) ([]byte, error) {
	b = append(b, '"')
	for i := range len(s) {
		if !isPrintable(s[i]) {
			return nil, fmt.Errorf("%q cannot be a string: it holds printable ASCII only", s)
		}
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"'), nil
}

func appendToken(b []byte, t Token) ([]byte, error) {
	p := parser{in: string(t)}
	if first := p.peek(); !isAlpha(first) && first != '*' || p.while(isToken) != string(t) {
		return nil, fmt.Errorf("%q is no token: letters, digits and !#$%%&'*+-.^_`|~:/ after a letter or *", t)
	}
	return append(b, t...), nil
}

func appendInteger(b []byte, n int64) ([]byte, error) {
	if n > 999_999_999_999_999 || n < -999_999_999_999_999 {
		return nil, fmt.Errorf("%d has over 15 digits", n)
	}
	return strconv.AppendInt(b, n, 10), nil
}

func appendDecimal(b []byte, d Decimal) ([]byte, error) {
	n := int64(d)
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	if n > 999_999_999_999_999 || n < 0 {
		return nil, fmt.Errorf("%d thousandths have over 12 digits in front of the point", d)
	}
	fraction := strings.TrimRight(fmt.Sprintf("%03d", n%1000), "0")
	b = append(strconv.AppendInt(b, n/1000, 10), '.')
	if fraction == "" {
		fraction = "0"
	}
	return append(b, fraction...), nil
}

func appendDisplay(b []byte, s Display) ([]byte, error) {
	if !utf8.ValidString(string(s)) {
		return nil, fmt.Errorf("%q cannot be a display string: it is not UTF-8", s)
	}
	b = append(b, `%"`...)
	for i := range len(s) {
		if c := s[i]; !isPrintable(c) || c == '"' || c == '%' {
			b = fmt.Appendf(b, "%%%02x", c)
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"'), nil
}
