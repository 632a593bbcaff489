package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/merlon-sec/merlon/bench/race"
)

// The numbers of issues that merlon is loaded with, each in a database of its own.
var issues = []int{1, 20, 50_000}

// A contender is a program under load.
type contender struct {
	*race.Process
	name   string
	url    string
	path   string // where it takes reports in the old format
	batch  string // and where batches
	issues int    // that its load makes

	admin string // of merlon: where its metrics are; "" for others
	data  string // and its data directory
	sent  int64  // the reports that it has acknowledged
	most  int64  // and those that it may have counted besides: wrk ends without waiting for answers
}

// contenders are all of them. Two are bare: they differ in what parses.
type contenders struct {
	json, decode *contender
	merlon       map[int]*contender // by number of issues
	logger       *contender         // nil where it is not compared
}

func (c contenders) list() []*contender {
	out := []*contender{c.json, c.decode}
	for _, n := range slices.Sorted(maps.Keys(c.merlon)) {
		out = append(out, c.merlon[n])
	}
	if c.logger != nil {
		out = append(out, c.logger)
	}
	return out
}

func (b *bench) begin(ctx context.Context) (all contenders, err error) {
	if all.json, err = b.startBare(ctx, "json"); err != nil {
		return all, err
	}
	if all.decode, err = b.startBare(ctx, "decode"); err != nil {
		return all, err
	}
	all.merlon = map[int]*contender{}
	for _, n := range issues {
		if all.merlon[n], err = b.startMerlon(ctx, n); err != nil {
			return all, err
		}
	}
	if b.logger != "" {
		all.logger, err = b.startLogger(ctx)
	}
	return all, err
}

// start runs a program that listens on the address, and waits until it answers.
func (b *bench) start(ctx context.Context, c *contender, address, program string, args ...string) (*contender, error) {
	p, err := race.Start(b.dir, c.name, nil, program, args...)
	if err != nil {
		return nil, err
	}
	b.started = append(b.started, p)
	c.Process, c.url = p, "http://"+address
	return c, p.Ready(ctx, c.url+"/")
}

func (b *bench) startBare(ctx context.Context, parser string) (*contender, error) {
	address, err := race.FreeAddress()
	if err != nil {
		return nil, err
	}
	return b.start(ctx, &contender{name: "bare, " + parser, path: "/", batch: "/", issues: 20}, address, b.bare, address, parser)
}

// startMerlon runs merlon collect as it stands behind a proxy, for a load with so many issues.
func (b *bench) startMerlon(ctx context.Context, issues int) (*contender, error) {
	address, err := race.FreeAddress()
	if err != nil {
		return nil, err
	}
	admin, err := race.FreeAddress()
	if err != nil {
		return nil, err
	}
	c := &contender{name: fmt.Sprintf("merlon, %d", issues), path: "/.merlon/r?d=e", batch: "/.merlon/r?d=e", issues: issues, admin: "http://" + admin}
	config, data := c.name+".yaml", c.name+".data"
	c.data = filepath.Join(b.dir, data)
	if err := b.write(config, "version: 1\nhosts: ["+site+"]\nhttps: {proxies: {cidr: [127.0.0.1/32]}}\n"+b.extra+"\n"); err != nil {
		return nil, err
	}
	return b.start(ctx, c, address, b.merlon, "collect", "--config", config, "--listen", address, "--admin", admin, "--data", data)
}

// startLogger runs go-csp-collector, which prints each report. It listens on every address, because it knows ports alone.
func (b *bench) startLogger(ctx context.Context) (*contender, error) {
	address, err := race.FreeAddress()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	c := &contender{name: "go-csp-collector", path: "/csp", batch: "/reporting-api/csp", issues: 20}
	return b.start(ctx, c, address, "sh", "-c", `exec "$@" >/dev/null 2>&1`, "sh", b.logger, "-port", port, "-output-format", "json")
}

// load is what the contender is sent, in batches of so many reports; 0 for the old format.
func (c *contender) load(batch int) load {
	l := load{path: c.path, batch: batch, distinct: c.issues}
	if batch > 0 {
		l.path = c.batch
	}
	return l
}

// measure is how a contender is loaded over so many connections. Figures are those of a report. What merlon counts meanwhile must be what
// wrk saw acknowledged, and at most one request more for each connection.
func (b *bench) measure(c *contender, batch, connections int) func(context.Context, time.Duration) (race.Sample, error) {
	l := c.load(batch)
	return func(ctx context.Context, d time.Duration) (race.Sample, error) {
		b.runs++
		w := race.Wrk{Program: b.wrk, Dir: b.dir, Connections: connections, Lua: l.lua(b.runs)}
		s, err := w.Measure(ctx, c.Process, c.url+l.path, d)
		if err == nil {
			c.sent += int64(s.Requests) * int64(l.reports())
			c.most += int64(connections) * int64(l.reports())
			err = c.audit(ctx)
		}
		if err != nil {
			return s, fmt.Errorf("%s, %s connections: %w", c.name, strconv.Itoa(connections), err)
		}
		return s.Each(float64(l.reports())), nil
	}
}
