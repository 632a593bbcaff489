package policyfile

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// canary reads the share of pages that get a canary: a number up to 1, or a percentage.
func (r *reader) canary(keys map[string]any, path string) float64 {
	v, here := keys["canary"]
	if !here || v == "off" {
		return 0
	}
	const hint = "write 0.001 or 0.1%, or off"
	at, text := under(path, "canary"), fmt.Sprint(v)
	number, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(number, 64)
	if percent {
		share /= 100
	}
	if err != nil || !(share > 0 && share <= 1) { // NaN is neither
		r.wrong(at, cfgerrors.InvalidValue, text, "no share of the pages", hint)
		return 0
	}
	if to, elsewhere := keys["reports"]; elsewhere && to != ReportPath {
		r.wrong(at, cfgerrors.Conflict, text, "reports go elsewhere, so that a canary here proves nothing about them", "leave out canary, or reports")
	}
	return share
}
