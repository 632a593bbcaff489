package certs

import "time"

// Pauses is how long the pauses after such failures in a row are.
func Pauses(errs ...error) []time.Duration {
	var f failures
	out := make([]time.Duration, len(errs))
	for i, err := range errs {
		out[i] = f.pause(err)
	}
	return out
}

// Due, Folder and Advice are what the package uses.
var (
	Due    = due
	Folder = folder
	Advice = (*Keeper).advice
)
