//go:build !race

package merlon_test

const allocatedByRace = 0
