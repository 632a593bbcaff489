package demo

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"
)

// Bounds of what the bank remembers. Beyond them the oldest entry goes.
const (
	maxComments  = 20
	maxTransfers = 10
	maxSessions  = 32
)

// openingBalance is what alice owns after a start and after a reset, in euros.
const openingBalance = 2500

var errFunds = errors.New("the account does not hold that much")

// ledger is all state of the bank: one customer, alice, and everybody's guest
// book. It is safe for concurrent use.
type ledger struct {
	mu sync.Mutex
	statement
	sessions []session // oldest first
}

// statement is what the account page shows.
type statement struct {
	Balance   int        // euros
	Transfers []transfer // newest first
	Comments  []string   // oldest first
}

type transfer struct {
	To     string
	Amount int // euros
}

// session is one log-in of alice: the cookie's value, and the token that must
// come with her forms.
type session struct{ id, token string }

func newLedger() *ledger {
	l := &ledger{}
	l.reset()
	return l
}

// reset restores the opening state. Sessions stay, so that nobody has to log in
// again between two attacks.
func (l *ledger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.statement = statement{
		Balance:   openingBalance,
		Transfers: []transfer{{"City Water Works", 42}, {"Corner Bakery", 7}},
		Comments:  []string{"Bob: friendly people at the counter.", "Carol: I like the new app."},
	}
}

// view returns a copy of the statement.
func (l *ledger) view() statement {
	l.mu.Lock()
	defer l.mu.Unlock()
	return statement{l.Balance, slices.Clone(l.Transfers), slices.Clone(l.Comments)}
}

// pay moves money, or returns errFunds and moves nothing.
func (l *ledger) pay(t transfer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.Amount > l.Balance {
		return errFunds
	}
	l.Balance -= t.Amount
	l.Transfers = slices.Insert(l.Transfers, 0, t)
	l.Transfers = l.Transfers[:min(len(l.Transfers), maxTransfers)]
	return nil
}

func (l *ledger) comment(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Comments = keepLast(append(l.Comments, text), maxComments)
}

func (l *ledger) logIn() session {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := session{rand.Text(), rand.Text()}
	l.sessions = keepLast(append(l.sessions, s), maxSessions)
	return s
}

func (l *ledger) logOut(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sessions = slices.DeleteFunc(l.sessions, func(s session) bool { return s.id == id })
}

// session finds a log-in by its cookie's value.
func (l *ledger) session(id string) (session, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.sessions, func(s session) bool { return s.id == id })
	if i < 0 {
		return session{}, false
	}
	return l.sessions[i], true
}

// keepLast drops elements at the front until at most n are left.
func keepLast[T any](s []T, n int) []T {
	return slices.Delete(s, 0, max(0, len(s)-n))
}
