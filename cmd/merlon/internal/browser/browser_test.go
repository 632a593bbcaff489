package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
)

func TestFindNothing(t *testing.T) {
	for goos, hint := range map[string]string{"linux": "apt-get install", "darwin": "brew install", "windows": "winget install"} {
		path, err := browser.FindAmong([]string{t.TempDir() + "/chromium", "no-such-browser"}, goos)
		if !errors.Is(err, browser.ErrNotFound) || !strings.Contains(err.Error(), hint) {
			t.Errorf("on %s: %q, %v; want ErrNotFound with %q", goos, path, err, hint)
		}
	}
}

func TestStartErrors(t *testing.T) {
	chromium := need.Chromium(t)
	liar := t.TempDir() + "/liar"
	script := "#!/bin/sh\necho 'no display today' >&2\nexit 3\n"
	if err := os.WriteFile(liar, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		options browser.Options
		is      error
		text    string
	}{
		{"no such file", browser.Options{Path: t.TempDir() + "/chromium"}, browser.ErrNotFound, ""},
		{"exits at once", browser.Options{Path: liar}, browser.ErrExited, "no display today"},
		{"a host that adds a rule", browser.Options{Path: chromium, Hosts: []string{"a.example, MAP * 127.0.0.1"}}, nil, "MAP"},
		{"no folder", browser.Options{Path: chromium, Dir: "/nonexistent"}, os.ErrNotExist, "profile folder"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.options.Dir == "" {
				test.options.Dir = t.TempDir()
				defer dirIsEmpty(t, test.options.Dir)
			}
			_, err := browser.Start(within(t), test.options)
			if err == nil || test.is != nil && !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("Start: %v; want an error that is %v and contains %q", err, test.is, test.text)
			}
		})
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	b := start(t, browser.Options{Dir: dir})
	p := open(t, b)
	if len(living(t, b.PID(), dir)) < 3 {
		t.Fatal("the browser's processes are not seen: this test could not fail")
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	dirIsEmpty(t, dir)
	noGoroutines(t)
	allGone(t, b.PID(), dir)
	for name, err := range map[string]error{
		"Eval":    p.Eval(t.Context(), "1", nil),
		"Wait":    p.Wait(t.Context(), "false"),
		"NewPage": second(b.NewPage(t.Context())),
	} {
		if !errors.Is(err, browser.ErrClosed) {
			t.Errorf("%s after Close: %v; want ErrClosed", name, err)
		}
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// noGoroutines fails when a goroutine of the package, of its WebSocket or of its process is
// left. One that has said that it is done may still be on its way out.
func noGoroutines(t *testing.T) {
	t.Helper()
	eventually(t, func() []string {
		var dump bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&dump, 2); err != nil {
			t.Fatal(err)
		}
		var left []string
		for stack := range strings.SplitSeq(dump.String(), "\n\n") {
			if strings.Contains(stack, "internal/browser.") || strings.Contains(stack, "coder/websocket") || strings.Contains(stack, "os/exec.") {
				left = append(left, stack)
			}
		}
		return left
	})
}

// TestLongPath has a folder whose path is too long for the socket that Chromium makes.
func TestLongPath(t *testing.T) {
	temp, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(temp) })
	t.Setenv("TMPDIR", temp)
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	b := start(t, browser.Options{Dir: dir})
	open(t, b)
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	dirIsEmpty(t, dir)
	allGone(t, b.PID(), dir)
	if list, err := filepath.Glob(temp + "/merlon-*"); err != nil || len(list) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", list, err)
	}
}

// endless makes p wait for ever in an evaluation, and returns where its error will come
// when the call is under way.
func endless(t *testing.T, p *browser.Page) <-chan error {
	t.Helper()
	arrived := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/arrived" {
			close(arrived)
		}
	}))
	t.Cleanup(srv.Close)
	if err := p.Navigate(within(t), srv.URL); err != nil {
		t.Fatal(err)
	}
	result := make(chan error, 1)
	ctx := within(t)
	go func() { result <- p.Eval(ctx, "fetch('/arrived').then(() => new Promise(() => {}))", nil) }()
	<-arrived
	return result
}

func TestCrashOfTheBrowser(t *testing.T) {
	dir := t.TempDir()
	b := start(t, browser.Options{Dir: dir})
	p := open(t, b)
	result := endless(t, p)
	main, err := os.FindProcess(b.PID())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := main.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-result; !errors.Is(err, browser.ErrExited) || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the call during the crash: %v; want ErrExited with the signal", err)
	}
	if err := p.Eval(t.Context(), "1", nil); !errors.Is(err, browser.ErrExited) {
		t.Errorf("a call after the crash: %v; want ErrExited", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the calls failed after %v; want at once", took)
	}
	<-b.Done() // without Close
	dirIsEmpty(t, dir)
	allGone(t, b.PID(), dir)
}

func TestCrashOfThePage(t *testing.T) {
	b := start(t, browser.Options{})
	p, other := open(t, b), open(t, b)
	result := endless(t, p)
	if err := p.Navigate(within(t), "chrome://crash"); err == nil {
		t.Error("Navigate to chrome://crash: no error")
	}
	if err := <-result; !errors.Is(err, browser.ErrCrashed) {
		t.Errorf("the call during the crash: %v; want ErrCrashed", err)
	}
	if got := eval[int](t, other, "6 * 7"); got != 42 {
		t.Errorf("Eval in another page: %d", got)
	}
}

func TestStartContextEnds(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	b, err := browser.Start(ctx, browser.Options{Path: need.Chromium(t), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	result := endless(t, open(t, b))
	cancel()
	if err := <-result; !errors.Is(err, browser.ErrExited) || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("the call when the context ended: %v; want ErrExited, context canceled", err)
	}
	<-b.Done()
	dirIsEmpty(t, dir)
	allGone(t, b.PID(), dir)
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	noGoroutines(t)
}

// helperDir is set in the program that TestParentDies kills: this test binary, once more.
const helperDir = "MERLON_BROWSER_TEST_DIR"

// TestParentDies kills a program that has a browser. On Linux the browser goes with it.
func TestParentDies(t *testing.T) {
	if dir := os.Getenv(helperDir); dir != "" {
		b := start(t, browser.Options{Dir: dir})
		fmt.Printf("pid %d\n", b.PID())
		select {} // until killed
	}
	need.Chromium(t)
	dir := t.TempDir()
	living(t, 0, dir) // skips where /proc is missing
	cmd := exec.CommandContext(within(t), os.Args[0], "-test.run=^TestParentDies$")
	cmd.Env = append(cmd.Environ(), helperDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, err2 := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "pid ")))
	if err := errors.Join(err, err2); err != nil || len(living(t, pid, dir)) < 3 {
		t.Fatalf("the other program's browser: %q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // says that it was killed
	allGone(t, pid, dir)
}

// TestMessageBound has a page send more than fits in a message: the browser is given up.
func TestMessageBound(t *testing.T) {
	p := open(t, start(t, browser.Options{}))
	var long string
	err := p.Eval(within(t), fmt.Sprintf("'x'.repeat(%d)", browser.MaxMessageBytes+1), &long)
	if !errors.Is(err, browser.ErrExited) || !strings.Contains(err.Error(), "limit") {
		t.Errorf("Eval of too long a string: %.300v (%d bytes); want ErrExited, read limited", err, len(long))
	}
}
