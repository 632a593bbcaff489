// Package csp measures the engine beside others. See scripts/bench.
package csp

import (
	"os"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// BenchmarkParse reads every policy of policies.txt once, each source expression included.
func BenchmarkParse(b *testing.B) {
	data, err := os.ReadFile("policies.txt")
	if err != nil {
		b.Fatal(err)
	}
	policies := strings.Split(strings.TrimSpace(string(data)), "\n")
	for b.Loop() {
		for _, p := range policies {
			csp.Parse(p)
		}
	}
}
