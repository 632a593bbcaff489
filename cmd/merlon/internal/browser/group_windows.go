package browser

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// ownGroup keeps a Ctrl-C in the console from the browser, so that its tester sees it first.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// killGroup kills leader and its descendants. Windows groups get signals only, so the
// process tree is what counts; taskkill walks it while leader is alive.
func killGroup(leader int) error {
	if exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(leader)).Run() == nil {
		return nil
	}
	p, err := os.FindProcess(leader)
	if err != nil {
		return nil // gone
	}
	defer p.Release()
	return p.Kill()
}
