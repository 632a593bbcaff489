// Package field reads and writes Structured Field Values, the syntax of headers such as Permissions-Policy,
// Reporting-Endpoints and Cross-Origin-Opener-Policy. https://www.rfc-editor.org/rfc/rfc9651
package field

import "fmt"

// maxBytes bounds what the parsers read. No header of a real response comes near it.
const maxBytes = 64 << 10

// An Item is a value with its parameters.
type Item struct {
	Value  any     // Token, string, int64, Decimal, bool, []byte, Date or Display; in a List or a Dictionary also Inner
	Params []Param // in the order written, repeated keys included
}

// An Inner is an inner list: the (self "https://a.example") of a Permissions-Policy. Its items are never Inner themselves.
type Inner []Item

// A Param is one parameter of an item or of an inner list. Its value is true where none is written.
type Param struct {
	Key   string
	Value any // as in an Item, but never Inner
}

// A List is a header such as Clear-Site-Data.
type List []Item

// A Dictionary is a header such as Permissions-Policy. It holds every member in the order written. Browsers use
// the last of several members with one key: see [Dictionary.Get] and [Dictionary.Duplicates].
type Dictionary []Member

// A Member is one key of a Dictionary with its value, which is true where none is written.
type Member struct {
	Key string
	Item
}

// A Token is a word without quotes: same-origin, *, text/html.
type Token string

// A Decimal is a number with a point, in thousandths: 1.5 is Decimal(1500).
type Decimal int64

// A Date is in seconds since 1970 began in UTC.
type Date int64

// A Display is a string in Unicode, for people to read.
type Display string

// A SyntaxError says where a parser stopped, and why.
type SyntaxError struct {
	Offset int    // bytes in front of the mistake
	Near   string // the beginning of what stands there, "" at the end of the input
	Text   string // what is wrong, in words
}

func (e *SyntaxError) Error() string {
	if e.Near == "" {
		return fmt.Sprintf("at the end (byte %d): %s", e.Offset, e.Text)
	}
	return fmt.Sprintf("at byte %d (%q): %s", e.Offset, e.Near, e.Text)
}

// Get returns what browsers use for the key: the last member that has it.
func (d Dictionary) Get(key string) (Item, bool) {
	for i := len(d) - 1; i >= 0; i-- {
		if d[i].Key == key {
			return d[i].Item, true
		}
	}
	return Item{}, false
}

// Duplicates returns the keys that several members have, each once. Of these members all but the last have no effect.
func (d Dictionary) Duplicates() []string {
	var twice []string
	times := make(map[string]int, len(d))
	for _, m := range d {
		times[m.Key]++
		if times[m.Key] == 2 {
			twice = append(twice, m.Key)
		}
	}
	return twice
}

// Param returns the value of the parameter with this key, the last one if there are several.
func (i Item) Param(key string) (any, bool) {
	for n := len(i.Params) - 1; n >= 0; n-- {
		if i.Params[n].Key == key {
			return i.Params[n].Value, true
		}
	}
	return nil, false
}
