// Benchmarks against other people's code. A module of its own, and not in go.work, because the modules of a
// workspace share the versions of their dependencies: what is measured here must not choose what the tool is built with.
module github.com/merlon-sec/merlon/bench

go 1.26.0

replace github.com/merlon-sec/merlon => ..

require (
	github.com/merlon-sec/merlon v0.0.0
	github.com/unrolled/secure v1.17.0
)
