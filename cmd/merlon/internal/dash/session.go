package dash

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"sync"
	"time"
)

const (
	sessionBytes = 32 // 256 bits
	sessionLife  = 12 * time.Hour
	maxSessions  = 64 // the one that ends first makes room
)

// sessions knows who is logged in. It lives in memory: a restart logs everybody out. It holds hashes, so that a dump of the
// process's memory is no list of cookies.
type sessions struct {
	now func() time.Time

	mu   sync.Mutex
	ends map[[sha256.Size]byte]time.Time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, ends: make(map[[sha256.Size]byte]time.Time)}
}

// begin makes a session and returns its id.
func (s *sessions) begin() string {
	raw := make([]byte, sessionBytes)
	rand.Read(raw) // never fails: crypto/rand ends the program instead
	id := base64.RawURLEncoding.EncodeToString(raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom()
	s.ends[sha256.Sum256([]byte(id))] = s.now().Add(sessionLife)
	return id
}

// active reports whether id names a session that has not ended. Looking up a hash tells nothing by its timing: nobody can
// choose the hash of an id.
func (s *sessions) active(id string) bool {
	key := sha256.Sum256([]byte(id))
	s.mu.Lock()
	defer s.mu.Unlock()
	end, ok := s.ends[key]
	return ok && s.now().Before(end)
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ends, sha256.Sum256([]byte(id)))
}

// makeRoom removes what has ended and, at the limit, the session that ends first.
func (s *sessions) makeRoom() {
	now := s.now()
	var first [sha256.Size]byte
	var firstEnd time.Time
	for key, end := range s.ends {
		if !now.Before(end) {
			delete(s.ends, key)
			continue
		}
		if firstEnd.IsZero() || end.Before(firstEnd) {
			first, firstEnd = key, end
		}
	}
	if len(s.ends) >= maxSessions {
		delete(s.ends, first)
	}
}

// sessionID returns the id in the request's cookie, "" without one.
func (d *Dashboard) sessionID(r *http.Request) string {
	c, err := r.Cookie(d.cookie)
	if err != nil {
		return ""
	}
	return c.Value
}

func (d *Dashboard) loggedIn(r *http.Request) bool { return d.sessions.active(d.sessionID(r)) }

// setSession sends the session cookie; maxAge below zero removes it. Without a Domain it goes to this host alone, and
// SameSite=Strict keeps it out of every request that another site starts.
func (d *Dashboard) setSession(w http.ResponseWriter, r *http.Request, id string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: d.cookie, Value: id, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	})
}
