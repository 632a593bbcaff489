//go:build unix

package browser

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the browser the leader of a process group of its own: a Ctrl-C in the
// terminal does not reach it before its tester, and its children can be ended with it.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
}

// killGroup kills the process group that leader leads. It is no error when none is left.
func killGroup(leader int) error {
	if err := syscall.Kill(-leader, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		return err
	}
	return nil
}
