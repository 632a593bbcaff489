package collect_test

import (
	"regexp"
	"testing"
	"unicode/utf8"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
)

var sampleTests = map[string]string{
	"":                                    "",
	"window.x=1":                          "window.x=1",
	"  a( b,\u00a0c )  ":                  "a( b, c )",
	"track('UA-1234567-1')":               "track('UA-*-1')",
	"csrf='d41d8cd98f00b204e9800998ecf8'": "csrf='*'",
	"t=\"Zm9vYmFyMTIzNDU2Nzg5\"":          "t=\"*\"",
	"mail('alice@mail.example')":          "mail('*')",
	"get('/u/alice%40mail.example/x')":    "get('*')",
	"get('/u/alice%2540mail.example')":    "get('*')",
	"load('https://a.example/x/12?k=v')":  "load('https://a.example/x/*')",
	"load('https://u:p@a.example/x')":     "load('https://a.example/x')",
	"addEventListenerWithOptions(load)":   "addEventListenerWithOptions(load)",
	"//5551234 and 7":                     "//* and 7",
	"f('//5551234/x','//a.example/?k=v')": "f('*','//a.example/')",
	"f('/reset?k=v') ? a=1 : b":           "f('/reset?*') ? a=1 : b",
	"a\u200b12\u200b34 f(1)...":           "* f(1)",
	"#facade{color:#ff0000}":              "#facade{color:#*}",
	"n=12\u200b34\u00ad567\x0089":         "n=*",
	`/* ünï→😀 "quoted" </x> */`:           `/* ünï→😀 "quoted" </x> */`,
}

func TestSample(t *testing.T) {
	for in, want := range sampleTests {
		if got := collect.Sample(in); got != want {
			t.Errorf("Sample(%q) = %q, want %q", in, got, want)
		}
	}
}

var (
	// A sample keeps the hosts of URLs, and their paths as Route makes them.
	urls = regexp.MustCompile(`//\S*`)
	leak = regexp.MustCompile(`[0-9]{3}|\w@\w+\.\w`)
)

// FuzzSample looks for what must not be left of any input.
func FuzzSample(f *testing.F) {
	for in := range sampleTests {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if s := collect.Sample(in); len(s) > 128 || utf8.ValidString(in) && !utf8.ValidString(s) || leak.MatchString(urls.ReplaceAllString(s, "")) {
			t.Errorf("Sample(%q) = %q", in, s)
		}
	})
}
