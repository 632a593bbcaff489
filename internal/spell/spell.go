// Package spell finds the word that somebody meant.
package spell

import "iter"

// Nearest returns the candidate that is at most two edits (bytes inserted, removed or replaced) away from word, the
// first in alphabetical order of the nearest ones, or "" when none is.
func Nearest(word string, candidates iter.Seq[string]) string {
	best, found := 3, ""
	for c := range candidates {
		if d := distance(word, c); d < best || d == best && d < 3 && c < found {
			best, found = d, c
		}
	}
	return found
}

// distance is the Levenshtein distance in bytes, or a number over 2 where the lengths tell that it is larger.
func distance(a, b string) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
