//go:build !race

package collect_test

const raced = false
