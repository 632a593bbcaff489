// Package store keeps what browsers reported in one SQLite file. It is the only place with SQL.
//
// Rows grow with distinct problems and not with traffic: a report is a count on its issue, on the page it came from and on an
// exact counter. The number of issues and of facets is bounded ([MaxIssues], [MaxFacets]); what is beyond is folded and still
// counted: the issues of a site, "other" ones included, always sum up to its exact counters.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

const (
	busyTimeout = "5000" // milliseconds; only another program that writes to the file makes anyone wait
	readers     = 4
)

// Store is an open database. It is safe for concurrent use: one connection writes, a few read, and reading does not wait for
// writing.
type Store struct {
	read *sql.DB

	mu       sync.Mutex             // held by Commit
	write    *sql.DB                // nil if opened by OpenReader
	prepared prepared               // on the connection of write
	sites    map[string]*siteIssues // what Commit knows of the issues; nil: to be read
	updates  int64                  // transactions that were not commits: after them rows may say something else
	sketch   *sketch                // nil until a site is half full

	maxIssues, maxAllIssues int // MaxIssues and MaxAllIssues

	path       string
	file       os.FileInfo   // of the file that is open for writing
	logLimit   int64         // see walLimit
	logEvery   time.Duration // see walEvery
	logMinded  time.Time
	restarting atomic.Bool  // whether the log is being begun anew
	gate       sync.RWMutex // held by questions
	tasks      sync.WaitGroup
}

// Open opens the database at path, creates it if there is none (readable by its owner only) and brings an older schema up to
// date. Its errors are one line that names the file and the way out. The caller sees to it that one process at a time does this:
// see [LockDir].
func Open(ctx context.Context, path string) (*Store, error) {
	if err := touch(path); err != nil {
		return nil, openError(path, err)
	}
	s, err := openRead(path)
	if err != nil {
		return nil, openError(path, err)
	}
	if s.file, err = os.Stat(path); err == nil {
		err = s.openWrite(ctx, path)
	}
	if err != nil {
		s.Close() // err says more
		return nil, openError(path, err)
	}
	return s, nil
}

// openWrite adds the connection that writes. It looks at the file before, since to switch to WAL is to write: that must not happen
// to a database that is not ours.
func (s *Store) openWrite(ctx context.Context, path string) (err error) {
	version, err := schemaOf(ctx, s.read)
	if err != nil {
		return err
	}
	if version > schemaVersion {
		return newer(version)
	}
	if err := checkIntegrity(ctx, s.read); err != nil {
		return err
	}
	// A new file takes auto_vacuum on only before WAL, which writes its first page. What is deleted, people want to be gone.
	s.write, err = connect(path, 1, "mode=rw", "_txlock=immediate", "_pragma=busy_timeout("+busyTimeout+")",
		"_pragma=auto_vacuum(INCREMENTAL)", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=foreign_keys(ON)",
		"_pragma=secure_delete(ON)", fmt.Sprintf("_pragma=journal_size_limit(%d)", walKeep))
	if err != nil {
		return err
	}
	if err := migrate(ctx, s.write, version); err != nil {
		return err
	}
	return s.loadIssues(ctx)
}

// OpenReader opens the database at path to read it, also while another process has it open. It creates and changes nothing, and
// its Commit returns an error.
func OpenReader(ctx context.Context, path string) (*Store, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no report database at %q: start the gateway with this data directory first, "+
			"or name the one it uses", path)
	}
	s, err := openRead(path)
	if err != nil {
		return nil, openError(path, err)
	}
	if err := checkCurrent(ctx, s.read); err != nil {
		s.Close() // err says more
		return nil, openError(path, err)
	}
	return s, nil
}

// openRead opens for reading. The mode is rw because the last process to close a database in WAL mode has to clear the log away
// and the first to open it has to recover it; query_only keeps everything else from writing.
func openRead(path string) (*Store, error) {
	db, err := connect(path, readers, "mode=rw", "_pragma=busy_timeout("+busyTimeout+")", "_pragma=query_only(ON)")
	if err != nil {
		return nil, err
	}
	return &Store{read: db, maxIssues: MaxIssues, maxAllIssues: MaxAllIssues, path: path, logLimit: walLimit, logEvery: walEvery}, nil
}

// Close closes the database. Nothing else may be called afterwards.
func (s *Store) Close() error {
	s.tasks.Wait()
	err := s.read.Close()
	if s.write != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		err = errors.Join(err, s.prepared.close(), s.write.Close()) // last, so that it clears the write-ahead log away
	}
	return err
}

// connect opens a pool of at most n connections to the existing file at path.
func connect(path string, n int, options ...string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// A path may hold what means something in a URI: a question mark, a percent sign.
	// On Windows it starts with a letter, which without the slash would be the host.
	name := url.URL{Scheme: "file", Path: "/" + strings.TrimPrefix(filepath.ToSlash(abs), "/"), RawQuery: strings.Join(options, "&")}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// touch creates the file for its owner only; SQLite would let everyone read it, and gives its side files the same mode.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

// openError makes one line out of why a database did not open: the file, the reason, the way out.
func openError(path string, err error) error {
	code := code(err)
	var hint string
	switch {
	case errors.Is(err, errForeign), errors.Is(err, errNewer), errors.Is(err, errOlder), errors.Is(err, errNoWAL), errors.Is(err, errDamaged):
		hint = "" // these say it themselves
	case code == sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("report database %q: not a SQLite database: move the file away or choose another data directory", path)
	case code == sqlite3.SQLITE_CORRUPT:
		hint = ": " + errDamaged.Error()
	case code == sqlite3.SQLITE_READONLY, errors.Is(err, os.ErrPermission):
		return fmt.Errorf("report database %q: not writable by this user: change the owner or the mode of the file and its directory, "+
			"or choose another data directory", path)
	case code == sqlite3.SQLITE_FULL:
		hint = ": free some space"
	case code == sqlite3.SQLITE_BUSY:
		hint = ": another program is writing to it: stop that one first"
	case code == sqlite3.SQLITE_CANTOPEN, errors.Is(err, os.ErrNotExist):
		hint = ": create its directory or choose another data directory, and run this as the user whose it is"
	}
	return fmt.Errorf("report database %q: %w%s", path, reason(err), hint)
}
