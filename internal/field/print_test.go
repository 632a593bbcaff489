package field_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/internal/field"
)

func TestString(t *testing.T) {
	for in, want := range map[string]string{
		"":                  `""`,
		"/.merlon/r?d=e":    `"/.merlon/r?d=e"`,
		`a "b" \ c`:         `"a \"b\" \\ c"`,
		`", evil="x`:        `"\", evil=\"x"`,
		"~ ;,()":            `"~ ;,()"`,
		"a\r\nX: y":         "",
		"tab\t":             "",
		"del\x7f":           "",
		"nul\x00":           "",
		"https://ü.example": "",
		"\xff":              "",
	} {
		got, err := field.String(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("String(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

// What could end a value early, or mean something else, is never printed.
func TestPrintRefuses(t *testing.T) {
	for _, tc := range []struct {
		value any
		text  string // part of the error
	}{
		{nil, "type <nil>"},
		{1, "type int"},
		{1.5, "type float64"},
		{token(""), "is no token"},
		{token("a b"), "is no token"},
		{token("1a"), "is no token"},
		{token("a;b"), "is no token"},
		{token("a\x00"), "is no token"},
		{token("ü"), "is no token"},
		{int64(1e15), "15 digits"},
		{int64(-1e15), "15 digits"},
		{int64(math.MinInt64), "15 digits"},
		{field.Date(1e15), "15 digits"},
		{field.Decimal(1e15), "12 digits"},
		{field.Decimal(-1e15), "12 digits"},
		{field.Decimal(math.MinInt64), "12 digits"},
		{field.Display("\xff"), "not UTF-8"},
		{"ü", "printable ASCII"},
		{inner{{Value: inner{}}}, "inner list"},
		{inner{{Value: "\n"}}, "printable ASCII"},
	} {
		d := field.Dictionary{{Key: "first"}, {Key: "a", Item: item{Value: tc.value}}}
		d[0].Value = true
		if got, err := d.Print(); got != "" || err == nil || !strings.Contains(err.Error(), tc.text) {
			t.Errorf("Print with the value %#v = %q, %v; want an error with %q", tc.value, got, err, tc.text)
		}
		p := item{Value: int64(1), Params: []param{{"a", tc.value}}}
		if got, err := p.Print(); got != "" || err == nil {
			t.Errorf("Print with the parameter %#v = %q, %v; want an error", tc.value, got, err)
		}
	}
	if got, err := (item{Value: inner{}}).Print(); got != "" || err == nil {
		t.Errorf("Print of an inner list as an item = %q, %v; want an error", got, err)
	}
	for _, key := range []string{"", "A", "1a", "a b", "a=b", "a,b", "ü", "a\x00", "-a"} {
		if got, err := (field.Dictionary{{Key: key, Item: item{Value: true}}}).Print(); got != "" || err == nil {
			t.Errorf("Print with the key %q = %q, %v; want an error", key, got, err)
		}
		if got, err := (field.List{{Value: inner{}, Params: []param{{key, true}}}}).Print(); got != "" || err == nil {
			t.Errorf("Print with the parameter's key %q = %q, %v; want an error", key, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, tc := range items {
		f.Add(tc.in)
	}
	for _, tc := range dictionaries {
		f.Add(tc.in)
	}
	f.Add(`("a";x=1 b);y, ()`)
	f.Add("a=1; b=2 c")
	f.Fuzz(func(t *testing.T, in string) {
		agree(t, in, field.ParseItem)
		agree(t, in, field.ParseList)
		agree(t, in, field.ParseDictionary)
	})
}

// agree fails unless what parse reads in is printed so that it reads the same again, and prints the same again.
func agree[T interface{ Print() (string, error) }](t *testing.T, in string, parse func(string) (T, error)) {
	value, err := parse(in)
	if err != nil {
		return
	}
	printed, err := value.Print()
	if err != nil {
		t.Fatalf("Print of %#v, read in %q: %v", value, in, err)
	}
	if len(printed) > 64<<10 { // spaces behind commas
		return
	}
	again, err := parse(printed)
	if err != nil || !reflect.DeepEqual(value, again) {
		t.Fatalf("%q is read as %#v and printed as %q, which is read as %#v, %v", in, value, printed, again, err)
	}
	if twice, err := again.Print(); twice != printed || err != nil {
		t.Fatalf("%q is printed as %q, then as %q, %v", in, printed, twice, err)
	}
}

func FuzzString(f *testing.F) {
	f.Add(`a "b" \ c`)
	f.Add("a\r\nX: y")
	f.Fuzz(func(t *testing.T, in string) {
		printed, err := field.String(in)
		if err != nil || len(printed) > 64<<10 {
			return
		}
		if got, err := field.ParseItem(printed); err != nil || !reflect.DeepEqual(got, item{Value: in}) {
			t.Fatalf("String(%q) = %q, which is read as %#v, %v", in, printed, got, err)
		}
	})
}

func ExampleParseDictionary() {
	policy, err := field.ParseDictionary(`camera=(), geolocation=(self "https://a.example"), camera=*`)
	if err != nil {
		fmt.Println(err)
		return
	}
	camera, _ := policy.Get("camera")
	fmt.Println(camera.Value, policy.Duplicates())
	// Output: * [camera]
}
