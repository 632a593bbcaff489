package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"time"
)

const (
	startLimit = 30 * time.Second      // from exec to an open DevTools port; measured 0.2 to 0.5 s
	closeLimit = 5 * time.Second       // for an orderly exit; measured 0.05 s
	pipeLimit  = time.Second           // for stderr to be closed by children, after the browser's exit
	pollEvery  = 10 * time.Millisecond // how often a file is looked at
)

// process is a running browser with its profile folder. One goroutine waits for the exit,
// whatever its cause, then ends the whole process group and removes the folder.
type process struct {
	cmd    *exec.Cmd
	home   string // holds the profile
	temp   string // for temporary files; home, unless that is too long
	stderr *tail
	exited chan struct{} // closed when the browser has exited
	err    error         // how it exited; read it after exited
	done   chan struct{} // closed when the folder is gone as well
	left   error         // what could not be removed; read it after done
}

// startProcess runs the browser at path with a new home folder. When ctx ends the browser
// and its children are killed.
func startProcess(ctx context.Context, path string, o Options) (*process, error) {
	p := &process{stderr: &tail{}, exited: make(chan struct{}), done: make(chan struct{})}
	if err := p.makeFolders(o.Dir); err != nil {
		return nil, fmt.Errorf("making a profile folder: %w", errors.Join(err, p.removeFolders()))
	}
	p.cmd = exec.CommandContext(ctx, path, arguments(o, p.profile())...)
	p.cmd.Env = append(p.cmd.Environ(), "HOME="+p.home, "TMPDIR="+p.temp,
		"XDG_CONFIG_HOME="+p.home, "XDG_CACHE_HOME="+p.home, "XDG_DATA_HOME="+p.home)
	p.cmd.Stderr = p.stderr
	if o.Stderr != nil {
		p.cmd.Stderr = io.MultiWriter(p.stderr, o.Stderr)
	}
	p.cmd.WaitDelay = pipeLimit
	ownGroup(p.cmd)
	p.cmd.Cancel = func() error { return killGroup(p.cmd.Process.Pid) }
	started := make(chan error)
	go p.run(ctx, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return p, nil
}

// run owns the process from start to end.
func (p *process) run(ctx context.Context, started chan<- error) {
	defer close(p.done)
	// On Linux the browser is killed when the thread that started it ends (see ownGroup).
	// This thread lives until the browser has exited, or this program has.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	if err != nil {
		started <- errors.Join(err, p.removeFolders())
		return
	}
	started <- nil
	p.err = p.cmd.Wait()
	if ctx.Err() != nil {
		p.err = context.Cause(ctx)
	}
	close(p.exited)
	killGroup(p.cmd.Process.Pid)
	p.left = p.removeFolders()
}

// maxTempPath leaves room for /org.chromium.Chromium.XXXXXX/SingletonSocket in the 104
// bytes that macOS allows for a socket's path, and Linux 108. Chromium aborts when it is longer.
const maxTempPath = 58

func (p *process) makeFolders(dir string) error {
	var err error
	if p.home, err = os.MkdirTemp(dir, "merlon-"); err != nil {
		return err
	}
	p.temp = p.home
	if len(p.temp) > maxTempPath {
		p.temp, err = os.MkdirTemp("", "merlon-")
	}
	return err
}

func (p *process) removeFolders() error {
	return errors.Join(removeAll(p.temp), removeAll(p.home))
}

// removeAll removes dir. Children that were just killed may still be writing there.
func removeAll(dir string) error {
	deadline := time.Now().Add(closeLimit)
	for {
		err := os.RemoveAll(dir)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(pollEvery)
	}
}

func (p *process) profile() string {
	return filepath.Join(p.home, "p")
}

// kill ends the browser and its children, unless they have ended already.
func (p *process) kill() {
	select {
	case <-p.exited:
	default:
		killGroup(p.cmd.Process.Pid)
	}
	<-p.exited
}

// stop gives the browser time to exit by itself, then kills it, and waits until nothing is left.
func (p *process) stop(grace time.Duration) error {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		p.kill()
	}
	<-p.done
	return p.left
}

// status says how the browser exited. It must have exited.
func (p *process) status() string {
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

// endpoint waits until the browser says where its DevTools socket is. It writes a port and
// a path to a file of its profile; that is steadier than the text on stderr.
func (p *process) endpoint(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit,
		fmt.Errorf("no DevTools port within %v: %w", startLimit, context.DeadlineExceeded))
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		url, err := readEndpoint(filepath.Join(p.profile(), "DevToolsActivePort"))
		if url != "" || err != nil {
			return url, err
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return "", fmt.Errorf("%w at start: %s\n%s", ErrExited, p.status(), p.stderr)
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// readEndpoint returns "" as long as the file is not there or not complete.
func readEndpoint(file string) (string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the DevTools port: %w", err)
	}
	m := regexp.MustCompile(`^(\d+)\r?\n(/devtools/browser/[0-9a-f-]{36})\s*$`).FindSubmatch(data)
	if m == nil {
		return "", nil
	}
	return fmt.Sprintf("ws://127.0.0.1:%s%s", m[1], m[2]), nil
}

// maxTailBytes is how much of the browser's stderr is kept for an error message.
const maxTailBytes = 4 << 10

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	data []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	if extra := len(t.data) - maxTailBytes; extra > 0 {
		t.data = append(t.data[:0], t.data[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}
