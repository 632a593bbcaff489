package cli

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/alert"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/certs"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// pollInterval is how often the policy file and the certificate are looked at. Asking is cheap, and sees what notifications
// miss: links that are replaced as a whole, network file systems, editors that write another file and rename it.
const pollInterval = time.Second

// answerer is what a policy file makes: a gateway, or a collector. It may be closed while it still answers.
type answerer interface {
	http.Handler
	Close()
}

// live is what answers now. A reload puts another in its place: a request ends with the one that it began with.
type live struct {
	now   atomic.Pointer[answerer]
	certs *certs.Keeper // nil for plain HTTP
	log   *slog.Logger

	observer *observer
	manager  systemd
	alerts   *alert.Alerter

	config string // the name of the policy file; "" for flags alone
	read   func() (*policyfile.File, error)
	file   *policyfile.File // in force; only watch changes it
	build  func(*policyfile.File) (answerer, error)

	seen, pending string // states of the files: in force, and seen once since
}

func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*l.now.Load()).ServeHTTP(w, r) }

// load puts a file in force, or returns why it cannot and changes nothing.
func (l *live) load(file *policyfile.File) error {
	own, err := ownCertificates(file)
	if err != nil {
		return err
	}
	alerts, err := alertConfig(file)
	if err != nil {
		return err
	}
	next, err := l.build(file)
	if err != nil {
		return err
	}
	l.file = file
	useCertificates(l.certs, own, file, l.log)
	l.alerts.Use(alerts)
	if old := l.now.Swap(&next); old != nil {
		(*old).Close()
	}
	return nil
}

// watch reloads when the files change and on a signal, until ctx ends.
func (l *live) watch(ctx context.Context, hangup <-chan os.Signal) {
	if l.config == "" {
		return
	}
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			l.reload()
		case <-poll.C:
			l.poll()
		}
	}
}

// state names the files in force by their contents: size and time stay the same where a link is replaced by one to a file of the
// same build, and where somebody writes twice within a tick.
func (l *live) state() string {
	out := sha256.New()
	for _, name := range append([]string{l.config}, l.file.Files...) {
		fmt.Fprintf(out, "%q", name)
		if name != "" {
			contentsInto(out, name)
		}
	}
	return string(out.Sum(nil))
}

// contentsOf is what contentsInto says of a file.
func contentsOf(name string) string {
	var b strings.Builder
	contentsInto(&b, name)
	return b.String()
}

// contentsInto adds a file to the state; one that cannot be read counts by its mistake. What is longer than a policy file, as a manifest
// may be, counts by size and time as well: to read all of it each second would cost too much. A pipe would not let go of us.
func contentsInto(out io.Writer, name string) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		fmt.Fprint(out, "no regular file", err)
		return
	}
	file, err := os.Open(name)
	if err != nil {
		fmt.Fprint(out, err)
		return
	}
	defer file.Close()
	n, err := io.Copy(out, io.LimitReader(file, policyfile.MaxBytes))
	if fmt.Fprint(out, n, err); info.Size() > policyfile.MaxBytes {
		fmt.Fprint(out, info.Size(), info.ModTime().UnixNano())
	}
}

// poll reloads what has changed and then looked the same twice, so that no half-written file gets in force.
func (l *live) poll() {
	switch now := l.state(); now {
	case l.seen:
	case l.pending:
		l.reload()
	default:
		l.pending = now
	}
}

// reload puts the files in force as they are now. On a mistake what was in force stays, and the log says so. A write that comes
// meanwhile differs from what was seen, and is next; so is a file that names others than the one before.
func (l *live) reload() {
	l.manager.notify(reloading())
	defer l.manager.notify(stateReady)
	l.observer.logs.reopen()
	l.seen, l.pending = l.state(), ""
	file, err := l.read()
	if err == nil {
		err = l.check(file)
	}
	if err == nil {
		err = l.load(file)
	}
	l.observer.metrics.Reloaded(err)
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			l.log.Error("the policy file was not reloaded: the one before stays in force", "error", line)
		}
		return
	}
	l.log.Info("the policy file was reloaded", "file", l.config)
}

// check refuses what only a new start can change.
func (l *live) check(file *policyfile.File) error {
	for _, c := range []struct{ key, before, after string }{
		{"listen", l.file.Listen, file.Listen}, {"admin", l.file.Admin, file.Admin}, {"data", l.file.Data, file.Data}, {"tls.http", l.file.TLS.HTTP, file.TLS.HTTP},
	} {
		if c.before != c.after {
			return fmt.Errorf("%s changed from %s to %s: that takes a new start", c.key, c.before, c.after)
		}
	}
	if limitsOf(l.file) != limitsOf(file) {
		return fmt.Errorf("what all connections are held to changed (h2c, max-header, timeouts: request-header, response or idle): that takes a new start")
	}
	if l.file.Log != file.Log {
		return fmt.Errorf("log changed: that takes a new start")
	}
	if *l.file.Shutdown.Delay != *file.Shutdown.Delay || *l.file.Shutdown.Drain != *file.Shutdown.Drain {
		return fmt.Errorf("shutdown changed: that takes a new start")
	}
	return checkTLS(l.file.TLS, file.TLS)
}
