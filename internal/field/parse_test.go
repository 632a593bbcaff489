package field_test

import (
	"reflect"
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
