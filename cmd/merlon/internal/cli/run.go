package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/certs"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// program is what runs until it is told to end: the gateway, or a collector alone.
type program struct {
	name     string // in what people read
	forwards bool   // whether other servers read the requests after it
	config   string // the name of the policy file; "" for flags alone
	read     func() (*policyfile.File, error)
	build    func(*stack, *policyfile.File, *slog.Logger) (answerer, error)
	greet    func(io.Writer, *policyfile.File, *stack, ports)
}

func (p program) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	before := contentsOf(p.config)
	file, err := p.read()
	if err != nil {
		return err
	}
	if _, err := ownCertificates(file); err != nil {
		return err
	}
	logs, err := newLogs(file.Log, stdout, stderr)
	if err != nil {
		return err
	}
	defer logs.close()
	log, manager, o := logs.error, newSystemd(os.Getenv), newObserver(logs, p)
	srv := &servers{log: log, limits: limitsOf(file), ending: o.ending(file.Shutdown, manager)}
	defer srv.close()
	ports, err := srv.open(file, p.name)
	if err != nil {
		return err
	}
	s, err := openStack(ctx, file.Data, dash.Config{Hosts: adminHosts(file.Admin), ReportURL: address(file, ports.public) + policyfile.ReportPath, Logger: log,
		Ready: o.phase.err, Metrics: o.metrics.Handler()}, o.metrics)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(context.WithoutCancel(ctx))) }()
	l := p.live(s, newCertificates(file, log), o, manager)
	if err := l.load(file); err != nil {
		return err
	}
	defer func() { (*l.now.Load()).Close() }()
	defer closeCertificates(l.certs)
	if contentsOf(p.config) == before { // or else what was read is not what is there
		l.seen = l.state()
	}
	defer reserve()()
	ports.serve(srv, l, s.dashboard.Handler())
	defer l.watchFiles(ctx)()
	defer l.watchReports(ctx)()
	logs.announce(stdout, p.greeting(file, s, ports))
	manager.notify(stateReady)
	defer manager.watch()()
	return srv.run(ctx)
}

// live is what answers, with nothing in force yet.
func (p program) live(s *stack, keeper *certs.Keeper, o *observer, manager systemd) *live {
	log := o.logs.error
	return &live{log: log, config: p.config, read: p.read, certs: keeper, observer: o, manager: manager, alerts: s.alerter(log),
		build: func(file *policyfile.File) (answerer, error) { return p.build(s, file, log) }}
}

func (p program) greeting(file *policyfile.File, s *stack, at ports) string {
	var b strings.Builder
	p.greet(&b, file, s, at)
	return b.String()
}

// ports are the listeners of a program.
type ports struct {
	public net.Listener
	plain  net.Listener // for clients that have yet to learn of HTTPS; nil for none
	admin  net.Listener
}

// open opens the listeners of the file for the named program, or takes those that systemd has opened.
func (s *servers) open(file *policyfile.File, name string) (p ports, err error) {
	if s.passed, err = newSockets(os.Getenv); err != nil {
		return p, err
	}
	if p.public, err = s.take(partPublic, name, "--listen", file.Listen); err != nil {
		return p, err
	}
	if file.TLS.HTTP != "" || s.passed[partPlain] != nil {
		if p.plain, err = s.take(partPlain, "listener for plain HTTP", "tls.http", file.TLS.HTTP); err != nil {
			return p, err
		}
	}
	p.admin, err = s.take(partAdmin, "dashboard", "--admin", file.Admin)
	return p, err
}

// serve says who answers where.
func (p ports) serve(s *servers, l *live, dashboard http.Handler) {
	o := l.observer
	o.handler.Next = l
	o.serve(s, partPublic, p.public, o.handler, configOf(l.certs))
	if p.plain != nil {
		o.serve(s, partPlain, p.plain, l.certs.Challenges(o.handler), nil)
	}
	s.handle(p.admin, dashboard, nil)
	s.of(p.admin).last = true
}

// watchFiles reloads on changes and on SIGHUP until the function that it returns is called.
func (l *live) watchFiles(ctx context.Context) (stop func()) {
	hangup := make(chan os.Signal, 1) // before anybody can know that the program is there
	if l.config != "" {
		signal.Notify(hangup, syscall.SIGHUP)
	}
	watching, cancel := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { l.watch(watching, hangup) })
	return func() {
		cancel()
		watcher.Wait()
		signal.Stop(hangup)
	}
}
