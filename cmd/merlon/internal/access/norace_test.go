//go:build !race

package access_test

const droppedByRace = 0
