package dash_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
)

func newTokens(t *testing.T) (tokens *dash.Tokens, token string) {
	t.Helper()
	tokens, token, err := dash.NewTokens(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return tokens, token
}

func readToken(t *testing.T, tokens *dash.Tokens) string {
	t.Helper()
	data, err := os.ReadFile(tokens.Path())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

func TestTokenWorksOnceAndIsReplaced(t *testing.T) {
	tokens, first := newTokens(t)
	if got := readToken(t, tokens); got != first {
		t.Errorf("file holds %q, want the returned token %q", got, first)
	}
	if err := tokens.Use(first); err != nil {
		t.Fatalf("Use(first): %v", err)
	}
	if err := tokens.Use(first); !errors.Is(err, dash.ErrToken) {
		t.Errorf("Use(first) again: %v, want ErrToken", err)
	}
	second := readToken(t, tokens)
	if second == first {
		t.Fatal("the file still holds the used token")
	}
	if err := tokens.Use(second); err != nil {
		t.Errorf("Use(second): %v", err)
	}
}

func TestTokenSpelling(t *testing.T) {
	tokens, token := newTokens(t)
	if bits := len(strings.ReplaceAll(token, "-", "")) * 5; bits < 128 {
		t.Errorf("token %q has %d bits, want at least 128", token, bits)
	}
	respell := []func(string) string{
		strings.ToLower,
		func(s string) string { return strings.ReplaceAll(s, "-", "") },
		func(s string) string { return " " + strings.ReplaceAll(s, "-", " ") + "\r\n" },
	}
	for _, f := range respell {
		spelled := f(readToken(t, tokens))
		if err := tokens.Use(spelled); err != nil {
			t.Errorf("Use(%q): %v", spelled, err)
		}
	}
}

func TestTokenRefused(t *testing.T) {
	tokens, token := newTokens(t)
	for _, wrong := range []string{"", "-", token[1:], token + "A", token[:len(token)-1], strings.Repeat("A", 1<<16)} {
		if err := tokens.Use(wrong); !errors.Is(err, dash.ErrToken) {
			t.Errorf("Use(%.40q): %v, want ErrToken", wrong, err)
		}
	}
	if err := tokens.Use(token); err != nil {
		t.Errorf("after wrong tries, Use(token): %v", err)
	}
}

func TestTokenFileIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows has no file modes")
	}
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	for _, err := range []error{os.WriteFile(other, []byte("mine"), 0o644), os.Symlink(other, filepath.Join(dir, "login-token"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tokens, token, err := dash.NewTokens(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		info, err := os.Lstat(tokens.Path())
		if err != nil || info.Mode() != 0o600 {
			t.Fatalf("mode %v, error %v, want a file with 0600", info.Mode(), err)
		}
		if err := tokens.Use(token); err != nil {
			t.Fatal(err)
		}
		token = readToken(t, tokens)
	}
	if data, err := os.ReadFile(other); err != nil || string(data) != "mine" {
		t.Errorf("the target of a planted link holds %q, %v, want it untouched", data, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("directory holds %v, %v, want no temporary file", entries, err)
	}
}

// A token counts as used even when no fresh one can be written, and the next try makes up for it.
func TestTokenWhenTheFileCannotBeWritten(t *testing.T) {
	tokens, token := newTokens(t)
	dir := filepath.Dir(tokens.Path())
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := tokens.Use(token); err == nil || errors.Is(err, dash.ErrToken) {
		t.Errorf("Use without a directory: %v, want an error that is not ErrToken", err)
	}
	if err := tokens.Use(token); !errors.Is(err, dash.ErrToken) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Use(spent): %v, want ErrToken and the file's error", err)
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	if err := tokens.Use(token); !errors.Is(err, dash.ErrToken) {
		t.Errorf("Use(spent) with the directory back: %v, want ErrToken", err)
	}
	if err := tokens.Use(readToken(t, tokens)); err != nil {
		t.Errorf("Use of the fresh token: %v", err)
	}
}

func TestTokenIsSpentByOneOfMany(t *testing.T) {
	tokens, token := newTokens(t)
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if tokens.Use(token) == nil {
				accepted.Add(1)
			}
		})
	}
	wg.Wait()
	if n := accepted.Load(); n != 1 {
		t.Errorf("%d of 16 parallel tries were accepted, want 1", n)
	}
}

func TestTokenDirectoryMissing(t *testing.T) {
	if _, _, err := dash.NewTokens(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("NewTokens in a missing directory: %v, want os.ErrNotExist", err)
	}
}
