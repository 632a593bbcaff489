//go:build race

package access_test

// Under the race detector sync.Pool, where log/slog has its buffers, drops things at random.
const droppedByRace = 5
