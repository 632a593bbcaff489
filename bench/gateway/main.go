// Command gateway measures merlon gateway beside the proxies that people would put there instead: httputil.ReverseProxy, Caddy
// and nginx. All send the same nine headers, which is checked first. scripts/bench builds and runs it.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/merlon-sec/merlon/bench/race"
)

// Where the application has its pages.
const (
	smallPage = "/small.html"
	largePage = "/large.html"
)

// bench is what is needed to run everything.
type bench struct {
	merlon, reverseProxy, caddy, nginx, wrk string // programs

	dir      string // holds configurations, pages and logs
	extra    string // lines for merlon's policy files
	rounds   int
	duration time.Duration

	placeholder string
	pages       map[string]string // by path
	upstream    string            // the application's URL, once it is there
	started     []*race.Process
}

func main() {
	var b bench
	flag.StringVar(&b.merlon, "merlon", "", "the program merlon")
	flag.StringVar(&b.reverseProxy, "reverseproxy", "", "the program in bench/gateway/reverseproxy")
	flag.StringVar(&b.caddy, "caddy", "", "the program caddy")
	flag.StringVar(&b.nginx, "nginx", "nginx", "the program nginx")
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
	if err := b.prepare(); err != nil {
		return false, err
	}
	plain, nonces, err := b.begin(ctx)
	if err != nil {
		return false, err
	}
	if err := b.verify(plain, nonces); err != nil {
		return false, err
	}
	p := b.program(plain, nonces)
	if err := p.Run(ctx, b.rounds, b.duration); err != nil {
		return false, err
	}
	fmt.Println(race.Header(b.rounds, b.duration, strconv.Itoa(connections)))
	return p.Print(os.Stdout, figures()), nil
}

// prepare writes what the programs read.
func (b *bench) prepare() error {
	b.placeholder = "n" + strings.ToLower(rand.Text()+rand.Text())
	b.pages = map[string]string{smallPage: page(smallSize, 0, ""), largePage: page(largeSize, scripts, b.placeholder)}
	if err := os.Mkdir(filepath.Join(b.dir, "pages"), 0o700); err != nil {
		return err
	}
	for path, text := range b.pages {
		if err := b.write(filepath.Join("pages", path), text); err != nil {
			return err
		}
	}
	return b.write("placeholder", b.placeholder)
}
