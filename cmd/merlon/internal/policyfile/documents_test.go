package policyfile_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

func TestDocumentsToken(t *testing.T) {
	name := filepath.Join(t.TempDir(), "token")
	const site = "version: 1\nupstream: http://127.0.0.1:8000\n"
	for _, c := range []struct{ content, keys, want string }{
		{"0123456789abcdef0123\n", "documents: {token_file: " + name + "}", ""},
		{"0123456789abcdef012", "documents: {token_file: " + name + "}", "m:3:13: documents.token_file"},
		{"0123456789 abcdef0123", "documents: {token_file: " + name + "}", "no token"},
		{"", "documents: {token_file: " + name + "}", "openssl rand -hex 32 > " + name},
		{"", "documents: {token_file: /absent}", "no such file"},
		{"", "documents: {token_file: 5}", "documents.token_file"},
		{"", "documents: {token: x}", "unknown key (keys here: token_file)"},
		{"", "documents: {}", "m:3:1: documents"},
		{"", "documents: x", "m:3:1: documents"},
		{"", "routes: [{match: /a, documents: {token_file: x}}]", "routes[0].documents"},
	} {
		if err := os.WriteFile(name, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := policyfile.Parse("m", []byte(site+c.keys))
		switch {
		case c.want != "":
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "0123456789") {
				t.Errorf("%s with %q in the file: %v, want %q and no token", c.keys, c.content, err, c.want)
			}
		case err != nil:
			t.Errorf("%s: %v", c.keys, err)
		case f.Sites[0].DocumentsToken != "0123456789abcdef0123" || !slices.Contains(f.Files, name):
			t.Errorf("%s: the token %q, files %q", c.keys, f.Sites[0].DocumentsToken, f.Files)
		}
	}
}
