package policyfile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

func TestReportLimits(t *testing.T) {
	const file = "version: 1\nupstream: http://127.0.0.1:8000\nreport-limits: %s\n"
	for text, want := range map[string]policyfile.ReportLimits{
		"{received: 600/min}":               {Reports: policyfile.Rate{N: 600, Per: time.Minute}},
		"{received: off, new-issues: 20/h}": {Reports: policyfile.Rate{N: -1}, NewIssues: policyfile.Rate{N: 20, Per: time.Hour}},
		"{new-issues: 10/s}":                {NewIssues: policyfile.Rate{N: 10, Per: time.Second}},
	} {
		f, err := policyfile.Parse("m", fmt.Appendf(nil, file, text))
		if err != nil || f.ReportLimits != want {
			t.Errorf("%s: %v, %v; want %v", text, f, err, want)
		}
	}
	for text, want := range map[string]string{
		"{received: 600}":        "this key takes a text",
		"{received: 0/min}":      "no rate from 1/h",
		"{received: -3/min}":     "no rate from 1/h",
		"{received: 600/day}":    "write 600/min, 20/h, 10/s or off",
		"{received: 2000000/s}":  "no rate from 1/h",
		"{new-issues: many}":     "no rate from 1/h",
		"{new-issues: 20/h/h}":   "no rate from 1/h",
		"{new: 20/h}":            "unknown key",
		"off":                    "it takes the keys received, new-issues",
		"{}":                     "it takes the keys received, new-issues",
		"{received: 1e3/min}":    "no rate from 1/h",
		"{received: ' 600/min'}": "no rate from 1/h",
	} {
		if _, err := policyfile.Parse("m", fmt.Appendf(nil, file, text)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "m:3:") {
			t.Errorf("%s: %v, want line 3 and %q", text, err, want)
		}
	}
}
