//go:build race

package collect_test

// raced says that the race detector takes most of the memory and of the time.
const raced = true
