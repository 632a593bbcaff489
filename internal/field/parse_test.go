package field_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/internal/field"
)

type (
	token = field.Token
	inner = field.Inner
	item  = field.Item
	param = field.Param
)

// items are single values, most of them examples of RFC 9651 or the edges of its grammar. An empty canonical text means
// that in is canonical.
var items = []struct {
	in        string
	want      any
	canonical string
}{
	{"42", int64(42), ""},
	{"-42", int64(-42), ""},
	{"0", int64(0), ""},
	{"-0", int64(0), "0"},
	{"00042", int64(42), "42"},
	{"-042", int64(-42), "-42"},
	{"999999999999999", int64(999999999999999), ""},
	{"-999999999999999", int64(-999999999999999), ""},
	{"000000000000001", int64(1), "1"},
	{"4.5", field.Decimal(4500), ""},
	{"-1.23", field.Decimal(-1230), ""},
	{"1.0", field.Decimal(1000), ""},
	{"1.500", field.Decimal(1500), "1.5"},
	{"0.001", field.Decimal(1), ""},
	{"-0.05", field.Decimal(-50), ""},
	{"007.1", field.Decimal(7100), "7.1"},
	{"999999999999.999", field.Decimal(999999999999999), ""},
	{"-999999999999.999", field.Decimal(-999999999999999), ""},
	{`"hello world"`, "hello world", ""},
	{`""`, "", ""},
	{`"a \"b\" \\ c"`, `a "b" \ c`, ""},
	{`"%41; , ("`, "%41; , (", ""},
	{"foo123/456", token("foo123/456"), ""},
	{"*", token("*"), ""},
	{"*a", token("*a"), ""},
	{"Same-Origin", token("Same-Origin"), ""},
	{"https://a.example:8443/x", token("https://a.example:8443/x"), ""},
	{"a!#$%&'*+-.^_`|~:/9", token("a!#$%&'*+-.^_`|~:/9"), ""},
	{":cHJldGVuZCB0aGlzIGlzIGJpbmFyeSBjb250ZW50Lg==:", []byte("pretend this is binary content."), ""},
	{"::", []byte{}, ""},
	{":aGVsbG8:", []byte("hello"), ":aGVsbG8=:"},
	{":iZ==:", []byte{0x89}, ":iQ==:"},
	{":/+Ah:", []byte{0xff, 0xe0, 0x21}, ""},
	{"?1", true, ""},
	{"?0", false, ""},
	{"@1659578233", field.Date(1659578233), ""},
	{"@-1", field.Date(-1), ""},
	{`%"This is intended for display to %c3%bcsers."`, field.Display("This is intended for display to üsers."), ""},
	{`%"%22%25 \ %00"`, field.Display("\"% \\ \x00"), ""},
	{`%"%41"`, field.Display("A"), `%"A"`},
	{"  1  ", int64(1), "1"},
}

func TestParseItem(t *testing.T) {
	for _, tc := range items {
		got, err := field.ParseItem(tc.in)
		if want := (item{Value: tc.want}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ParseItem(%q) = %#v, %v; want %#v", tc.in, got, err, want)
			continue
		}
		want := tc.canonical
		if want == "" {
			want = tc.in
		}
		if printed, err := got.Print(); printed != want || err != nil {
			t.Errorf("Print of %q = %q, %v; want %q", tc.in, printed, err, want)
		}
	}
}

func TestParseItemParams(t *testing.T) {
	for _, tc := range []struct {
		in, canonical string
		want          item
	}{
		{`same-origin; report-to="coop"`, `same-origin;report-to="coop"`, item{token("same-origin"), []param{{"report-to", "coop"}}}},
		{`require-corp;report-to=ep`, `require-corp;report-to=ep`, item{token("require-corp"), []param{{"report-to", token("ep")}}}},
		{`5;  a;*b.c_-9=?0`, `5;a;*b.c_-9=?0`, item{int64(5), []param{{"a", true}, {"*b.c_-9", false}}}},
		{`1;a=?1`, `1;a`, item{int64(1), []param{{"a", true}}}},
		{`a;q=1;q=2`, `a;q=1;q=2`, item{token("a"), []param{{"q", int64(1)}, {"q", int64(2)}}}},
	} {
		got, err := field.ParseItem(tc.in)
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("ParseItem(%q) = %#v, %v; want %#v", tc.in, got, err, tc.want)
		}
		if printed, err := got.Print(); printed != tc.canonical || err != nil {
			t.Errorf("Print of %q = %q, %v; want %q", tc.in, printed, err, tc.canonical)
		}
	}
}

func TestParseList(t *testing.T) {
	for _, tc := range []struct {
		in, canonical string
		want          field.List
	}{
		{"", "", nil},
		{"   ", "", nil},
		{`"cache", "cookies"`, `"cache", "cookies"`, field.List{{Value: "cache"}, {Value: "cookies"}}},
		{"a,b", "a, b", field.List{{Value: token("a")}, {Value: token("b")}}},
		{"a \t,\t b \t", "a, b", field.List{{Value: token("a")}, {Value: token("b")}}},
		{"()", "()", field.List{{Value: inner(nil)}}},
		{"(   )", "()", field.List{{Value: inner(nil)}}},
		{"( 1  2 );a", "(1 2);a", field.List{{inner{{Value: int64(1)}, {Value: int64(2)}}, []param{{"a", true}}}}},
		{`("a";x=1 b);y, ()`, `("a";x=1 b);y, ()`, field.List{
			{inner{{"a", []param{{"x", int64(1)}}}, {Value: token("b")}}, []param{{"y", true}}}, {Value: inner(nil)},
		}},
	} {
		got, err := field.ParseList(tc.in)
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("ParseList(%q) = %#v, %v; want %#v", tc.in, got, err, tc.want)
		}
		if printed, err := got.Print(); printed != tc.canonical || err != nil {
			t.Errorf("Print of %q = %q, %v; want %q", tc.in, printed, err, tc.canonical)
		}
	}
}

var dictionaries = []struct {
	in, canonical string
	want          field.Dictionary
}{
	{"", "", nil},
	{`camera=(), geolocation=(self "https://a.example"), usb=*, fullscreen=self`, `camera=(), geolocation=(self "https://a.example"), usb=*, fullscreen=self`,
		field.Dictionary{
			{"camera", item{Value: inner(nil)}},
			{"geolocation", item{Value: inner{{Value: token("self")}, {Value: "https://a.example"}}}},
			{"usb", item{Value: token("*")}},
			{"fullscreen", item{Value: token("self")}},
		}},
	{`default="/.merlon/r",e2="https://r.example/a?b=c"`, `default="/.merlon/r", e2="https://r.example/a?b=c"`,
		field.Dictionary{{"default", item{Value: "/.merlon/r"}}, {"e2", item{Value: "https://r.example/a?b=c"}}}},
	{"blocked-destinations=(script style), endpoints=(ep)", "blocked-destinations=(script style), endpoints=(ep)",
		field.Dictionary{
			{"blocked-destinations", item{Value: inner{{Value: token("script")}, {Value: token("style")}}}},
			{"endpoints", item{Value: inner{{Value: token("ep")}}}},
		}},
	{"js-profiling, document-write=?0, lossy=1.5;report-to=x", "js-profiling, document-write=?0, lossy=1.5;report-to=x",
		field.Dictionary{
			{"js-profiling", item{Value: true}},
			{"document-write", item{Value: false}},
			{"lossy", item{field.Decimal(1500), []param{{"report-to", token("x")}}}},
		}},
	{`a=?0, b, c; foo=bar`, `a=?0, b, c;foo=bar`,
		field.Dictionary{{"a", item{Value: false}}, {"b", item{Value: true}}, {"c", item{true, []param{{"foo", token("bar")}}}}}},
	{"a=?1", "a", field.Dictionary{{"a", item{Value: true}}}},
	{"a=1,b=2,a=3", "a=1, b=2, a=3", field.Dictionary{{"a", item{Value: int64(1)}}, {"b", item{Value: int64(2)}}, {"a", item{Value: int64(3)}}}},
	{" a=1 \t,\t *=2 ", "a=1, *=2", field.Dictionary{{"a", item{Value: int64(1)}}, {"*", item{Value: int64(2)}}}},
}

func TestParseDictionary(t *testing.T) {
	for _, tc := range dictionaries {
		got, err := field.ParseDictionary(tc.in)
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("ParseDictionary(%q) = %#v, %v; want %#v", tc.in, got, err, tc.want)
		}
		if printed, err := got.Print(); printed != tc.canonical || err != nil {
			t.Errorf("Print of %q = %q, %v; want %q", tc.in, printed, err, tc.canonical)
		}
	}
}

func TestLastOneCounts(t *testing.T) {
	d, err := field.ParseDictionary("a=1, b=2, a=3;x;x=4, c, b, a=(5)")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.Duplicates(), []string{"a", "b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Duplicates() = %q, want %q", got, want)
	}
	if got, ok := d.Get("a"); !ok || !reflect.DeepEqual(got, item{Value: inner{{Value: int64(5)}}}) {
		t.Errorf("Get(a) = %#v, %t; want the last member", got, ok)
	}
	if got, ok := d.Get("A"); ok {
		t.Errorf("Get(A) = %#v, want none: keys have a case", got)
	}
	if got, ok := d[2].Param("x"); !ok || got != int64(4) {
		t.Errorf("Param(x) = %#v, %t; want the last one", got, ok)
	}
	if got, ok := d[0].Param("x"); ok {
		t.Errorf("Param(x) = %#v, want none", got)
	}
	if got := (field.Dictionary{{Key: "a"}}).Duplicates(); got != nil {
		t.Errorf("Duplicates() of one member = %q, want none", got)
	}
}

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
