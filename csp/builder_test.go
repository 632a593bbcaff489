package csp_test

import (
	"fmt"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

func TestBuilderRefusesWhatSaysSomethingElse(t *testing.T) {
	for name, b := range map[string]*csp.Builder{
		"injection":         new(csp.Builder).Set("img-src", "https://a.example; script-src *"),
		"two policies":      new(csp.Builder).Set("img-src", "https://a.example,https://b.example"),
		"two sources":       new(csp.Builder).Set("img-src", "https://a.example https://b.example"),
		"a line end":        new(csp.Builder).Set("img-src", "https://a.example\r\nX:y"),
		"an empty word":     new(csp.Builder).Set("img-src", ""),
		"in the name":       new(csp.Builder).Set("img-src a; script-src", "*"),
		"no directive":      new(csp.Builder).Set("image-src", csp.Self),
		"no quotes":         new(csp.Builder).Set("img-src", "self"),
		"none and more":     new(csp.Builder).Set("img-src", csp.Nothing, csp.Self),
		"no nonce":          new(csp.Builder).Set("script-src", csp.Nonce("not base64!")),
		"an unknown digest": new(csp.Builder).Set("script-src", csp.HashOf("md5", "x")),
	} {
		if p, err := b.Policy(); err == nil {
			t.Errorf("%s: made %q", name, p)
		}
	}
}

func TestBuilderRemoves(t *testing.T) {
	p, err := new(csp.Builder).Set("img-src", csp.Self).Set("object-src", csp.Nothing).Remove("IMG-SRC").Remove("font-src").Policy()
	if err != nil || p.String() != "object-src 'none'" {
		t.Errorf("%s, %v", p, err)
	}
}

func ExampleBuilder() {
	p, err := new(csp.Builder).
		Set("default-src", csp.Self).
		Set("script-src", csp.Nonce("bm9uY2U"), csp.StrictDynamic).
		Append("img-src", "https://tiles.example").
		Merge(csp.Parse("img-src data:; object-src 'none'")).
		Policy()
	fmt.Println(p, err)
	// Output: default-src 'self'; script-src 'nonce-bm9uY2U' 'strict-dynamic'; img-src 'self' https://tiles.example data:; object-src 'none' <nil>
}
