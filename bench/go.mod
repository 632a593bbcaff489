// Benchmarks against other people's code. A module of its own, and not in go.work, because the modules of a
// workspace share the versions of their dependencies: what is measured here must not choose what the tool is built with.
module github.com/merlon-sec/merlon/bench

go 1.26.0

replace github.com/merlon-sec/merlon => ..

require (
	github.com/merlon-sec/merlon v0.0.0
	github.com/unrolled/secure v1.17.0
	modernc.org/sqlite v1.60.1
)

require (
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/ncruces/go-strftime v1.0.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	golang.org/x/sys v0.48.0 // indirect
	modernc.org/libc v1.77.1 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
)
