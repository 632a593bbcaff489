package race

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// Threads is how many threads wrk loads with.
const Threads = 2

const patience = "30s" // of a request: a busy machine is slow, and no failure

// WarmUp is how long each contender runs before anything counts. wrk counts in whole seconds.
const WarmUp = time.Second

// report makes wrk print what is read here, after its own lines.
const report = `done = function(summary, latency)
  local e = summary.errors
  print(string.format('{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "errors": "%s"}', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout == 0 and "" or string.format(
    "connect %d, read %d, write %d, status %d, timeout %d", e.connect, e.read, e.write, e.status, e.timeout)))
end
`

// Wrk is how wrk loads.
type Wrk struct {
	Program     string
	Dir         string // where it keeps its script
	Connections int
	Lua         string // makes the requests; "" for plain ones
}

// A Sample is one measurement.
type Sample struct {
	Requests float64 // that were answered
	Rate     float64 // of requests, in a second
	P50, P99 float64 // of the latency, in milliseconds
	CPU      float64 // that the contender spent on a request, in microseconds
}

// Each is s for a part of a request, where each request has n of them.
func (s Sample) Each(n float64) Sample {
	s.Rate, s.CPU = s.Rate*n, s.CPU/n
	return s
}

// Measure loads a contender for so long.
func (w Wrk) Measure(ctx context.Context, p *Process, url string, d time.Duration) (Sample, error) {
	script := filepath.Join(w.Dir, "load.lua")
	if err := os.WriteFile(script, []byte(w.Lua+report), 0o600); err != nil {
		return Sample{}, err
	}
	before, err := p.cpu()
	if err != nil {
		return Sample{}, err
	}
	wrk := exec.CommandContext(ctx, w.Program, "--threads", strconv.Itoa(Threads), "--connections", strconv.Itoa(w.Connections),
		"--timeout", patience, "--duration", fmt.Sprintf("%ds", int(d.Seconds())), "--script", script, url)
	wrk.Dir = w.Dir
	out, err := wrk.CombinedOutput()
	if err != nil {
		return Sample{}, fmt.Errorf("%s: %w: %s", wrk, err, out)
	}
	after, err := p.cpu()
	if err != nil {
		return Sample{}, err
	}
	return parseReport(out, after-before)
}

func parseReport(out []byte, cpu time.Duration) (Sample, error) {
	var r struct {
		Requests, Microseconds, P50, P99 float64
		Errors                           string
	}
	if err := json.Unmarshal(out[max(0, bytes.LastIndexByte(out, '{')):], &r); err != nil {
		return Sample{}, fmt.Errorf("wrk prints %q: %w", out, err)
	}
	if r.Errors != "" || r.Requests == 0 {
		return Sample{}, fmt.Errorf("%.0f requests, and errors: %s", r.Requests, r.Errors)
	}
	return Sample{r.Requests, r.Requests / r.Microseconds * 1e6, r.P50 / 1e3, r.P99 / 1e3, float64(cpu.Microseconds()) / r.Requests}, nil
}
