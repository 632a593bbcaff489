package gateway

import (
	"net/http"
	"sync"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/inline"
)

// hashed are the routes of pages whose code is known. A route is compiled when its page is first asked for: a site may have
// thousands, and each is compared with the policies that it changes.
type hashed struct {
	none  *merlon.Route // of all other pages: no inline code runs
	pages map[string]func() *merlon.Route
}

// newHashed makes the routes, one for each set of hashes.
func newHashed(g *merlon.Guard, m *inline.Manifest) *hashed {
	h := &hashed{none: g.With("no page of the manifest", merlon.Hashes(nil, nil)), pages: map[string]func() *merlon.Route{}}
	same := map[string]func() *merlon.Route{}
	for path, page := range m.Pages {
		scripts, styles := page.Sources()
		change := merlon.Hashes(scripts, styles)
		key := string(inline.Manifest{Pages: map[string]inline.Page{"": page}}.Encode())
		if same[key] == nil {
			same[key] = sync.OnceValue(func() *merlon.Route {
				route, err := g.NewRoute("its hashes are in the manifest", change)
				if err != nil { // the manifest was checked; without hashes the page is safe
					return h.none
				}
				return route
			})
		}
		h.pages[path] = same[key]
	}
	return h
}

// handler returns next with each page's hashes in its policy. The path alone decides, before there is a response: on an error
// page under the same path, other code does not match.
func (h *hashed) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route := h.none
		if known := h.pages[r.URL.Path]; known != nil {
			route = known()
		}
		route.Handler(next).ServeHTTP(w, r)
	})
}
