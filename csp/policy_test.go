package csp_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/csp"
)

func TestParseAsBrowsersDo(t *testing.T) {
	for in, want := range map[string]string{
		"":                                     "",
		" ; ;; ":                               "",
		"Default-SRC 'self'":                   "default-src 'self'",
		"img-src  a.example\t b.example ;":     "img-src a.example b.example",
		"img-src a; IMG-SRC b":                 "img-src a",
		"img-src é; img-src 'none'":            "img-src 'none'",
		"upgrade-insecure-requests;\nsandbox ": "upgrade-insecure-requests; sandbox",
		"img-src a\vb":                         "img-src a\vb",
	} {
		if got := csp.Parse(in).String(); got != want {
			t.Errorf("Parse(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParseRemembersPlaces(t *testing.T) {
	text := " Img-Src a.example  a.example b..example; img-src *; x-src y; font-src \u00e9 ;style-src c.example "
	p := csp.Parse(text)
	for _, d := range p.Directives {
		if got := text[d.Pos : d.Pos+len(d.Name)]; !strings.EqualFold(got, d.Name) {
			t.Errorf("%s is said to be at %d, where %q is", d.Name, d.Pos, got)
		}
		for i, at := range d.Words {
			if got := text[at : at+len(d.Value[i])]; got != d.Value[i] {
				t.Errorf("%s is said to be at %d, where %q is", d.Value[i], at, got)
			}
		}
	}
	var got []string
	for _, o := range p.Oddities {
		if text[o.Pos:o.End] != o.Text {
			t.Errorf("%q is said to be at %d-%d, where %q is", o.Text, o.Pos, o.End, text[o.Pos:o.End])
		}
		got = append(got, fmt.Sprint(o.Kind, " ", o.Text))
	}
	want := []string{
		fmt.Sprint(csp.DuplicateWord, " a.example"), fmt.Sprint(csp.InvalidSource, " b..example"), fmt.Sprint(csp.DuplicateDirective, " img-src *"),
		fmt.Sprint(csp.UnknownDirective, " x-src y"), fmt.Sprint(csp.NotASCII, " font-src \u00e9"),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("oddities %q, want %q", got, want)
	}
}

func TestCheckAcceptsGoodPolicies(t *testing.T) {
	for _, text := range []string{
		"", "default-src 'none'", "script-src 'nonce' 'strict-dynamic' https: 'unsafe-inline'", "sandbox allow-scripts allow-forms", "sandbox",
		"img-src * data: blob: https://a.example:8443/p/ *.b.example wss://c.example:* localhost:8080 xn--bcher-kva.example.",
		"style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU='",
		"require-trusted-types-for 'script'; trusted-types default 'allow-duplicates'; upgrade-insecure-requests; webrtc 'block'",
	} {
		if err := csp.Check(text, "'nonce'"); err != nil {
			t.Errorf("Check(%q): %v", text, err)
		}
	}
}

func TestCheckRefusesWhatBrowsersSkip(t *testing.T) {
	for text, want := range map[string]cfgerrors.Code{
		"img-src a.example, b.example":      cfgerrors.Syntax,
		"img-src a.example\r\nX: y":         cfgerrors.Syntax,
		"img-src bücher.example":            cfgerrors.Syntax,
		"image-src 'self'":                  cfgerrors.UnknownDirective,
		"img-src a; img-src b":              cfgerrors.DuplicateOf,
		"img-src self":                      cfgerrors.InvalidSource,
		`img-src "none"`:                    cfgerrors.InvalidSource,
		"script-src 'slef'":                 cfgerrors.InvalidSource,
		"script-src 'nonce-abc'":            cfgerrors.LiteralNonce,
		"script-src 'nonce'":                cfgerrors.InvalidSource,
		"script-src 'sha256-abc'":           cfgerrors.InvalidSource,
		"script-src 'sha1-2jmj7l5rSw0yVb='": cfgerrors.InvalidSource,
		"img-src 'none' https:":             cfgerrors.NoneWithOthers,
		"img-src https://a.example/p?q":     cfgerrors.InvalidSource,
		"img-src https://a.example:99999":   cfgerrors.InvalidSource,
		"img-src https://*.*.example":       cfgerrors.InvalidSource,
		"img-src //a.example":               cfgerrors.InvalidSource,
		"upgrade-insecure-requests 1":       cfgerrors.InvalidValue,
		"sandbox allow-script":              cfgerrors.InvalidValue,
		"require-trusted-types-for script":  cfgerrors.InvalidValue,
		"report-to a b":                     cfgerrors.InvalidValue,
		strings.Repeat("a", csp.MaxBytes+1): cfgerrors.InvalidValue,
	} {
		err := csp.Check(text)
		var codes []cfgerrors.Code
		for e := range cfgerrors.All(err) {
			codes = append(codes, e.Code)
		}
		if !reflect.DeepEqual(codes, []cfgerrors.Code{want}) {
			t.Errorf("Check(%.60q) = %v, want one %s", text, err, want)
		}
	}
}

func list(texts ...string) *csp.List {
	var delivered []csp.Delivered
	for _, text := range texts {
		delivered = append(delivered, csp.Delivered{Value: text})
	}
	return csp.NewList(delivered...)
}

var self = csp.ParseOrigin("https://self.example")

func TestContains(t *testing.T) {
	for _, c := range []struct {
		outer, inner string
		want         csp.Answer
	}{
		{"default-src 'self'", "default-src 'self'", csp.Yes},
		{"default-src 'self'", "default-src 'none'", csp.Yes},
		{"default-src 'self'", "default-src 'self'; img-src 'none'", csp.Yes},
		{"default-src 'self'", "", csp.No},
		{"default-src 'self'", "default-src 'self'; img-src *", csp.No},
		{"", "default-src *", csp.Yes},
		{"img-src a b", "img-src a", csp.Yes},
		{"img-src a", "img-src a b", csp.No},
		{"object-src 'none'; base-uri 'self'", "default-src 'none'; base-uri 'none'; sandbox", csp.Yes},
		{"object-src 'none'; base-uri 'self'", "default-src 'none'", csp.No},
		{"script-src 'nonce-x' 'unsafe-inline'", "script-src 'unsafe-inline'", csp.No},
		{"script-src 'nonce-x' 'strict-dynamic' https:", "script-src https:", csp.No},
		{"script-src 'nonce-x' 'strict-dynamic'", "script-src 'none'", csp.Yes},
		{"sandbox", "sandbox allow-scripts", csp.No},
		{"sandbox allow-scripts allow-forms", "sandbox allow-scripts", csp.Yes},
		{"default-src https:; upgrade-insecure-requests", "default-src https:", csp.No},
		{"default-src https:; upgrade-insecure-requests", "default-src 'none'", csp.No},
		{"default-src https:; upgrade-insecure-requests", "default-src 'none'; form-action 'none'", csp.Yes},
		{"child-src 'none'; script-src 'self'", "child-src 'none'; script-src 'self'; worker-src 'self'", csp.No},
		{"require-trusted-types-for 'script'", "default-src 'none'", csp.No},
		{"default-src 'none'; report-uri /a", "default-src 'none'", csp.Yes},
		{"default-src 'none'; script-src 'self'; child-src 'none'", "default-src 'none'; script-src 'self'", csp.No},
		{"script-src 'none'", "script-src 'none'; child-src *", csp.No},
		{"default-src http:; upgrade-insecure-requests", "default-src 'none'; img-src http:", csp.No},
		{"script-src 'trusted-types-eval'", "script-src 'trusted-types-eval'; require-trusted-types-for 'script'", csp.No},
	} {
		got := csp.Contains(csp.Spec, self, list(c.outer), list(c.inner))
		if got.Answer != c.want {
			t.Errorf("%q allows what %q allows: %v (%s: %s), want %v", c.outer, c.inner, got.Answer, got.Witness.Directive, got.Witness.Witness, c.want)
		}
	}
}

func TestAppendKeepsWhatWasAllowed(t *testing.T) {
	p := csp.Parse("default-src 'none'; script-src w.example").Append("child-src", "x.example")
	if got, _ := p.Governing("worker-src"); !slices.Contains(got, "w.example") {
		t.Errorf("%q: workers lost w.example", p)
	}
}

func TestParseIsLinear(t *testing.T) {
	var text strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&text, "d%d;", i)
	}
	if n := len(csp.Parse(text.String()).Directives); n != 100_000 { // a quadratic parser does not get here in time
		t.Errorf("%d directives", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("default-src 'self'; script-src 'nonce' 'strict-dynamic'; img-src é; IMG-src *")
	f.Add(";;\t sandbox\f allow-scripts; upgrade-insecure-requests")
	f.Fuzz(func(t *testing.T, text string) {
		p := csp.Parse(text)
		if again := csp.Parse(p.String()); again.String() != p.String() {
			t.Errorf("Parse(%q) prints %q, which parses as %q", text, p, again)
		}
		if csp.Check(text, "'nonce'") == nil && strings.ContainsAny(p.String(), ",\r\n") {
			t.Errorf("Check(%q) lets a separator through", text)
		}
	})
}

func ExamplePolicy_Append() {
	p := csp.Parse("default-src 'self'; object-src 'none'")
	fmt.Println(p.Append("img-src", "https://tiles.example"))
	// Output: default-src 'self'; object-src 'none'; img-src 'self' https://tiles.example
}

func ExampleCheck() {
	fmt.Println(csp.Check("script-src self; scirpt-src 'none'"))
	// Output:
	// script-src: "self": without single quotes this is the name of a host (write 'self')
	// scirpt-src: "scirpt-src": browsers know no such directive and ignore it (did you mean script-src?)
}
