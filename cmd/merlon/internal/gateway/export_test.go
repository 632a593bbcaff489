package gateway

// Mended feeds a connection's bytes to what looks at the headers of requests, and returns of each whole header whether net/http mends it.
func Mended(pieces ...[]byte) []bool {
	var h heads
	for _, p := range pieces {
		h.see(p)
	}
	return h.verdict
}
