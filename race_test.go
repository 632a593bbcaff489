//go:build race

package merlon_test

// The race detector makes crypto/rand allocate its argument.
const allocatedByRace = 1
