// Package race measures programs one after the other, in rounds, under the load of wrk, and prints how they did beside each other.
package race

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startTimeout is how long a program may take until it answers, stopTimeout how long until it has ended when asked to.
const (
	startTimeout = 20 * time.Second
	stopTimeout  = 5 * time.Second
)

// A Process is a program in a process group of its own, so that its workers are counted and ended with it.
type Process struct {
	cmd   *exec.Cmd
	log   string        // the file with its output
	ended chan struct{} // closed when it has
}

// Start runs a program in dir, where it keeps what it writes.
func Start(dir, name string, stdin []byte, program string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(program, args...), log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd.Dir, p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = dir, bytes.NewReader(stdin), log, log
	p.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir) // where Caddy writes
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		p.cmd.Wait()
	}()
	return p, nil
}

// Stop ends the whole group, and waits for its leader.
func (p *Process) Stop() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
	}
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// Ready waits until the program answers.
func (p *Process) Ready(ctx context.Context, url string) error {
	deadline := time.After(startTimeout)
	for {
		if res, err := http.Get(url); err == nil {
			res.Body.Close()
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-p.ended:
			return fmt.Errorf("%s has ended: %s", p.cmd.Path, p.said())
		case <-deadline:
			return fmt.Errorf("%s does not answer at %s: %s", p.cmd.Path, url, p.said())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *Process) said() string {
	text, _ := os.ReadFile(p.log)
	return strings.TrimSpace(string(text))
}

// cpu is the time that all processes of the group have spent, in user mode and in the kernel.
func (p *Process) cpu() (time.Duration, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var ticks, members int64
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil { // it has ended since
			continue
		}
		// The second field is the program's name in brackets, which may hold anything; proc_pid_stat(5).
		fields := strings.Fields(string(line[bytes.LastIndexByte(line, ')')+1:]))
		if fields[2] != strconv.Itoa(p.cmd.Process.Pid) {
			continue
		}
		user, err1 := strconv.ParseInt(fields[11], 10, 64)
		system, err2 := strconv.ParseInt(fields[12], 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		ticks += user + system
		members++
	}
	if members == 0 {
		return 0, fmt.Errorf("no process of %s is left: %s", p.cmd.Path, p.said())
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}

// ticksPerSecond is USER_HZ, which is 100 wherever Linux runs Go.
const ticksPerSecond = 100

// FreeAddress is an address on loopback on which nobody listens now.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
