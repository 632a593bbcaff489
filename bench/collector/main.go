// Command collector measures merlon collect, which stores reports before it answers, beside a handler that parses and drops them, and
// beside go-csp-collector, which logs them. It checks first that all of them take the reports and that merlon counts each once.
// scripts/bench builds and runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/merlon-sec/merlon/bench/race"
)

// bench is what is needed to run everything.
type bench struct {
	merlon, bare, logger, wrk string // programs; no logger: it is not compared

	dir      string // holds data and logs
	extra    string // lines for merlon's policy files
	rounds   int
	duration time.Duration

	runs    int // of wrk, until now
	started []*race.Process
}

func main() {
	var b bench
	flag.StringVar(&b.merlon, "merlon", "", "the program merlon")
	flag.StringVar(&b.bare, "bare", "", "the program in bench/collector/bare")
	flag.StringVar(&b.logger, "logger", "", "the program go-csp-collector, if it is there")
	flag.StringVar(&b.wrk, "wrk", "wrk", "the program wrk")
	flag.StringVar(&b.dir, "dir", "", "an absolute path of an empty directory")
	flag.StringVar(&b.extra, "extra", "", "lines to append to merlon's policy files")
	flag.IntVar(&b.rounds, "rounds", 5, "how often each is measured")
	flag.DurationVar(&b.duration, "duration", 3*time.Second, "how long each measurement takes, in whole seconds")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	met, err := b.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	if err != nil || !met {
		os.Exit(1)
	}
}

// run reports whether every bar is met.
func (b *bench) run(ctx context.Context) (met bool, err error) {
	defer func() {
		for _, p := range b.started {
			p.Stop()
		}
	}()
	all, err := b.begin(ctx)
	if err != nil {
		return false, err
	}
	for _, c := range all.list() {
		if err := c.verify(ctx); err != nil {
			return false, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	p := b.program(all)
	if err := p.Run(ctx, b.rounds, b.duration); err != nil {
		return false, err
	}
	fmt.Println(race.Header(b.rounds, b.duration, fmt.Sprintf("%d or %d", few, many)))
	met = p.Print(os.Stdout, figures())
	if b.logger == "" {
		fmt.Println("merlon / go-csp-collector: not measured, that program is not there")
	}
	kept, err := printKept(ctx, all)
	return met && kept, err
}

// write writes a file of the directory.
func (b *bench) write(name, text string) error {
	return os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600)
}
