//go:build unix && !linux

package browser

import "syscall"

// dieWithParent does nothing: only Linux offers it.
func dieWithParent(*syscall.SysProcAttr) {}
