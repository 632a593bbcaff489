// Package gateway is the reverse proxy that puts a Guard in front of applications in any language.
//
// A request goes through these, from the outside in, and the response to it through the same from the inside out:
//
//	Watch         sees the bytes of each header before net/http mends it                          heads.go
//	Gateway       finds the site that has the host; refuses what servers read in different ways   gateway.go, plain.go
//	site          finds the route, and with it the application                                    site.go
//	observed      tells the request's record whose it is                                           observe.go
//	canarying     draws the pages that get a canary                                                canary.go
//	guarded       is a handler inside the Guard, which puts the headers on                        site.go
//	recovering    answers where a handler panics                                                  errors.go
//	hashed        names the hashes of the page for its policy                                     hashes.go
//	page          refuses a request with the placeholder, rewrites the response                   nonce.go, secret.go, page.go, outlet.go
//	answer        waits for the client, does what the application asks for where it may           answer.go
//	proxy         says who the client is, checks the response, makes pages for errors             proxy.go, request.go, errors.go
//	timed         tells the record how long the application took                                  observe.go
//	upstreams     have the connections to the application                                         upstreams.go
//
// Of these, hashed and page are there only where the application's [Nonce] wants them. Bodies are bounded in time on both ways: incoming
// is a request's (body.go), by the deadlines of the client's connection (stall.go), and a response's is bounded by those of the
// application's connection (transport.Pool), or by a timer over net/http's transport (watched, in body.go). What headers and entity
// tags say of a page that was changed is in representation.go and tags.go.
package gateway
