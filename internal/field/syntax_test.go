package field_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/internal/field"
)

func TestSyntaxErrors(t *testing.T) {
	for _, tc := range []struct {
		kind   string
		in     string
		offset int
		text   string // part of the error
	}{
		{"item", "", 0, "at the end (byte 0): a value is missing"},
		{"item", "  ", 2, "a value is missing"},
		{"item", "\t1", 0, "no value begins like this"},
		{"item", "1\t", 1, "nothing may follow"},
		{"item", "a, b", 1, "nothing may follow"},
		{"item", "a ;b", 2, "nothing may follow"},
		{"item", "(a)", 0, "no value begins"},
		{"item", "'none'", 0, "double quotes"},
		{"item", "1000000000000000", 0, "at most 15 digits"},
		{"item", "-0000000000000000", 0, "at most 15 digits"},
		{"item", "1234567890123.0", 0, "12 digits"},
		{"item", "1.", 2, "one to three digits"},
		{"item", "1.2345", 2, "one to three digits"},
		{"item", "1..2", 2, "one to three digits"},
		{"item", "1.5.4", 3, "nothing may follow"},
		{"item", "-", 1, "must have a digit"},
		{"item", "--1", 1, "must have a digit"},
		{"item", "+1", 0, "no value begins"},
		{"item", ".5", 0, "no value begins"},
		{"item", "1e3", 1, "nothing may follow"},
		{"item", "?2", 1, "?0 and ?1"},
		{"item", "?", 1, "?0 and ?1"},
		{"item", "?10", 2, "nothing may follow"},
		{"item", `"a`, 2, "no closing quote"},
		{"item", `"a\`, 3, "may follow a backslash"},
		{"item", `"a\n"`, 3, "may follow a backslash"},
		{"item", "\"a\tb\"", 2, "printable ASCII"},
		{"item", "\"a\x00\"", 2, "printable ASCII"},
		{"item", "\"a\x7f\"", 2, "printable ASCII"},
		{"item", "\"ü\"", 1, "printable ASCII"},
		{"item", ":aGVsbG8=", 9, "no closing colon"},
		{"item", ":aGVsbG8=\n:", 9, "ends in a colon"},
		{"item", ":aGVs bG8=:", 5, "ends in a colon"},
		{"item", ":aGVsbG9_:", 8, "ends in a colon"},
		{"item", ":a:", 1, "no base64"},
		{"item", ":=:", 1, "no base64"},
		{"item", ":aG=sbG8=:", 1, "no base64"},
		{"item", "@1.5", 1, "whole number of seconds"},
		{"item", "@", 1, "must have a digit"},
		{"item", "%a", 1, "double quote must follow"},
		{"item", `%"a%C3%BC"`, 4, "lower-case hexadecimal"},
		{"item", `%"%a`, 3, "lower-case hexadecimal"},
		{"item", `%"%+1"`, 3, "lower-case hexadecimal"},
		{"item", `%"%c3%28"`, 2, "not UTF-8"},
		{"item", `%"a`, 3, "no closing quote"},
		{"item", "%\"ü\"", 2, "printable ASCII"},
		{"item", "a;", 2, "a key begins"},
		{"item", "a;A=1", 2, "a key begins"},
		{"item", "a;1", 2, "a key begins"},
		{"item", "a;b =1", 4, "nothing may follow"},
		{"item", "a;b= 1", 4, "no value begins"},
		{"item", "a;b=(1)", 4, "no value begins"},
		{"item", "a;\tb", 2, "a key begins"},
		{"item", "a\x00", 1, "nothing may follow"},
		{"list", "a,", 2, "must follow the last comma"},
		{"list", "a, ", 3, "must follow the last comma"},
		{"list", ",a", 0, "no value begins"},
		{"list", "a,,b", 2, "no value begins"},
		{"list", "a b", 2, "a comma must separate"},
		{"list", "a;\x00", 2, "a key begins"},
		{"list", "(1", 2, "not closed"},
		{"list", "(1 ", 3, "not closed"},
		{"list", "(", 1, "not closed"},
		{"list", `("a""b")`, 4, "a space must separate"},
		{"list", "(1,2)", 2, "a space must separate"},
		{"list", "(1\t2)", 2, "a space must separate"},
		{"list", "(\t1)", 1, "no value begins"},
		{"list", "(1\x00)", 2, "a space must separate"},
		{"list", "(a (b))", 3, "within parentheses"},
		{"list", "(a) ;b", 4, "a comma must separate"},
		{"list", "\ta", 0, "no value begins"},
		{"dictionary", "Camera=()", 0, "a key begins with a lower-case letter"},
		{"dictionary", "caMera=()", 2, "a comma must separate"},
		{"dictionary", "camera 'none'", 7, "a comma must separate"},
		{"dictionary", "camera=self;", 12, "a key begins"},
		{"dictionary", "camera=(), ", 11, "must follow the last comma"},
		{"dictionary", "camera=", 7, "a value is missing"},
		{"dictionary", "camera =()", 7, "a comma must separate"},
		{"dictionary", "camera= ()", 7, "no value begins"},
		{"dictionary", "camera=(), geolocation=('self')", 24, "double quotes"},
		{"dictionary", "a=1;;b", 4, "a key begins"},
		{"dictionary", "-a=1", 0, "a key begins"},
		{"dictionary", "=1", 0, "a key begins"},
		{"dictionary", "a=1; b=2 c", 9, `at byte 9 ("c"): a comma must separate`},
		{"dictionary", "a=1\r\nx: y", 3, "a comma must separate"},
	} {
		err := parse(tc.kind, tc.in)
		var syntax *field.SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset != tc.offset || !strings.Contains(err.Error(), tc.text) {
			t.Errorf("parsing the %s %q: error %v, want at byte %d: %q", tc.kind, tc.in, err, tc.offset, tc.text)
		}
	}
}

func TestBound(t *testing.T) {
	const most = 64 << 10
	longest := strings.Repeat("a", most)
	for _, kind := range []string{"item", "list", "dictionary"} {
		if err := parse(kind, longest); err != nil {
			t.Errorf("parsing the %s of 64 KiB: %v", kind, err)
		}
		if err := parse(kind, longest+"a"); err == nil || !strings.Contains(err.Error(), "64 KiB") {
			t.Errorf("parsing the %s of 64 KiB and a byte: %v, want an error", kind, err)
		}
	}
}

func parse(kind, in string) (err error) {
	switch kind {
	case "item":
		_, err = field.ParseItem(in)
	case "list":
		_, err = field.ParseList(in)
	default:
		_, err = field.ParseDictionary(in)
	}
	return err
}
