// Package merlon sends HTTP security headers from Go programs, and knows what browsers do with them.
//
// A [Config] says what a site wants; [New] checks all of it and compiles a [Guard]; the Guard wraps the program's
// outermost handler, once:
//
//	guard, err := merlon.New(merlon.Strict())
//	if err != nil {
//		log.Fatal(err) // every mistake at once, each with its field and the way out
//	}
//	srv.Handler = guard.Handler(mux)
//
// Headers go on at the moment when a response's final status goes out, so they are on errors, redirects and streamed
// responses too, and a header that the handler has set is kept. A route that must differ says so with a reason:
//
//	mux.Handle("GET /widget/", guard.With("contract 114", merlon.FrameBy("https://partner.example")).Handler(widget))
//
// The package has no dependencies, starts no goroutines and keeps no global state.
package merlon
