package report

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// CounterConfig says where a Counter pushes to.
type CounterConfig struct {
	URL    string        // of the collector: https://collector.example/.merlon/r/documents
	Token  string        // that the collector expects; it is sent with each push, so use https outside of one machine
	Every  time.Duration // how often Run pushes; 0 means 10 seconds
	Client *http.Client  // nil means one that waits 10 seconds and follows no redirects
	Failed func(error)   // is told by Run of pushes that failed and will be sent again; nil: nobody
}

// Counter counts the documents that a program sends, and pushes the counts to a collector, so that reports can be seen as a share of
// page views. It is safe for concurrent use.
//
// It starts nothing: the program has a goroutine for [Counter.Run], or calls [Counter.Push] when it likes. A push that fails is sent
// again with the same id, and a collector counts it once. What is not yet pushed when the program is killed is lost.
type Counter struct {
	config CounterConfig
	tally  Tally

	pushing sync.Mutex
	pending *Counts // was sent, and nobody knows whether it arrived
}

const (
	defaultEvery = 10 * time.Second
	pushTimeout  = 10 * time.Second
)

// NewCounter checks the config.
func NewCounter(c CounterConfig) (*Counter, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("report: CounterConfig.URL %q is no address of a collector: write https://collector.example/.merlon/r/documents", c.URL)
	}
	if c.Token == "" || !visible(c.Token) {
		return nil, errors.New("report: CounterConfig.Token is empty or has blanks: read it from the file that the collector's policy file names, and trim it")
	}
	if c.Every < 0 {
		return nil, fmt.Errorf("report: CounterConfig.Every %v is negative", c.Every)
	}
	c.Every = cmp.Or(c.Every, defaultEvery)
	if c.Client == nil {
		c.Client = &http.Client{Timeout: pushTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &Counter{config: c}, nil
}

// Count counts one document that was sent: its URL, the hash of its policies and its status, as the Guard's hook tells them. It is
// quick and never waits for the network.
func (c *Counter) Count(u *url.URL, policy string, status int) { c.tally.Add(u, policy, status) }

// Run pushes again and again until ctx ends, and then what is left, for which it takes ten seconds at most. It returns the error of
// that last push.
func (c *Counter) Run(ctx context.Context) error {
	ticker := time.NewTicker(c.config.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := c.Push(ctx); err != nil && ctx.Err() == nil && c.config.Failed != nil {
				c.config.Failed(err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), pushTimeout)
			defer cancel()
			return c.Push(last)
		}
	}
}

// Push sends what was counted since the last push, and returns nil when the collector has stored it. Where nothing was counted it sends
// nothing. After an error the next call sends the same again, and then what came in since.
func (c *Counter) Push(ctx context.Context) error {
	c.pushing.Lock()
	defer c.pushing.Unlock()
	if c.pending != nil {
		if err := c.send(ctx); err != nil {
			return err
		}
	}
	documents := c.tally.Take(time.Now())
	if len(documents) == 0 {
		return nil
	}
	c.pending = &Counts{CountsSchema, CountsVersion, rand.Text(), documents}
	return c.send(ctx)
}

// send sends what is pending. The caller holds pushing.
func (c *Counter) send(ctx context.Context) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // or paths of & would have six times their bytes, and more than a push may
	if err := encoder.Encode(c.pending); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.URL, &body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.config.Token)
	req.Header.Set("Content-Type", "application/json")
	res, err := c.config.Client.Do(req)
	if err != nil {
		return fmt.Errorf("report: pushing counts of documents: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection can be used again
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("report: pushing counts of documents: %s answers %s%s", req.URL.Redacted(), res.Status, wayOut(res.StatusCode))
	}
	c.pending = nil
	return nil
}

func wayOut(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return " (its policy file has another token for this host)"
	case status == http.StatusNotFound:
		return " (its policy file has no token for this host: write documents: {token_file: F})"
	case status/100 == 3:
		return " (write the address that it leads to)"
	}
	return ""
}
