// Package browser drives a real Chromium over the DevTools protocol: pages, trusted input,
// and a record of what the browser let through and what it refused. Chrome and Edge work too.
//
// The protocol: https://chromedevtools.github.io/devtools-protocol/
package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// ErrExited is the error of calls to a browser that has exited by itself, was killed, or
// whose connection broke.
var ErrExited = errors.New("the browser has exited")

// ErrClosed is the error of calls after Close, of the browser or of the page.
var ErrClosed = errors.New("closed")

// Options says which browser is started, and how. The zero value is a headless browser as
// found by Find that reaches loopback only.
type Options struct {
	Path             string    // the browser's binary; empty means what Find finds
	Dir              string    // where the temporary profile folder is made; empty means os.TempDir
	Width, Height    int       // the viewport of new pages in CSS pixels; 0 means 1280 by 800
	IgnoreCertErrors bool      // accept every certificate, such as a test server's
	Hosts            []string  // hosts that may be resolved beside localhost: names, addresses, patterns; "*" means all
	Stderr           io.Writer // gets what the browser writes there; nil keeps only the end, for errors at start
	_                struct{}  // unkeyed literals do not compile
}

// Browser is a running browser with a profile of its own that ends with it. It is safe for
// concurrent use.
type Browser struct {
	options Options
	proc    *process
	conn    *conn
	closing atomic.Bool
	close   func() error   // once
	work    sync.WaitGroup // goroutines that make pages ready and answer dialogs

	mu    sync.Mutex
	pages map[string]*Page // by session
}

// Start starts a browser and connects to it. The browser lives until Close is called or
// ctx ends, which kills it. It has a process group of its own and a new profile in a
// temporary folder; both are gone when it has ended, however it ended.
func Start(ctx context.Context, o Options) (*Browser, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	b := &Browser{options: o, pages: map[string]*Page{}}
	b.close = sync.OnceValue(b.shutdown)
	if b.proc, err = startProcess(ctx, o.Path, o); err != nil {
		return nil, err
	}
	if err := b.connect(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Browser) connect(ctx context.Context) error {
	url, err := b.proc.endpoint(ctx)
	if err != nil {
		return fmt.Errorf("starting %s: %w", b.options.Path, err)
	}
	ctx, cancel := limit(ctx)
	defer cancel()
	if b.conn, err = dial(ctx, url, handlers{event: b.event, lost: b.lost}); err != nil {
		return err
	}
	return b.watch(ctx)
}

func (o Options) complete() (Options, error) {
	var err error
	if o.Path == "" {
		if o.Path, err = Find(); err != nil {
			return o, err
		}
	} else if o.Path, err = findAmong([]string{o.Path}, ""); err != nil {
		return o, fmt.Errorf("%w at the path given", ErrNotFound)
	}
	if o.Width <= 0 || o.Height <= 0 {
		o.Width, o.Height = 1280, 800
	}
	return o, checkHosts(o.Hosts)
}

// PID is the process id of the browser. On Unix it is also the id of its process group.
func (b *Browser) PID() int {
	return b.proc.cmd.Process.Pid
}

// Done is closed when the browser has ended and its processes and profile are gone.
func (b *Browser) Done() <-chan struct{} {
	return b.proc.done
}

// Close ends the browser and waits until its processes, its profile folder and all
// goroutines of this package are gone. The error says what could not be removed.
// Further calls return the same.
func (b *Browser) Close() error {
	return b.close()
}

func (b *Browser) shutdown() error {
	b.closing.Store(true)
	if b.conn == nil { // never connected
		b.proc.kill()
		return b.proc.stop(0)
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	// An orderly exit lets the browser wait for its children. If it cannot, it is killed.
	if err := b.call(ctx, "Browser.close", nil, nil); err != nil {
		b.proc.kill()
	}
	err := b.proc.stop(closeLimit)
	b.conn.close()
	b.work.Wait()
	return err
}

// call is a call to the browser itself.
func (b *Browser) call(ctx context.Context, method string, params, out any) error {
	return b.conn.call(ctx, "", method, params, out)
}

// lost ends the browser when its connection has ended, and tells all pages why.
func (b *Browser) lost(reading error) error {
	if !b.closing.Load() {
		b.proc.kill() // nobody can drive it any more
	}
	err := b.reason(reading)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.pages {
		p.end(err)
	}
	clear(b.pages)
	return err
}

func (b *Browser) reason(reading error) error {
	if b.closing.Load() {
		return fmt.Errorf("browser: %w", ErrClosed)
	}
	return fmt.Errorf("%w: %s (%v)", ErrExited, b.proc.status(), reading)
}
