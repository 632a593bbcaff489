package merlontest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// Nonce demands that the policies of the page of r, enforced or on trial, carry one nonce of at least 128 bits, that the
// page's script and style elements and its stylesheet links carry the same, and that a second response has another. An element
// without it passes only where the policies let it through in all browsers anyway, by its address or its hash; at least
// one must have it. Data blocks such as <script type="application/json"> need none.
func Nonce(t testing.TB, h http.Handler, r *http.Request) {
	t.Helper()
	a := ask(h, r)
	nonce, problem := a.nonce()
	if problem != nil {
		a.fail(t, "Nonce", *problem)
		return
	}
	used := false
	for _, e := range elements(a.body) {
		if !e.active() {
			continue
		}
		if got, has := e.attribute("nonce"); has && got == nonce {
			used = true
		}
		a.mustCarry(t, nonce, &e)
	}
	if !used {
		a.fail(t, "Nonce", failure{"a page without a script, style or stylesheet that carries it", `one element with nonce="` + nonce + `"`, printNonce})
	}
	second := ask(h, r)
	if again, _ := second.nonce(); again == nonce {
		a.fail(t, "Nonce", failure{"the nonce " + nonce + " in two responses", "another one each time", "make it in each request, and keep no copy of the page: merlon.Nonce(r.Context())"})
	}
}

const printNonce = `print <script nonce="{{nonce}}"> by merlon.TemplateFuncs(r.Context()), or merlon.Nonce(r.Context())`

// nonce returns the one nonce of the response's policies, or what is wrong with it.
func (a *answer) nonce() (string, *failure) {
	var found []string
	for _, p := range a.list.Policies(csp.Spec) {
		for _, d := range p.Directives {
			for _, word := range d.Value {
				if s := csp.ParseSource(word); csp.HasSources(d.Name) && s.Kind == csp.NonceSource && !slices.Contains(found, s.Word) {
					found = append(found, s.Word)
				}
			}
		}
	}
	got := a.lines("Content-Security-Policy") + nextLine + a.lines("Content-Security-Policy-Report-Only")
	switch {
	case a.header.Get("Content-Encoding") != "":
		return "", &failure{"a body in the encoding " + a.header.Get("Content-Encoding"), "plain text", "take Accept-Encoding out of the request"}
	case len(found) == 0:
		return "", &failure{got, "'nonce-...' in a policy", "put the guard around the outermost handler, with 'nonce' in merlon.Config.CSP, and request a page of HTML"}
	case len(found) > 1:
		return "", &failure{got, "one nonce", "make it in one place alone: no element can carry two"}
	case !unguessable(found[0]):
		return "", &failure{fmt.Sprintf("the nonce %q", found[0]), "128 random bits or more, 22 characters of base64", "use merlon.Nonce, or crypto/rand with 16 bytes"}
	}
	return found[0], nil
}

// unguessable reports whether a nonce is long enough. https://www.w3.org/TR/CSP3/#security-nonces
func unguessable(nonce string) bool {
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(nonce, "="))
	bits, err := base64.RawStdEncoding.DecodeString(standard)
	if err != nil { // hexadecimal text of an odd length, for one
		return len(nonce) >= 32
	}
	return len(bits) >= 16
}

// active reports whether policies look at the element: stylesheets, and scripts that are no data blocks.
// https://html.spec.whatwg.org/#prepare-the-script-element
func (e *element) active() bool {
	switch e.name {
	case "link":
		rel, _ := e.attribute("rel")
		_, loads := e.attribute("href")
		return loads && slices.Contains(strings.Fields(lower(rel)), "stylesheet")
	case "script":
		kind, has := e.attribute("type")
		return !has || kind == "" || runs(lower(strings.Trim(kind, space)))
	}
	return true
}

// runs reports whether a script of the type is one. https://mimesniff.spec.whatwg.org/#javascript-mime-type-essence-match
func runs(kind string) bool {
	switch kind {
	case "module", "importmap", "speculationrules", "text/jscript", "text/livescript":
		return true
	}
	major, minor, _ := strings.Cut(kind, "/")
	version, versioned := strings.CutPrefix(kind, "text/javascript1.")
	minor = strings.TrimPrefix(minor, "x-")
	return (major == "text" || major == "application") && (minor == "javascript" || minor == "ecmascript") ||
		versioned && len(version) == 1 && version[0] <= '5'
}

func (a *answer) mustCarry(t testing.TB, nonce string, e *element) {
	t.Helper()
	carried, has := e.attribute("nonce")
	switch {
	case has && carried != nonce:
		a.fail(t, "Nonce", failure{fmt.Sprintf("%s with the nonce %q", e, carried), nonce + ", as in the policy", printNonce})
	case !a.stops(e):
	case has:
		a.fail(t, "Nonce", failure{fmt.Sprintf("%s, whose nonce does not count", e), "an element that the policies let through",
			"write each attribute once and no <script or <style into one, and put the nonce into script-src and style-src"})
	default:
		a.fail(t, "Nonce", failure{fmt.Sprintf("%s without a nonce", e), `nonce="` + nonce + `"`, printNonce})
	}
}

// stops reports whether a policy, enforced or on trial, stops the element in some browser.
func (a *answer) stops(e *element) bool {
	for m := csp.Chromium; m <= csp.WebKit; m++ {
		if d := a.decide(m, e); len(d.Violations()) > 0 {
			return true
		}
	}
	return false
}

func (a *answer) decide(m csp.Mode, e *element) csp.Decision {
	nonce, _ := e.attribute("nonce")
	kind, destination, source := csp.InlineScript, "script", "src"
	switch e.name {
	case "style":
		kind, source = csp.InlineStyle, ""
	case "link":
		destination, source = "style", "href"
	}
	address, external := e.attribute(source)
	if !external {
		return a.list.Inline(m, &csp.Inline{Type: kind, Content: e.text, Element: e.name, Nonce: nonce, Attributes: e.attributes, Duplicate: e.duplicate, ParserInserted: true})
	}
	u, err := a.url().Resolve(address)
	if err != nil { // browsers load nothing
		return csp.Decision{}
	}
	integrity, _ := e.attribute("integrity")
	return a.list.Request(m, a.url().Origin(), &csp.Request{URL: a.list.Upgrade(m, u), Destination: destination, Nonce: nonce, Integrity: integrity, ParserInserted: true})
}

// String shows the element's tag, without its nonce.
func (e *element) String() string {
	var b strings.Builder
	b.WriteString("<" + e.name)
	for _, attr := range e.attributes {
		if attr[0] != "nonce" {
			fmt.Fprintf(&b, " %s=%q", attr[0], attr[1])
		}
	}
	return b.String() + ">"
}
