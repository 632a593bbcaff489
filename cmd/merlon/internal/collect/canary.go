package collect

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// CanaryParam is the parameter of the report path under which canaries report: a violation that the gateway itself has put into a page,
// so that its report proves that reports of this browser arrive. The value is the canary's token.
const CanaryParam = "c"

// canaryToken returns the token in the address of a canary, "" in others.
func canaryToken(u *url.URL) string {
	if !strings.Contains(u.RawQuery, CanaryParam+"=") { // which spares nearly all the parser
		return ""
	}
	return u.Query().Get(CanaryParam)
}

// canary counts the report of a canary, once. It is no issue and in no counter of reports.
func (h *handler) canary(r *http.Request, token string) error {
	v := h.site.canaries
	if v.attests == nil || !v.attests(token) {
		h.drop(reasonCanary, 1)
		return nil
	}
	if v.count(token) == 0 {
		return nil // other images of the page, or the page from a cache
	}
	at := h.collector.now()
	return h.collector.add(r.Context(), func(b *store.Batch) { b.Canaries(h.site.name, family(r.UserAgent()), at, 0, 1) })
}

// CanarySent counts a canary that was put into a page for the browser that says to be this one. It is quick.
func (t *Tallies) CanarySent(site, userAgent string) {
	t.mu.Lock()
	t.canaries[canaryOf{site, family(userAgent)}]++
	t.mu.Unlock()
}

// canaryOf is a site and a family of browsers.
type canaryOf struct{ site, family string }

// family names the browser behind a User-Agent. Families are larger than those of [browserOf]: people are alerted when none of a family's
// canaries come back, and of few canaries none may come back by chance. Page and report have the same one.
func family(userAgent string) string {
	for _, f := range []struct{ word, family string }{{"Firefox/", "Firefox"}, {"Edg", "Edge"}, {"Chrome/", "Chrome"}, {"AppleWebKit/", "Safari"}} {
		if strings.Contains(userAgent, f.word) {
			return f.family
		}
	}
	return "other"
}
