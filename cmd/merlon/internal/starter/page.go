package starter

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
)

// readPage counts what a strict policy would block on a page, and finds policies that stand in the page itself.
func (s *site) readPage(body []byte) {
	var scripts, handlers, styles, policies int
	for z := html.NewTokenizer(bytes.NewReader(body)); z.Next() != html.ErrorToken; {
		t := z.Token()
		if t.Type != html.StartTagToken && t.Type != html.SelfClosingTagToken {
			continue
		}
		has := func(name string) (value string, ok bool) {
			for _, a := range t.Attr {
				if a.Key == name {
					return a.Val, true
				}
			}
			return "", false
		}
		_, nonced := has("nonce")
		if t.Data == "script" && !nonced {
			scripts++
		}
		if _, styled := has("style"); styled || t.Data == "style" && !nonced {
			styles++
		}
		for _, a := range t.Attr {
			if strings.HasPrefix(a.Key, "on") {
				handlers++
			}
		}
		if v, _ := has("http-equiv"); t.Data == "meta" && strings.EqualFold(v, "content-security-policy") {
			policies++
		}
	}
	if scripts+handlers+styles > 0 {
		s.at("trial").note("On the page that was fetched the strict preset would report %d script elements without a nonce, %d handlers such as onclick=, and %d styles.", scripts, handlers, styles)
	}
	if policies > 0 {
		s.at("csp").note("The page has a policy of its own in a meta element. It stays, and browsers enforce it besides this one.")
	}
}
