package race

import (
	"context"
	"fmt"
	"time"
)

// A Race is one contender with one load, and how it did.
type Race struct {
	Measure func(context.Context, time.Duration) (Sample, error)
	samples []Sample // one of each round
}

// A Row is a race by the name that it has in a table.
type Row struct {
	Name string
	*Race
}

// A Scenario is what is compared in a table.
type Scenario struct {
	Title  string
	Rows   []Row
	Beside []Row // what the rows are divided by, a column for each
}

// A Bar is a ratio of rates that must be reached.
type Bar struct {
	What          string
	Race, Divisor *Race
	Least         float64
}

// Program is what is measured, printed and demanded.
type Program struct {
	Races     []*Race
	Scenarios []Scenario
	Bars      []Bar
}

// Add makes a race of the program.
func (p *Program) Add(measure func(context.Context, time.Duration) (Sample, error)) *Race {
	r := &Race{Measure: measure}
	p.Races = append(p.Races, r)
	return r
}

// Run measures everybody in each round, so that a slow moment of the machine meets all.
func (p *Program) Run(ctx context.Context, rounds int, d time.Duration) error {
	for round := -1; round < rounds; round++ {
		for _, r := range p.Races {
			warm, length := round < 0, d
			if warm {
				length = WarmUp
			}
			s, err := r.Measure(ctx, length)
			if err != nil {
				return err
			}
			if !warm {
				r.samples = append(r.samples, s)
			}
		}
	}
	return nil
}

// Header says in one line what was done.
func Header(rounds int, d time.Duration, connections string) string {
	return fmt.Sprintf("%d rounds of %v, wrk with %d threads and %s connections", rounds, d, Threads, connections)
}
