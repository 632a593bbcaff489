package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// ErrNobody is returned by Dial if no process serves the directory.
var ErrNobody = errors.New("no process serves the data directory")

// Client asks the process that works on a data directory. It is safe for concurrent use.
type Client struct{ http http.Client }

// Dial finds the process that serves dir, or returns ErrNobody.
func Dial(ctx context.Context, dir string) (*Client, error) {
	conn, err := dial(ctx, dir)
	if err != nil {
		return nil, err
	}
	conn.Close() // it answers; requests have connections of their own
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, dir) }}
	return &Client{http.Client{Transport: transport}}, nil
}

// Close lets go of idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// SetState is [store.Store.SetState].
func (c *Client) SetState(ctx context.Context, d Decision) error {
	_, err := c.ask(ctx, "state", d)
	return err
}

// Purge is [store.Store.Purge].
func (c *Client) Purge(ctx context.Context, p Purge) (store.Erased, error) {
	return c.ask(ctx, "purge", p)
}

// Erase is [store.Store.Erase].
func (c *Client) Erase(ctx context.Context, e Erase) (store.Erased, error) {
	return c.ask(ctx, "erase", e)
}

// ask sends a request. When ctx ends the other side stops too, between two transactions.
func (c *Client) ask(ctx context.Context, what string, v any) (erased store.Erased, err error) {
	body, err := json.Marshal(v)
	if err != nil {
		return erased, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://merlon"+prefix+what, bytes.NewReader(body))
	if err != nil {
		return erased, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return erased, ctx.Err()
		}
		return erased, fmt.Errorf("asking the running merlon: %w", err)
	}
	defer res.Body.Close()
	var a answer
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&a); err != nil {
		return erased, fmt.Errorf("asking the running merlon: %s: %w", res.Status, err)
	}
	if a.Erased != nil {
		erased = *a.Erased
	}
	switch {
	case a.NotFound:
		return erased, store.ErrNotFound
	case a.Error != "":
		return erased, errors.New(a.Error)
	case res.StatusCode != http.StatusOK:
		return erased, fmt.Errorf("asking the running merlon: %s", res.Status)
	}
	return erased, nil
}
