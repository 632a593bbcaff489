package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/control"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// maintainer changes what is in a database: a running process that is asked to, or this one.
type maintainer interface {
	SetState(context.Context, control.Decision) error
	Purge(context.Context, control.Purge) (store.Erased, error)
	Erase(context.Context, control.Erase) (store.Erased, error)
}

// maintain lets change work through the process that works on the data directory or, if there is none, on the database itself.
func maintain(ctx context.Context, dir string, change func(maintainer) error) (err error) {
	path := filepath.Join(dir, databaseName)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no report database at %q: name the data directory that the gateway uses", path)
	}
	client, err := control.Dial(ctx, dir)
	if err == nil {
		defer client.Close()
		return change(client)
	}
	if !errors.Is(err, control.ErrNobody) {
		return err
	}
	lock, err := store.LockDir(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	db, err := store.Open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return change(direct{db})
}

// direct changes a database that no other process has.
type direct struct{ db *store.Store }

func (d direct) SetState(ctx context.Context, c control.Decision) error {
	return d.db.SetState(ctx, c.Issue, store.Decision{State: c.State, Until: c.Until, Note: c.Note, At: time.Now()})
}

func (d direct) Purge(ctx context.Context, p control.Purge) (store.Erased, error) {
	return d.db.Purge(ctx, p.Site, p.Before)
}

func (d direct) Erase(ctx context.Context, e control.Erase) (store.Erased, error) {
	return d.db.Erase(ctx, e.Site, e.URL)
}
