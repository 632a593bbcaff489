package access

import (
	"fmt"
	"os"
	"sync"
)

// File is a log file that can be opened anew, for programs that rename it and expect another in its place. It is safe for
// concurrent use.
type File struct {
	name string
	mu   sync.Mutex
	f    *os.File
}

// OpenFile opens the file to append to it, and creates one that its owner can write and its group can read.
func OpenFile(name string) (*File, error) {
	f := &File{name: name}
	return f, f.Reopen()
}

// Reopen opens the file by its name again. When that fails the one before stays in use.
func (f *File) Reopen() error {
	next, err := os.OpenFile(f.name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("the access log: %w (choose another file with --access-log)", err)
	}
	f.mu.Lock()
	before := f.f
	f.f = next
	f.mu.Unlock()
	if before != nil {
		return before.Close()
	}
	return nil
}

func (f *File) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.f.Write(b)
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.f.Close()
}
