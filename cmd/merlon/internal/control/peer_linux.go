package control

import (
	"net"
	"os"
	"syscall"
)

// ours asks the kernel who opened the connection: our user or root.
func ours(conn *net.UnixConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	var peer *syscall.Ucred
	controlErr := raw.Control(func(fd uintptr) {
		peer, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	return controlErr == nil && err == nil && (peer.Uid == 0 || int(peer.Uid) == os.Geteuid())
}
