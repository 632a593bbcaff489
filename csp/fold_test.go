package csp_test

import (
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// The texts fold ASCII: other letters that Unicode folds to ASCII ones are no keywords, names or values.
func TestFoldingIsOfASCII(t *testing.T) {
	for _, text := range []string{"\u0130\u0130\u0130\u0130\u0130", "'\u017felf'", "'\u017fha256-abcd'", "'nonce-\u212a'", "blob\u212a:", "\u212a.example", "htt\u0130://a.example"} {
		if got := csp.ParseSource(text); got.Kind != csp.Invalid {
			t.Errorf("ParseSource(%q) is of kind %d, want invalid", text, got.Kind)
		}
	}
	if u, err := csp.ParseURL("https://%E2%84%AA.example/"); err == nil {
		t.Errorf("ParseURL takes the Kelvin sign for a letter: %s", u)
	}
	stolen := csp.Inline{Type: csp.InlineScript, Element: "script", Nonce: "a", ParserInserted: true, Attributes: [][2]string{{"x", "<scr\u0131pt"}, {"y", "<\u017ftyle"}}}
	if d := list("script-src 'nonce-a'").Inline(csp.Spec, &stolen); d.Blocked {
		t.Error("a nonce is refused for an attribute that holds <script with a letter outside ASCII")
	}
	v := list().Frame(csp.Spec, mustURL(t, "https://self.example/"), []csp.Origin{csp.ParseOrigin("https://other.example")}, []string{"SAMEOR\u0130GIN"})
	if v.Blocked {
		t.Error("X-Frame-Options is folded beyond ASCII")
	}
}

func TestHashSourcesBeginWithAQuote(t *testing.T) {
	for text, want := range map[string]csp.SourceKind{
		"'sha256-abcd'": csp.HashSource, "'SHA512-abcd'": csp.HashSource, "sha256'-abcd'": csp.Invalid, "'sha256'abcd'": csp.Invalid,
		"''ha256-abcd'": csp.Invalid, "'sha256-'": csp.Invalid, "'sha256-": csp.Invalid, "'sha1-abcd'": csp.Invalid,
	} {
		if got := csp.ParseSource(text); got.Kind != want {
			t.Errorf("ParseSource(%q) is of kind %d, want %d", text, got.Kind, want)
		}
	}
}

// Ports that no URL can have match none, not even port 0.
func TestPortsBeyondNumbers(t *testing.T) {
	u := mustURL(t, "https://a.example:0/")
	for source, want := range map[string]bool{"a.example:0": true, "a.example:00": true, "a.example:99999999999999999999": false, "a.example": false, "a.example:*": true} {
		if got := csp.Spec.Match([]csp.Source{csp.ParseSource(source)}, &u, self, 0); got != want {
			t.Errorf("%s matches %s: %v, want %v", source, u, got, want)
		}
	}
}

// Hosts of schemes that are not special are opaque: no domain, so that no host source names them.
func TestOpaqueHosts(t *testing.T) {
	u := mustURL(t, "custom://a.example/x")
	for source, want := range map[string]bool{"custom://a.example": false, "custom://*": false, "custom:": true} {
		for m := csp.Spec; m <= csp.Laxest; m++ {
			if got := m.Match([]csp.Source{csp.ParseSource(source)}, &u, self, 0); got != want {
				t.Errorf("%v: %s matches %s: %v, want %v", m, source, u, got, want)
			}
		}
	}
}
