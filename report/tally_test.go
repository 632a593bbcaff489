package report_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/report"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(t testing.TB, path string) *url.URL {
	t.Helper()
	u, err := url.Parse("https://shop.example" + path)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// taken returns what Take returns, a line each, sorted.
func taken(tally *report.Tally, now time.Time) []string {
	var lines []string
	for _, d := range tally.Take(now) {
		lines = append(lines, fmt.Sprintf("%s %s %d", d.Route, d.Policy, d.Count))
	}
	slices.Sort(lines)
	return lines
}

func TestTally(t *testing.T) {
	var tally report.Tally
	if got := taken(&tally, noon); len(got) != 0 {
		t.Errorf("the empty one has %q", got)
	}
	for range 2 {
		tally.Add(at(t, "/item/1?id=7"), "p", 200)
	}
	tally.Add(at(t, "/item/2"), "p", 200)
	tally.Add(at(t, "/item/2"), "q", 200)
	tally.Add(at(t, "/nothing"), "p", 404)
	tally.Add(at(t, "/"), "p", 500)
	tally.Add(at(t, "/"), "no hash", 200)
	tally.Add(at(t, "/"), strings.Repeat("p", 65), 200)
	want := []string{"* p 2", "/ * 2", "/item/* p 3", "/item/* q 1"}
	if got := taken(&tally, noon); !slices.Equal(got, want) {
		t.Errorf("taken: %q, want %q", got, want)
	}
	if got := taken(&tally, noon); len(got) != 0 {
		t.Errorf("taken twice: %q", got)
	}
}

func TestTallyReturn(t *testing.T) {
	var tally report.Tally
	tally.Add(at(t, "/a"), "p", 200)
	documents := tally.Take(noon)
	tally.Add(at(t, "/a"), "p", 200)
	tally.Return(documents)
	if got, want := taken(&tally, noon), []string{"/a p 2"}; !slices.Equal(got, want) {
		t.Errorf("taken: %q, want %q", got, want)
	}
}

func TestTallyIsBounded(t *testing.T) {
	var tally report.Tally
	add := func(prefix string, n int) {
		for i := range n {
			tally.Add(at(t, fmt.Sprintf("/%s%s", prefix, words(i))), "p", 200)
		}
	}
	add("a", 1000)
	documents, total, rest := tally.Take(noon), int64(0), int64(0)
	for _, d := range documents {
		total += d.Count
		if d.Route == report.Rest {
			rest += d.Count
		}
	}
	if len(documents) != 201 || total != 1000 || rest != 800 {
		t.Errorf("a thousand routes: %d rows, %d documents, %d on the rest; want 201, 1000 and 800", len(documents), total, rest)
	}
	// Until the next day those that came first are counted by themselves, then others have their turn.
	add("b", 10)
	if got := taken(&tally, noon); !slices.Equal(got, []string{"* p 10"}) {
		t.Errorf("later on that day: %q", got)
	}
	tally.Take(noon.Add(24 * time.Hour))
	add("b", 10)
	if got := taken(&tally, noon.Add(24*time.Hour)); len(got) != 10 {
		t.Errorf("the next day: %q", got)
	}
	for i := range 5000 {
		tally.Add(at(t, "/"+words(i%150)), words(i/10), 200)
	}
	if documents := tally.Take(noon.Add(24 * time.Hour)); len(documents) > report.MaxCounts {
		t.Errorf("with many policies: %d rows, want at most %d", len(documents), report.MaxCounts)
	}
}

// words is a word for each number, without a digit: numbers are no routes of their own.
func words(n int) string {
	return strings.Map(func(r rune) rune { return r - '0' + 'g' }, fmt.Sprint(n))
}

func TestTallyAllocations(t *testing.T) {
	var tally report.Tally
	u := at(t, "/catalogue/shoes")
	tally.Add(u, "p", 200)
	if n := testing.AllocsPerRun(100, func() { tally.Add(u, "p", 404) }); n > 0 {
		t.Errorf("an error page: %v allocations", n)
	}
}

func BenchmarkTally(b *testing.B) {
	var tally report.Tally
	u := at(b, "/catalogue/shoes/4711")
	b.ReportAllocs()
	for b.Loop() {
		tally.Add(u, "0123456789abcdef", 200)
	}
}
