// Package faults has nothing but tests: of what the gateway does when clients and applications do what they should not. It runs as a
// process of its own, whose descriptors, memory and goroutines are counted before, meanwhile and after. docs/limits.md has what was seen.
package faults
