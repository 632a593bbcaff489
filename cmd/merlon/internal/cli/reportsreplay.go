package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/hostport"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

type replayFlags struct {
	to, host, format  string
	rate, concurrency int
	strict            bool
}

func newReplay() *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay FILE --to URL",
		Short: "Send recorded reports to a collector",
		Long: `replay sends each line of FILE (- for standard input) to a collector, as a
browser would: a recorded request {"method", "path", "content_type", "headers",
"body"} or the body of a report alone. Of the headers the content type and the
browser's name go along, and no cookie. --host makes the reports' pages those of
a host that the collector knows; otherwise it counts them as foreign.

Lines that are no report are named and left out, or end it with --strict. After
503 a report is sent again.`,
		Example: `  merlon reports replay samples.jsonl --to 127.0.0.1:7781 --host shop.example
  cat bodies.jsonl | merlon reports replay - --to 127.0.0.1:7781 --rate 50`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, args[0])
		},
	}
	cmd.Flags().StringVar(&f.to, "to", "", "`URL` of the collector; without a path "+policyfile.ReportPath)
	cmd.Flags().StringVar(&f.host, "host", "", "the `host` that the reports' pages are to have")
	cmd.Flags().IntVar(&f.rate, "rate", 0, "at most so many a second; 0 for as fast as it goes")
	cmd.Flags().IntVar(&f.concurrency, "concurrency", 4, "how many at a time, up to 256")
	cmd.Flags().BoolVar(&f.strict, "strict", false, "end at the first line that is no report")
	formatFlag(cmd, &f.format)
	return cmd
}

func (f replayFlags) run(cmd *cobra.Command, name string) error {
	if err := f.check(); err != nil {
		return err
	}
	to, err := target(f.to, policyfile.ReportPath)
	if err != nil {
		return usagef("--to %s: %w", f.to, err)
	}
	in, lines, err := openRecording(name, cmd.InOrStdin())
	if err != nil {
		return err
	}
	defer in.Close()
	bar := progress(cmd.ErrOrStderr(), lines, "sending")
	p := newReplayer(f, to)
	p.sent = func() { _ = bar.Add(1) } // it is only for the eye
	p.bad = func(line int, err error) error {
		if f.strict {
			return usagef("%s:%d: %w", name, line, err)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "merlon: %s:%d: %v: left out\n", name, line, err)
		return nil
	}
	err = p.replay(cmd.Context(), in)
	_ = bar.Clear()
	if err != nil {
		return errors.Join(err, p.sum.print(cmd.OutOrStdout(), f.format))
	}
	if err := p.sum.print(cmd.OutOrStdout(), f.format); err != nil {
		return err
	}
	if p.sum.Failed > 0 {
		return fmt.Errorf("%d of %d reports were not taken: %s", p.sum.Failed, p.sum.Sent+p.sum.Failed, p.sum.firstError)
	}
	return nil
}

func (f replayFlags) check() error {
	switch {
	case f.to == "":
		return usagef("where to? Give --to URL (see merlon reports replay --help)")
	case f.rate < 0 || f.rate > 1_000_000:
		return usagef("--rate %d: write a number from 0 to 1000000", f.rate)
	case f.concurrency < 1 || f.concurrency > 256:
		return usagef("--concurrency %d: write a number from 1 to 256", f.concurrency)
	}
	if f.host != "" {
		if _, _, ok := hostport.Split(f.host); !ok {
			return usagef("--host %s: write a host, such as shop.example or 127.0.0.1:8080", f.host)
		}
	}
	return checkFormat(f.format)
}

// openRecording opens a file, or standard input for -, and counts its lines; -1: not known.
func openRecording(name string, stdin io.Reader) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(stdin), -1, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, usagef("%w: name a file of recorded reports, or - for standard input", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	if !info.Mode().IsRegular() { // a pipe: what is read to be counted cannot be sent any more
		return file, -1, nil
	}
	var lines int64
	buffer := make([]byte, 64<<10)
	for err == nil {
		var n int
		n, err = file.Read(buffer)
		lines += int64(bytes.Count(buffer[:n], []byte("\n")))
	}
	if !errors.Is(err, io.EOF) {
		return nil, 0, errors.Join(err, file.Close())
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, lines, nil
}

// replayer sends recorded reports.
type replayer struct {
	client      *http.Client
	to          *url.URL
	host        string
	rate, atOne int
	sent        func()
	bad         func(line int, err error) error

	mu  sync.Mutex
	sum replaySum
}

func newReplayer(f replayFlags, to *url.URL) *replayer {
	transport := &http.Transport{MaxIdleConnsPerHost: f.concurrency, Proxy: http.ProxyFromEnvironment}
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // browsers do not follow
	return &replayer{client: client, to: to, host: f.host, rate: f.rate, atOne: f.concurrency,
		sum: replaySum{Schema: "merlon/reports-replay", Version: replayVersion, Statuses: map[string]int64{}}}
}

// replay sends what in has until its end, or until ctx ends.
func (p *replayer) replay(ctx context.Context, in io.Reader) error {
	start := time.Now()
	defer p.client.CloseIdleConnections()
	jobs := make(chan recorded)
	var workers sync.WaitGroup
	for range p.atOne {
		workers.Go(func() {
			for r := range jobs {
				p.send(ctx, r)
			}
		})
	}
	err := eachRecorded(in, p.feeder(ctx, jobs), func(line int, err error) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if errors.Is(err, errNoPost) {
			p.sum.Skipped++
			return nil
		}
		p.sum.Bad++
		return p.bad(line, err)
	})
	close(jobs)
	workers.Wait()
	p.sum.Seconds = time.Since(start).Seconds()
	return err
}

// feeder hands reports to the workers, no more in a second than the rate.
func (p *replayer) feeder(ctx context.Context, jobs chan<- recorded) func(recorded) error {
	next := time.Now()
	return func(r recorded) error {
		if p.rate > 0 {
			if err := pause(ctx, time.Until(next)); err != nil {
				return err
			}
			next = next.Add(time.Second / time.Duration(p.rate))
		}
		if p.host != "" {
			r.moveTo(p.host)
		}
		select {
		case jobs <- r:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pause waits for a time, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// How often a report is sent again after 503, and how long a server may ask to wait for that.
const (
	maxRetries = 3
	maxWait    = time.Minute
)

func (p *replayer) send(ctx context.Context, r recorded) {
	for try := 0; ; try++ {
		status, after, err := p.post(ctx, r)
		if status == http.StatusServiceUnavailable && try < maxRetries && pause(ctx, min(after, maxWait)) == nil {
			p.count(func(s *replaySum) { s.Retries++ })
			continue
		}
		p.settle(r, status, err)
		return
	}
}

func (p *replayer) count(f func(*replaySum)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.sum)
}

func (p *replayer) settle(r recorded, status int, err error) {
	p.count(func(s *replaySum) {
		name := "no answer"
		if status != 0 {
			name = strconv.Itoa(status)
		}
		s.Statuses[name]++
		if status/100 == 2 {
			s.Sent++
			return
		}
		s.Failed++
		if s.firstError == "" && err != nil {
			s.firstError = fmt.Sprintf("line %d: %v", r.line, err)
		} else if s.firstError == "" {
			s.firstError = fmt.Sprintf("line %d was answered by %d", r.line, status)
		}
	})
	p.sent()
}

// post sends a report, and returns the status and how long the server asks to wait.
func (p *replayer) post(ctx context.Context, r recorded) (status int, after time.Duration, err error) {
	to := *p.to
	if r.disposition != "" && to.RawQuery == "" {
		to.RawQuery = url.Values{"d": {r.disposition}}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(r.body))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Content-Type", r.contentType)
	if r.userAgent != "" {
		req.Header.Set("User-Agent", r.userAgent)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		seconds = 1
	}
	return res.StatusCode, time.Duration(seconds) * time.Second, nil
}
