//go:build !linux

package cli_test

import "os/exec"

func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) { cmd.Process.Kill() }

func groupLives(*exec.Cmd) bool { return false }
