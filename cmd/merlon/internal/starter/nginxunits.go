package starter

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	nginxTimes = regexp.MustCompile(`^(?:[0-9]{1,9}(?:ms|[yMwdhms])? *)+$`)
	nginxTime  = regexp.MustCompile(`([0-9]+)(ms|[yMwdhms])?`)
	nginxSize  = regexp.MustCompile(`^([0-9]{1,12})([kKmMgG]?)$`)
)

const day = 24 * time.Hour

// maxNginxTime is longer than any time that is kept; what is above it would not fit a time.Duration.
const maxNginxTime = 10000 * day

// readTime reads a time of nginx. A number without a unit is seconds. https://nginx.org/en/docs/syntax.html
func readTime(text string) (time.Duration, bool) {
	if !nginxTimes.MatchString(text) {
		return 0, false
	}
	units := map[string]time.Duration{"ms": time.Millisecond, "": time.Second, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": day, "w": 7 * day, "M": 30 * day, "y": 365 * day}
	var sum time.Duration
	for _, part := range nginxTime.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseInt(part[1], 10, 64)
		unit := units[part[2]]
		if err != nil || time.Duration(n) > maxNginxTime/unit {
			return 0, false
		}
		if sum += time.Duration(n) * unit; sum > maxNginxTime {
			return 0, false
		}
	}
	return sum, true
}

// timeText writes a time without the parts that are zero.
func timeText(d time.Duration) string {
	text := d.String()
	if rest, ok := strings.CutSuffix(text, "m0s"); ok {
		text = rest + "m"
	}
	if rest, ok := strings.CutSuffix(text, "h0m"); ok {
		text = rest + "h"
	}
	return text
}

// readSize reads a size of nginx, whose k is 1024. https://nginx.org/en/docs/syntax.html
func readSize(text string) (bytes int64, ok bool) {
	m := nginxSize.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	factor := map[string]int64{"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[strings.ToLower(m[2])]
	if err != nil || n > (1<<62)/factor {
		return 0, false
	}
	return n * factor, true
}

// sizeText writes a size in the largest unit that it is a multiple of.
func sizeText(bytes int64) string {
	for _, unit := range []struct {
		bytes int64
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if bytes > 0 && bytes%unit.bytes == 0 {
			return strconv.FormatInt(bytes/unit.bytes, 10) + unit.name
		}
	}
	return strconv.FormatInt(bytes, 10)
}
