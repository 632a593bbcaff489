//go:build unix

package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// listen opens the socket, in a folder that its owner alone can enter: between the moments in which a socket is made and gets its mode
// others could reach it.
func listen(dir string) (net.Listener, error) {
	path, err := filepath.Abs(filepath.Join(dir, folder, file))
	if err != nil {
		return nil, err
	}
	if err := private(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("control socket: %w: remove %s, or change its owner", err, filepath.Dir(path))
	}
	if err := removeLeftover(path); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	var l *net.UnixListener
	err = shortened(path, func(short string) (err error) {
		l, err = net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l.SetUnlinkOnClose(false) // it would remove the short name
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("control socket: %w", err), l.Close())
	}
	return &ownersListener{l, path}, nil
}

// private makes a folder of mode 0700, or corrects the mode of the one that is there.
func private(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &os.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	return os.Chmod(dir, 0o700)
}

// removeLeftover removes the socket of a process that was killed, and nothing that is no socket.
func removeLeftover(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("%s is no socket: move it away", path)
	}
	return os.Remove(path)
}

// maxPath is the length of a socket's name that every system takes.
const maxPath = 100

// shortened calls use with a name for path that is short enough: where it is not, one through a link in a folder of our own, which is
// gone when use returns.
func shortened(path string, use func(string) error) error {
	if len(path) <= maxPath {
		return use(path)
	}
	temp, err := os.MkdirTemp("", "merlon")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	link := filepath.Join(temp, "d")
	if err := os.Symlink(filepath.Dir(path), link); err != nil {
		return err
	}
	return use(filepath.Join(link, filepath.Base(path)))
}

// ownersListener accepts connections of its own user, and of root.
type ownersListener struct {
	*net.UnixListener
	path string
}

func (l *ownersListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if ours(conn) {
			return conn, nil
		}
		conn.Close()
	}
}

// Close removes the socket first, so that nobody takes it for one that answers.
func (l *ownersListener) Close() error {
	err := os.Remove(l.path)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.UnixListener.Close())
}

func dial(ctx context.Context, dir string) (conn net.Conn, err error) {
	path, err := filepath.Abs(filepath.Join(dir, folder, file))
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return nil, ErrNobody
	}
	err = shortened(path, func(short string) (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "unix", short)
		return err
	})
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, os.ErrNotExist): // of a process that was killed
		return nil, ErrNobody
	case err != nil:
		return nil, fmt.Errorf("asking the running merlon: %w: run this as the user whose process it is", err)
	}
	return conn, nil
}
