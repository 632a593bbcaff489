package store

import (
	"context"
	"os"
	"time"
)

// The write-ahead log. SQLite writes it back into the file every 1000 pages, and begins it anew when no reader needs what is in it.
// Where one reader overlaps with the next there is never such a moment, so beyond walLimit the store makes one: new questions wait
// for those that run, which maxQuestion bounds, and commits wait for nothing.
const (
	walLimit = 64 << 20 // bytes
	walEvery = time.Second
	walKeep  = 4 << 20 // bytes of the log that stay allocated
)

// mindLog begins the write-ahead log anew if it is too long. The caller holds mu.
func (s *Store) mindLog() {
	if time.Since(s.logMinded) < s.logEvery {
		return
	}
	s.logMinded = time.Now()
	if info, err := os.Stat(s.path + "-wal"); err != nil || info.Size() < s.logLimit || !s.restarting.CompareAndSwap(false, true) {
		return
	}
	s.tasks.Go(func() {
		defer s.restarting.Store(false)
		s.forgetLog()
	})
}

// forgetLog empties the write-ahead log as soon as no question runs, and reports whether that went.
func (s *Store) forgetLog() bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checkpoint()
}

// checkpoint writes the log back and empties it, unless a reader of another process is in it. The caller holds mu. Errors are nothing
// to tell: the log is only longer than it should be, and a disk that fails does so in the next commit.
func (s *Store) checkpoint() (emptied bool) {
	ctx := context.Background() // see transact
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return false
	}
	defer conn.Close() // back to the pool
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return false
	}
	defer conn.ExecContext(ctx, "PRAGMA busy_timeout = "+busyTimeout)
	var busy, inLog, done int
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &done)
	return err == nil && busy == 0
}
