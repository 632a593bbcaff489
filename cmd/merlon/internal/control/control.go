// Package control lets commands change the database of a process that works on a data directory, over a socket in that directory.
//
// One process at a time writes to the database: the one that has the lock. It serves a socket that its user alone can reach: the mode of
// the directory and of the socket keep others out, and on Linux the kernel is asked who called.
package control

import (
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

const (
	prefix     = "/v1/"   // with the version of the protocol: a server answers requests of its own and no other
	maxRequest = 16 << 10 // bytes of a request's body
	maxAnswer  = 64 << 10
	folder     = "control" // in the data directory
	file       = "socket"  // in folder
)

// Decision is what somebody decided about an issue.
type Decision struct {
	Issue int64       `json:"issue"`
	State store.State `json:"state"`
	Until time.Time   `json:"until,omitzero"`
	Note  string      `json:"note"`
}

// Purge asks to remove what a site, or for "" every site, reported before a time.
type Purge struct {
	Site   string    `json:"site"`
	Before time.Time `json:"before"`
}

// Erase asks to remove what reports of a site, or for "" of every site, say of a URL.
type Erase struct {
	Site string `json:"site"`
	URL  string `json:"url"`
}

// answer is the body of every response.
type answer struct {
	Erased   *store.Erased `json:"erased,omitempty"`
	Error    string        `json:"error,omitempty"`
	NotFound bool          `json:"not_found,omitempty"` // the issue
}
