package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Lock on a data directory keeps a second process from working in it. It ends with the process, however that ends.
type Lock struct{ file *os.File }

// errLocked is what the lock of each operating system returns if another process has it.
var errLocked = errors.New("locked")

// errShared is returned for a directory in which others can write.
var errShared = errors.New("other users can write to it")

// LockDir creates the directory, for its owner only, if there is none, and locks it. If another process has it, the error says
// which one and what to do.
func LockDir(dir string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory %q: %w: choose another one, or change the owner of its parent", dir, reason(err))
	}
	if err := checkMode(dir); err != nil {
		return nil, fmt.Errorf("data directory %q: %w: choose another one, or run chmod go-w on it", dir, reason(err))
	}
	path := filepath.Join(dir, "lock")
	file, err := lockFile(path)
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("data directory %q is in use by %s: stop that one, or choose another directory", dir, holder(path))
	}
	if err != nil {
		return nil, fmt.Errorf("data directory %q: %w: choose another one, or change its owner", dir, reason(err))
	}
	if err := writePID(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("data directory %q: %w: free some space or choose another one", dir, reason(err))
	}
	return &Lock{file}, nil
}

// Release gives the directory back. The file stays: removing it would let two processes lock two files of the same name.
func (l *Lock) Release() error { return l.file.Close() }

func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// holder names the process that wrote its number into the lock file.
func holder(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return "another process"
	}
	defer file.Close()
	data, _ := io.ReadAll(io.LimitReader(file, 32))
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return "another process"
	}
	return fmt.Sprintf("process %d", pid)
}

// reason is err without the path, which the message names already.
func reason(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
