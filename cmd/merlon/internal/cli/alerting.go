package cli

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"sync"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/alert"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// alertConfig is what the file says of alerts, with connections to its targets yet to be made.
func alertConfig(file *policyfile.File) (alert.Config, error) {
	a := file.Alerts
	if a == nil {
		return alert.Config{}, nil
	}
	c := alert.Config{Critical: a.Critical, Silence: a.Silence, Jump: a.Jump, JumpFrom: a.JumpFrom, PerHour: a.PerHour}
	for _, site := range file.Sites {
		c.Sites = append(c.Sites, site.Name)
	}
	var roots *x509.CertPool
	if a.Roots != nil {
		roots = x509.NewCertPool()
		roots.AppendCertsFromPEM(a.Roots)
	}
	if a.Webhook != "" {
		w, err := notify.NewWebhook(notify.WebhookConfig{URL: a.Webhook, Roots: roots, AllowPrivate: a.AllowPrivate})
		if err != nil {
			return c, fmt.Errorf("alerts: the webhook: %w", err)
		}
		c.Targets = append(c.Targets, w)
	}
	if m := a.Email; m != nil {
		e, err := notify.NewEmail(notify.EmailConfig{To: m.To, From: m.From, Server: m.Server, Username: m.Username, Password: m.Password, TLS: m.TLS, Roots: roots})
		if err != nil {
			return c, fmt.Errorf("alerts: email: %w", err)
		}
		c.Targets = append(c.Targets, e)
	}
	return c, nil
}

// alerter looks at what the stack stores.
func (s *stack) alerter(log *slog.Logger) *alert.Alerter {
	return alert.New(alert.Options{Store: s.store, Logger: log, Health: func() alert.Health { return alert.Health(s.collector.Health()) }})
}

// watchReports lets the alerter look until ctx ends or the function that it returns is called, which waits for it.
func (l *live) watchReports(ctx context.Context) (stop func()) {
	looking, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { l.alerts.Run(looking) })
	return func() {
		cancel()
		running.Wait()
	}
}
