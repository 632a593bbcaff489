//go:build unix

package transport

import "syscall"

// A probe reads from a socket without waiting.
type probe struct {
	raw  syscall.RawConn
	read func(fd uintptr) bool // a field, so that a look allocates no closure
	buf  [1]byte
	err  error
}

func newProbe(system syscall.Conn) *probe {
	raw, err := system.SyscallConn()
	if err != nil {
		return nil
	}
	p := &probe{raw: raw}
	p.read = func(fd uintptr) bool {
		_, p.err = syscall.Read(int(fd), p.buf[:])
		return true
	}
	return p
}

// quiet tells whether a read would have to wait. If it would not, the connection is of no use any more, and the byte that
// was read is no loss.
func (p *probe) quiet() bool {
	return p.raw.Read(p.read) == nil && p.err == syscall.EAGAIN
}
