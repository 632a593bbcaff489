//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package store

import (
	"errors"
	"os"
	"syscall"
)

// checkMode refuses a directory in which others can put files of theirs in place of ours.
func checkMode(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && info.IsDir() && info.Mode().Perm()&0o022 != 0 {
		err = errShared
	}
	return err
}

// lockFile opens the file and takes the lock of flock(2), which belongs to the open file: the kernel releases it when the process
// ends, and other handles of the same process are kept out too.
func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		file.Close()
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errLocked
	}
	if err != nil {
		return nil, err
	}
	return file, nil
}
