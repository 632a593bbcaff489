package policyfile

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// Retention says how long what was reported is kept. Zero values mean that the file does not say.
type Retention struct {
	Samples, Issues time.Duration
	Hours, Days     time.Duration // counts by the hour, and then by the day
	MaxSize         int64         // of the database, in bytes
}

const (
	day      = 24 * time.Hour
	maxDays  = 3650
	minStore = 16 << 20
	maxStore = 1 << 40
)

const retentionHint = "write retention: {samples: 30d, max-size: 2GiB}"

func (r *reader) retention(v any) Retention {
	keys := r.section(v, "retention", retentionHint, retentionKeys)
	if keys == nil {
		return Retention{}
	}
	out := Retention{Samples: r.days(keys, "samples"), Issues: r.days(keys, "issues"), Hours: r.days(keys, "hours"), Days: r.days(keys, "days")}
	if size, here := keys["max-size"]; here {
		out.MaxSize = r.storeSize(size)
	}
	if out.Hours > 0 && out.Days > 0 && out.Hours > out.Days {
		r.wrong("retention.days", cfgerrors.Conflict, fmt.Sprint(keys["days"]), "what is kept by the day was kept by the hour before, and for longer than this", "make it the longer one")
	}
	return out
}

// days reads a number of days, such as 30d.
func (r *reader) days(keys map[string]any, key string) time.Duration {
	text := r.text(keys, "retention", key)
	if text == "" {
		return 0
	}
	number, ok := strings.CutSuffix(text, "d")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 || n > maxDays {
		r.wrong(under("retention", key), cfgerrors.InvalidValue, text, fmt.Sprintf("no time from 1d to %dd", maxDays), "write "+key+": 30d")
		return 0
	}
	return time.Duration(n) * day
}

func (r *reader) storeSize(v any) int64 {
	const at = "retention.max-size"
	if fmt.Sprint(v) != "off" {
		n := r.size(v, at)
		if n == 0 || n >= minStore && n <= maxStore {
			return n
		}
	}
	r.wrong(at, cfgerrors.InvalidValue, fmt.Sprint(v), "a database is limited to a size from 16MiB to 1024GiB", "write max-size: 2GiB")
	return 0
}
