package main

import (
	"fmt"
	"io"
	"slices"
)

// A figure is one of the numbers in a sample.
type figure struct {
	title  string
	digits int
	of     func(sample) float64
}

func rate(s sample) float64 { return s.rate }
func p99(s sample) float64  { return s.p99 }
func cpu(s sample) float64  { return s.cpu }

// figures are the tables of each scenario.
func figures() []figure {
	return []figure{{"requests/s", 0, rate}, {"CPU us/request", 1, cpu}, {"99% under ms", 2, p99}}
}

// print writes the tables in 80 columns, then the bars, and reports whether all are met.
func (p program) print(w io.Writer) (met bool) {
	for _, s := range p.scenarios {
		fmt.Fprintf(w, "\n%s\n", s.title)
		for _, f := range figures() {
			s.print(w, f)
		}
	}
	fmt.Fprintln(w)
	met = true
	for _, b := range p.bars {
		got, verdict := ratio(b.race, b.divisor, rate), "met"
		if got < b.least {
			met, verdict = false, "MISSED"
		}
		fmt.Fprintf(w, "%-38s %5.2f   at least %.1f   %s\n", b.what, got, b.least, verdict)
	}
	return met
}

func (s scenario) print(w io.Writer, f figure) {
	fmt.Fprintf(w, "  %-16s %22s", f.title, "median (min-max)")
	for _, column := range s.beside {
		fmt.Fprintf(w, " %*s", columnWidth(column), "/"+column.name)
	}
	fmt.Fprintln(w)
	for _, r := range s.rows {
		values := r.values(f.of)
		spread := fmt.Sprintf("%.*f (%.*f-%.*f)", f.digits, median(values), f.digits, slices.Min(values), f.digits, slices.Max(values))
		fmt.Fprintf(w, "  %-16s %22s", r.name, spread)
		for _, column := range s.beside {
			fmt.Fprintf(w, " %*.2f", columnWidth(column), ratio(r.race, column.race, f.of))
		}
		fmt.Fprintln(w)
	}
}

func columnWidth(r row) int { return max(len(r.name)+1, 7) }

func (r *race) values(of func(sample) float64) []float64 {
	var values []float64
	for _, s := range r.samples {
		values = append(values, of(s))
	}
	return values
}

// ratio is the median of the rounds' ratios: within a round the machine is more alike than over all of them.
func ratio(a, b *race, of func(sample) float64) float64 {
	var ratios []float64
	for i := range a.samples {
		ratios = append(ratios, of(a.samples[i])/of(b.samples[i]))
	}
	return median(ratios)
}

// median is the middle value, of two the lower.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}
