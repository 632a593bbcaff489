package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// plain reports whether the request names a path of this server in a way that the application reads as well. Go takes
// "x:http://other/" for a URL without a path, and forwards it as it came; a path with bytes that belong into no URL is
// encoded anew, which would make a real slash of %2f. Over HTTP/2 it takes a URL for a path, anything for a method, and
// of two lengths or hosts the first (RFC 9113 §8.3.1 wants none of it); over HTTP/1.1 it refuses those itself.
func plain(r *http.Request) bool {
	u, hosts := r.URL, r.Header["Host"]
	return u.Opaque == "" && strings.HasPrefix(u.Path, "/") && (u.RawPath == "" || u.EscapedPath() == u.RawPath) &&
		(u.Scheme == "" || r.ProtoMajor == 1 && ofServer(u)) && !strings.Contains(u.RawQuery, "#") &&
		r.Method != http.MethodConnect && r.Method != http.MethodTrace && isToken(r.Method) &&
		oneLength(r.Header["Content-Length"]) && (len(hosts) == 0 || len(hosts) == 1 && hosts[0] == r.Host)
}

// isLast reports whether the connection ends after the answer. Go reads a request with chunks and a length by its chunks, and
// over HTTP/1.0 chunks as nothing, and tells nobody: where the server in front read it in the other way, what follows on the
// connection was made by whoever made the body (RFC 9112 §6.1 and §6.3).
func isLast(r *http.Request) bool {
	return r.ProtoMajor == 1 && (r.ProtoMinor == 0 || len(r.TransferEncoding) > 0)
}

// oneLength reports whether the values of Content-Length, if any, say one thing to every reader.
func oneLength(values []string) bool {
	return len(values) == 0 || len(values) == 1 && isNumber(values[0])
}

// isToken reports whether s is a token (RFC 9110 §5.6.2), which the names of headers are too.
func isToken(s string) bool { return httpguts.ValidHeaderFieldName(s) }

func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || '9' < s[i] {
			return false
		}
	}
	return s != ""
}

// ofServer reports whether a target that is a whole URL names a server of the web, and no user there.
func ofServer(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}
