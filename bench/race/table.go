package race

import (
	"fmt"
	"io"
	"slices"
)

// A Figure is one of the numbers in a sample.
type Figure struct {
	Title  string
	Digits int
	Of     func(Sample) float64
}

// Rate is of what was answered, in a second.
func Rate(s Sample) float64 { return s.Rate }

// P50 is the median of the latency, in milliseconds.
func P50(s Sample) float64 { return s.P50 }

// P99 is what 99 of 100 stay under, in milliseconds.
func P99(s Sample) float64 { return s.P99 }

// CPU is what the contender spent, in microseconds.
func CPU(s Sample) float64 { return s.CPU }

// Print writes a table for each scenario and figure in 80 columns, then the bars, and reports whether all are met.
func (p *Program) Print(w io.Writer, figures []Figure) (met bool) {
	for _, s := range p.Scenarios {
		fmt.Fprintf(w, "\n%s\n", s.Title)
		for _, f := range figures {
			s.print(w, f)
		}
	}
	fmt.Fprintln(w)
	met = true
	for _, b := range p.Bars {
		got := ratio(b.Race, b.Divisor, Rate)
		met = Verdict(w, b.What, fmt.Sprintf("%.2f", got), fmt.Sprintf("at least %.1f", b.Least), got >= b.Least) && met
	}
	return met
}

// Verdict writes the line of a bar, and returns whether it is met.
func Verdict(w io.Writer, what, got, bar string, met bool) bool {
	word := "met"
	if !met {
		word = "MISSED"
	}
	fmt.Fprintf(w, "%-38s %5s   %s   %s\n", what, got, bar, word)
	return met
}

func (s Scenario) print(w io.Writer, f Figure) {
	fmt.Fprintf(w, "  %-16s %22s", f.Title, "median (min-max)")
	for _, column := range s.Beside {
		fmt.Fprintf(w, " %*s", columnWidth(column), "/"+column.Name)
	}
	fmt.Fprintln(w)
	for _, r := range s.Rows {
		values := r.values(f.Of)
		spread := fmt.Sprintf("%.*f (%.*f-%.*f)", f.Digits, median(values), f.Digits, slices.Min(values), f.Digits, slices.Max(values))
		fmt.Fprintf(w, "  %-16s %22s", r.Name, spread)
		for _, column := range s.Beside {
			fmt.Fprintf(w, " %*.2f", columnWidth(column), ratio(r.Race, column.Race, f.Of))
		}
		fmt.Fprintln(w)
	}
}

func columnWidth(r Row) int { return max(len(r.Name)+1, 7) }

func (r *Race) values(of func(Sample) float64) []float64 {
	var values []float64
	for _, s := range r.samples {
		values = append(values, of(s))
	}
	return values
}

// ratio is the median of the rounds' ratios: within a round the machine is more alike than over all of them.
func ratio(a, b *Race, of func(Sample) float64) float64 {
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
