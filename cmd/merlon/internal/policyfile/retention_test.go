package policyfile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

func TestRetention(t *testing.T) {
	const (
		file = "version: 1\nupstream: http://127.0.0.1:8000\nretention: %s\n"
		day  = 24 * time.Hour
	)
	for text, want := range map[string]policyfile.Retention{
		"{samples: 7d}":                          {Samples: 7 * day},
		"{issues: 400d, hours: 30d, days: 365d}": {Issues: 400 * day, Hours: 30 * day, Days: 365 * day},
		"{max-size: 512MiB}":                     {MaxSize: 512 << 20},
	} {
		f, err := policyfile.Parse("m", fmt.Appendf(nil, file, text))
		if err != nil || f.Retention != want {
			t.Errorf("%s: %v, %v; want %v", text, f, err, want)
		}
	}
	for text, want := range map[string]string{
		"{samples: 7}":            "this key takes a text",
		"{samples: 0d}":           "no time from 1d to 3650d",
		"{samples: 9999d}":        "write samples: 30d",
		"{samples: 12h}":          "no time from 1d",
		"{samples: off}":          "no time from 1d",
		"{hours: 90d, days: 30d}": "m:3:25: retention.days",
		"{max-size: 1MiB}":        "from 16MiB to 1024GiB",
		"{max-size: 2TB}":         "no size",
		"{max-size: off}":         "write max-size: 2GiB",
		"{timeline: 7d}":          "keys here: samples, issues, hours, days, max-size",
		"30d":                     "it takes the keys samples",
		"{}":                      "it takes the keys samples",
	} {
		if _, err := policyfile.Parse("m", fmt.Appendf(nil, file, text)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "m:3:") {
			t.Errorf("%s: %v, want line 3 and %q", text, err, want)
		}
	}
}
