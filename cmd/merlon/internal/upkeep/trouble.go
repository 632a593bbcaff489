package upkeep

import (
	"errors"
	"log/slog"
)

var errOverCap = errors.New("the database is larger than retention.max-size, and what is left are counts and issues that somebody has decided about: " +
	"allow it more, or purge what is old with merlon reports purge")

// trouble is what went wrong with something that is done again and again. It is told when it changes.
type trouble struct {
	log  *slog.Logger
	what string
	last string
}

func (t *trouble) note(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case text == t.last:
	case err != nil:
		t.log.Error(t.what+" went wrong; it is tried again within the hour", "error", err)
	default:
		t.log.Info(t.what + " works again")
	}
	t.last = text
}
