package policyfile

import (
	"strconv"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// ReportLimits bound what one network of clients gets counted. The zero Rate means that the file does not say.
type ReportLimits struct {
	Reports   Rate
	NewIssues Rate
}

// Rate is a number of things in a time. A negative number means that there is no bound.
type Rate struct {
	N   int
	Per time.Duration
}

// rateUnits are the times that a rate can be of.
var rateUnits = map[string]time.Duration{"s": time.Second, "min": time.Minute, "h": time.Hour}

// maxRate bounds the number in a rate; more is off.
const maxRate = 1_000_000

func (r *reader) reportLimits(v any) ReportLimits {
	keys := r.section(v, "report-limits", "write report-limits: {received: 600/min}", reportLimitKeys)
	return ReportLimits{Reports: r.rate(keys, "received"), NewIssues: r.rate(keys, "new-issues")}
}

func (r *reader) rate(keys map[string]any, key string) Rate {
	text := r.text(keys, "report-limits", key)
	if text == "" {
		return Rate{}
	}
	if text == "off" {
		return Rate{N: -1}
	}
	number, unit, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > maxRate || rateUnits[unit] == 0 {
		r.wrong("report-limits."+key, cfgerrors.InvalidValue, text, "no rate from 1/h to "+strconv.Itoa(maxRate)+"/s", "write 600/min, 20/h, 10/s or off")
		return Rate{}
	}
	return Rate{n, rateUnits[unit]}
}
