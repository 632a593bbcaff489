package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/cli"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

const limit = wait.Limit

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// process is a command that runs in this process until it is stopped.
type process struct {
	stdout, stderr *wait.Output
	stop           context.CancelFunc
	ended          chan struct{}
	code           int // once it has ended
}

// start runs merlon with the arguments and waits until it has printed ready.
func start(t *testing.T, ready string, args ...string) *process {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	all := wait.NewOutput(nil)
	p := &process{stdout: wait.NewOutput(all), stderr: wait.NewOutput(all), stop: stop, ended: make(chan struct{})}
	go func() {
		p.code = cli.Run(ctx, args, p.stdout, p.stderr)
		close(p.ended)
	}()
	t.Cleanup(func() { p.end(t) })
	all.For(t, ready, p.ended)
	return p
}

// end stops the command and wants it to end well. It may be called twice.
func (p *process) end(t *testing.T) {
	t.Helper()
	p.stop()
	select {
	case <-p.ended:
		if p.code != 0 {
			t.Errorf("exit code %d, want 0:\n%s", p.code, p.stderr)
		}
	case <-time.After(limit):
		t.Errorf("does not end:\n%s", p.stderr)
	}
}

// bank is a running demo.
type bank struct {
	*process
	bare, protected, attacker, partner, dashboard, token string
}

func startDemo(t *testing.T, args ...string) *bank {
	t.Helper()
	p := start(t, "Ctrl-C stops everything.", append([]string{"demo", "--port", "0"}, args...)...)
	urls := regexp.MustCompile(`http://(?:127\.0\.0\.1|localhost):\d+`).FindAllString(p.stdout.String(), -1)
	if len(urls) != 5 {
		t.Fatalf("the demo names %q, want five sites", urls)
	}
	return &bank{p, urls[0], urls[1], urls[2], urls[3], urls[4], tokenIn(t, p.stdout.String())}
}

func tokenIn(t *testing.T, text string) string {
	t.Helper()
	token := regexp.MustCompile(`\b[A-Z2-7]{4}(-[A-Z2-7]{4}){7}\b`).FindString(text)
	if token == "" {
		t.Fatalf("no log-in token in\n%s", text)
	}
	return token
}

// startBrowser starts a browser of 800 by 600 that ends with the test.
func startBrowser(t *testing.T, o browser.Options) *browser.Browser {
	t.Helper()
	o.Path, o.Width, o.Height = need.Chromium(t), 800, 600
	b, err := browser.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// tab is a page whose methods fail the test instead of returning an error.
type tab struct {
	*browser.Page
	t   *testing.T
	ctx context.Context
}

func openTab(t *testing.T, b *browser.Browser) tab {
	t.Helper()
	ctx := within(t)
	p, err := b.NewPage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return tab{p, t, ctx}
}

func (p tab) visit(url string) {
	p.t.Helper()
	if err := p.Navigate(p.ctx, url); err != nil {
		p.t.Fatal(err)
	}
}

// press clicks an element and waits for the page that comes of it.
func (p tab) press(selector string) {
	p.t.Helper()
	if err := p.WaitLoad(p.ctx, func() error { return p.ClickOn(p.ctx, selector) }); err != nil {
		p.t.Fatalf("clicking %s: %v", selector, err)
	}
}

func (p tab) fill(selector, text string) {
	p.t.Helper()
	if err := p.Fill(p.ctx, selector, text); err != nil {
		p.t.Fatal(err)
	}
}

func (p tab) text(expression string) string {
	p.t.Helper()
	var out any
	if err := p.Eval(p.ctx, expression, &out); err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return fmt.Sprint(out)
}

func (p tab) has(selector string) bool {
	p.t.Helper()
	return p.text(fmt.Sprintf("document.querySelector(%q) != null", selector)) == "true"
}

func (p tab) wait(expression string) {
	p.t.Helper()
	if err := p.Wait(p.ctx, expression); err != nil {
		p.t.Fatalf("waiting for %s: %v\n%s", expression, err, p.text("document.body.innerText"))
	}
}

// frames waits for n frames to have an outcome and returns them by URL.
func (p tab) frames(n int) map[string]browser.Attempt {
	p.t.Helper()
	list, err := p.WaitFrames(p.ctx, n)
	if err != nil {
		p.t.Fatal(err)
	}
	out := map[string]browser.Attempt{}
	for _, a := range list {
		out[a.URL] = a
	}
	return out
}

// noLeaks fails the test when goroutines of merlon's packages outlive it.
func noLeaks(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		var left string
		for range 100 {
			buf := make([]byte, 1<<20)
			left = ""
			for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
				if strings.Contains(stack, "merlon-sec/merlon") && !strings.Contains(stack, "testing.tRunner") && !strings.Contains(stack, "cli_test.noLeaks") && !strings.Contains(stack, "cli_test.startProgram") {
					left += stack + "\n\n"
				}
			}
			if left == "" {
				return
			}
			runtime.Gosched()
			time.Sleep(10 * time.Millisecond) // goroutines that have been told to end need a moment, and nothing signals their end
		}
		t.Errorf("goroutines outlive the process:\n%s", left)
	})
}

// run runs merlon with the arguments to its end.
func run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = cli.Run(within(t), args, &out, &err)
	return code, out.String(), err.String()
}

// do sends a request and returns the answer with its body.
func do(t *testing.T, client *http.Client, req *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}
