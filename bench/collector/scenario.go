package main

import (
	"fmt"

	"github.com/merlon-sec/merlon/bench/race"
)

// How many connections wrk holds open.
const (
	few  = 64
	many = 512
)

// figures are the tables of each scenario.
func figures() []race.Figure {
	return []race.Figure{{Title: "reports/s", Of: race.Rate}, {Title: "CPU us/report", Digits: 1, Of: race.CPU}, {Title: "half under ms", Digits: 2, Of: race.P50},
		{Title: "99% under ms", Digits: 2, Of: race.P99}}
}

func (b *bench) program(all contenders) *race.Program {
	p := &race.Program{}
	for _, connections := range []int{few, many} {
		rows := b.scenario(p, all, fmt.Sprintf("one report in a request, %d connections", connections), 0, connections)
		for _, n := range issues {
			p.Bars = append(p.Bars, race.Bar{What: fmt.Sprintf("%d connections: merlon, %d / bare", connections, n),
				Race: rows[all.merlon[n]], Divisor: rows[all.json], Least: 0.6})
		}
		if all.logger != nil {
			p.Bars = append(p.Bars, race.Bar{What: fmt.Sprintf("%d connections: merlon, 20 / go-csp-…", connections),
				Race: rows[all.merlon[20]], Divisor: rows[all.logger], Least: 1})
		}
	}
	b.scenario(p, all, fmt.Sprintf("%d reports in a request, %d connections", batchSize, few), batchSize, few)
	return p
}

// scenario adds a race of everybody.
func (b *bench) scenario(p *race.Program, all contenders, title string, batch, connections int) map[*contender]*race.Race {
	s, rows := race.Scenario{Title: title}, map[*contender]*race.Race{}
	for _, c := range all.list() {
		rows[c] = p.Add(b.measure(c, batch, connections))
		row := race.Row{Name: c.name, Race: rows[c]}
		s.Rows = append(s.Rows, row)
		if c == all.json || c == all.decode || c == all.logger {
			s.Beside = append(s.Beside, row)
		}
	}
	p.Scenarios = append(p.Scenarios, s)
	return rows
}
