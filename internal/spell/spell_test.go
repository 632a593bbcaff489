package spell_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/internal/spell"
)

func TestNearest(t *testing.T) {
	known := []string{"script-src", "style-src", "img-src", "frame-src", "font-src"}
	for word, want := range map[string]string{
		"scirpt-src": "script-src", "img-scr": "img-src", "img-src": "img-src", "images": "", "": "", "fram-src": "frame-src", strings.Repeat("x", 5000): "",
	} {
		if got := spell.Nearest(word, slices.Values(known)); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", word, got, want)
		}
	}
}
