package main

import (
	"context"
	"fmt"
	"time"

	"github.com/merlon-sec/merlon/bench/race"
)

// connections is how many wrk holds open.
const connections = 32

// figures are the tables of each scenario.
func figures() []race.Figure {
	return []race.Figure{{Title: "requests/s", Of: race.Rate}, {Title: "CPU us/request", Digits: 1, Of: race.CPU}, {Title: "99% under ms", Digits: 2, Of: race.P99}}
}

// measure is how a contender is loaded with a page.
func (b *bench) measure(c contender, path string) func(context.Context, time.Duration) (race.Sample, error) {
	w := race.Wrk{Program: b.wrk, Dir: b.dir, Connections: connections}
	return func(ctx context.Context, d time.Duration) (race.Sample, error) {
		s, err := w.Measure(ctx, c.Process, c.url+path, d)
		if err != nil {
			return s, fmt.Errorf("%s%s: %w", c.url, path, err)
		}
		return s, nil
	}
}

func (b *bench) program(plain, nonces map[string]contender) *race.Program {
	p := &race.Program{}
	run := func(c contender, path string) *race.Race { return p.Add(b.measure(c, path)) }
	all := func(path string) map[string]race.Row {
		rows := map[string]race.Row{}
		for _, name := range []string{bare, merlon, caddy, nginx} {
			rows[name] = race.Row{Name: name, Race: run(plain[name], path)}
		}
		return rows
	}
	small, large := all(smallPage), all(largePage)
	rewriting := map[string]race.Row{
		merlon: {Name: merlon + " rewriting", Race: run(nonces[merlon], largePage)}, nginx: {Name: nginx + " rewriting", Race: run(nonces[nginx], largePage)}}

	p.Scenarios = []race.Scenario{
		{Title: "small page, 1 KiB", Rows: rowsOf(small, bare, merlon, caddy, nginx), Beside: rowsOf(small, bare, caddy, nginx)},
		{Title: "large page, 100 KiB", Rows: rowsOf(large, bare, merlon, caddy, nginx), Beside: rowsOf(large, bare, caddy, nginx)},
		{Title: "large page with 20 nonces", Rows: append(rowsOf(large, bare, merlon), rowsOf(rewriting, merlon, nginx)...),
			Beside: append(rowsOf(large, bare, merlon), rewriting[nginx])},
	}
	p.Bars = []race.Bar{
		{What: "small page: merlon / Caddy", Race: small[merlon].Race, Divisor: small[caddy].Race, Least: 2},
		{What: "small page: merlon / nginx", Race: small[merlon].Race, Divisor: small[nginx].Race, Least: 0.6},
		{What: "large page: merlon rewriting / merlon", Race: rewriting[merlon].Race, Divisor: large[merlon].Race, Least: 0.8},
	}
	return p
}

func rowsOf(rows map[string]race.Row, names ...string) []race.Row {
	var list []race.Row
	for _, name := range names {
		list = append(list, rows[name])
	}
	return list
}
