package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"time"
)

// How wrk loads.
const (
	threads     = 2
	connections = 32
	patience    = "30s" // of a request: a busy machine is slow, and no failure
)

// report makes wrk print what is read here, after its own lines.
const report = `done = function(summary, latency)
  local e = summary.errors
  print(string.format('{"requests": %d, "microseconds": %d, "p99": %d, "errors": "%s"}', summary.requests, summary.duration,
    latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout == 0 and "" or string.format(
    "connect %d, read %d, write %d, status %d, timeout %d", e.connect, e.read, e.write, e.status, e.timeout)))
end
`

// A sample is one measurement.
type sample struct {
	rate float64 // requests in a second
	p99  float64 // of the latency, in milliseconds
	cpu  float64 // that the contender spent on a request, in microseconds
}

// measure loads a contender, and no other, for so long.
func (b *bench) measure(ctx context.Context, c contender, path string, d time.Duration) (sample, error) {
	before, err := c.cpu()
	if err != nil {
		return sample{}, err
	}
	wrk := exec.CommandContext(ctx, b.wrk, "--threads", strconv.Itoa(threads), "--connections", strconv.Itoa(connections),
		"--timeout", patience, "--duration", fmt.Sprintf("%ds", int(d.Seconds())), "--script", "report.lua", c.url+path)
	wrk.Dir = b.dir
	out, err := wrk.CombinedOutput()
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w: %s", wrk, err, out)
	}
	after, err := c.cpu()
	if err != nil {
		return sample{}, err
	}
	return parseReport(out, after-before)
}

func parseReport(out []byte, cpu time.Duration) (sample, error) {
	var r struct {
		Requests, Microseconds, P99 float64
		Errors                      string
	}
	if err := json.Unmarshal(out[max(0, bytes.LastIndexByte(out, '{')):], &r); err != nil {
		return sample{}, fmt.Errorf("wrk prints %q: %w", out, err)
	}
	if r.Errors != "" || r.Requests == 0 {
		return sample{}, fmt.Errorf("%.0f requests, and errors: %s", r.Requests, r.Errors)
	}
	return sample{r.Requests / r.Microseconds * 1e6, r.P99 / 1e3, float64(cpu.Microseconds()) / r.Requests}, nil
}
