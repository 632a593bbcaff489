package dash

import (
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// What the tests reach besides the exported names.
var (
	Visible = visible
	Cut     = cut
	Prose   = prose
	Number  = number
)

func Ago(now, at time.Time) string { return instant{at, now}.Ago() }

func Headline(i store.Issue) string { return newRulebook().adviceFor(i).Headline }
