package dash

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// ErrToken is returned for a log-in token that is wrong or was used before.
var ErrToken = errors.New("no such log-in token")

const (
	tokenFile  = "login-token"
	tokenBytes = 20 // 160 bits: 32 characters of base32, eight groups of four
)

// Tokens holds the one log-in token that has not been used yet. It is safe for concurrent use.
type Tokens struct {
	path string

	mu    sync.Mutex
	sum   [sha256.Size]byte // of the unused token
	valid bool              // false after a fresh token could not be written
}

// NewTokens makes a token, writes it to the file login-token in dir, readable by its owner alone, and returns it for the
// terminal. A token that an earlier process left in the file stops working.
func NewTokens(dir string) (*Tokens, string, error) {
	t := &Tokens{path: filepath.Join(dir, tokenFile)}
	token, err := t.rotate()
	if err != nil {
		return nil, "", err
	}
	return t, token, nil
}

// Path is the file that holds the token for the next log-in.
func (t *Tokens) Path() string { return t.path }

// Use spends the token: it never works again, and a fresh one replaces it in the file. Letter case, spaces and hyphens do
// not matter. The error is [ErrToken] for a wrong token. With any other error the token was right and is spent, but no
// fresh one could be written; the next call tries again.
func (t *Tokens) Use(token string) error {
	sum := sha256.Sum256([]byte(canonical(token)))
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.valid {
		if _, err := t.rotate(); err != nil {
			return errors.Join(ErrToken, err)
		}
		return ErrToken
	}
	if subtle.ConstantTimeCompare(sum[:], t.sum[:]) != 1 {
		return ErrToken
	}
	_, err := t.rotate()
	return err
}

// rotate replaces the token. The old one is void first, so that no failure leaves it usable.
func (t *Tokens) rotate() (string, error) {
	t.valid = false
	raw := make([]byte, tokenBytes)
	rand.Read(raw) // never fails: crypto/rand ends the program instead
	text := base32.StdEncoding.EncodeToString(raw)
	token := grouped(text)
	if err := writePrivate(t.path, token+"\n"); err != nil {
		return "", fmt.Errorf("writing the log-in token: %w", err)
	}
	t.sum, t.valid = sha256.Sum256([]byte(text)), true
	return token, nil
}

// canonical undoes what grouping, copying and typing do to a token.
func canonical(token string) string {
	drop := func(r rune) rune {
		if r == '-' || r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}
	return strings.ToUpper(strings.Map(drop, token))
}

func grouped(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// writePrivate replaces the file in one step. os.CreateTemp opens with mode 0600 and O_EXCL, so nobody else reads the
// token, and a link planted under the final name is replaced, not followed.
func writePrivate(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
