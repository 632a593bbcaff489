package browser

import "syscall"

// dieWithParent has the kernel kill the browser when this program dies without closing it,
// as a test binary does at its time limit.
func dieWithParent(attr *syscall.SysProcAttr) {
	attr.Pdeathsig = syscall.SIGKILL
}
