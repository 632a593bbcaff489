package gateway_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
)

// What the application sends without a type has none for the client either. net/http would look at the body and call it HTML,
// so that an upload which browsers take for text, because of nosniff, becomes a page with scripts.
func TestTypesAreNotGuessed(t *testing.T) {
	untyped := func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		w.WriteHeader(http.StatusEarlyHints)
		io.WriteString(w, "<!doctype html><script>evil()</script>")
	}
	for name, edit := range map[string]func(*gateway.Site){"forward": func(*gateway.Site) {}, "placeholder": withPlaceholder, "inject": injecting} {
		addr := serve(t, merlon.Compat(), untyped, edit)
		client := &http.Client{Transport: &http.Transport{Protocols: new(http.Protocols)}}
		client.Transport.(*http.Transport).Protocols.SetUnencryptedHTTP2(true)
		for _, c := range []*http.Client{http.DefaultClient, client} {
			res, err := c.Get("http://" + addr)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if kind, there := res.Header["Content-Type"]; there || res.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s, %s: Content-Type is %q beside %q", name, res.Proto, kind, res.Header["X-Content-Type-Options"])
			}
			c.CloseIdleConnections()
		}
	}
}
