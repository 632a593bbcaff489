// Package cfgerrors has the one error type for mistakes in a configuration.
//
// A constructor that refuses a configuration reports every mistake at once, joined with [errors.Join];
// [All] walks them. Codes are stable: programs may branch on them, texts may change.
package cfgerrors

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Code names a kind of mistake. Codes never change their meaning.
type Code string

// The kinds of mistakes.
const (
	Syntax             Code = "syntax"              // the text is not of its format (JSON, a duration, an origin, a pattern)
	UnknownKey         Code = "unknown-key"         // a key that the schema does not have
	DuplicateKey       Code = "duplicate-key"       // a key that is there twice
	WrongType          Code = "wrong-type"          // a value of another type than the key takes
	InvalidValue       Code = "invalid-value"       // a value that the key does not take
	Missing            Code = "missing"             // something required is absent
	ReasonMissing      Code = "reason-missing"      // a loosening route change without a reason in words
	Conflict           Code = "conflict"            // two settings exclude each other
	UnknownDirective   Code = "unknown-directive"   // no directive of Content-Security-Policy has this name
	DuplicateOf        Code = "duplicate-of"        // browsers use the first directive of a name and ignore this one
	InvalidSource      Code = "invalid-source"      // not a source expression: browsers would skip it in silence
	NoneWithOthers     Code = "none-with-others"    // 'none' beside other sources: browsers ignore 'none'
	LiteralNonce       Code = "literal-nonce"       // a nonce that is the same in every response protects nothing
	MisplacedFraming   Code = "misplaced-framing"   // frame-ancestors belongs to the frame setting
	MisplacedReporting Code = "misplaced-reporting" // report-uri and report-to belong to the reports setting
)

// Error is one mistake in a configuration. Use errors.As or [All] to get at it.
type Error struct {
	Field string // path of the field from the root of the configuration, such as routes[0].frame.by[1]; may be empty
	Code  Code
	Value string // the offending value as it was written; may be empty
	Text  string // what is wrong, in words
	Hint  string // the way out, often the line to write instead; may be empty
}

// Error gives the mistake in one line: field, value, what is wrong and the way out.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	if e.Value != "" {
		fmt.Fprintf(&b, "%q: ", e.Value)
	}
	b.WriteString(e.Text)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// All yields every *Error in err's tree, in order. Errors of other types are passed over.
func All(err error) iter.Seq[*Error] {
	return func(yield func(*Error) bool) { walk(err, yield) }
}

func walk(err error, yield func(*Error) bool) bool {
	if e, ok := err.(*Error); ok {
		return yield(e)
	}
	switch u := err.(type) {
	case interface{ Unwrap() []error }:
		for _, e := range u.Unwrap() {
			if !walk(e, yield) {
				return false
			}
		}
	case interface{ Unwrap() error }:
		return walk(u.Unwrap(), yield)
	}
	return true
}

// Under returns err with prefix put before the field of every mistake in it: "routes[0]" turns "frame" into
// "routes[0].frame". An error without a mistake of this package comes back as it is.
func Under(prefix string, err error) error {
	var moved []error
	for e := range All(err) {
		m := *e
		m.Field = join(prefix, e.Field)
		moved = append(moved, &m)
	}
	if moved == nil {
		return err
	}
	return errors.Join(moved...)
}

func join(prefix, field string) string {
	if field == "" || prefix == "" || field[0] == '[' {
		return prefix + field
	}
	return prefix + "." + field
}
