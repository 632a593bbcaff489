package demo

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// lenient routes by the path that lenientPath makes of the request's, and not
// by the path as it was sent.
//
// This is the weakness on purpose that makes a rule for /widget/ dangerous: a
// proxy that compares the path as sent sees /widget/..%2fadmin below /widget/
// and applies the widget's looser rule, and the application serves /admin.
func lenient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r2 := new(http.Request)
		*r2 = *r
		r2.URL = &url.URL{Path: lenientPath(r.URL.Path), RawQuery: r.URL.RawQuery}
		next.ServeHTTP(w, r2)
	})
}

// lenientPath takes a decoded path and does to it what servers in wide use do,
// all at once: nginx decodes %2f, resolves dot segments and merges slashes
// before it picks a location; IIS takes a backslash for a slash; Tomcat cuts
// ";parameters" off each segment, so that "..;" is "..".
func lenientPath(decoded string) string {
	segments := strings.Split(strings.ReplaceAll(decoded, `\`, "/"), "/")
	for i, s := range segments {
		segments[i], _, _ = strings.Cut(s, ";")
	}
	return path.Clean("/" + strings.Join(segments, "/"))
}
