// Package inline finds the code that stands in HTML pages, and keeps the hashes of it: a manifest says for each page which
// code is its own.
package inline

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// Kind says what a policy has to do with a piece of code.
type Kind int

const (
	Script    Kind = iota // the text of a script element that runs
	Data                  // the text of a script element that is only data, which no policy looks at
	Style                 // the text of a style element
	Handler               // an event handler
	StyleAttr             // a style attribute
	URL                   // a javascript: URL
	Integrity             // the integrity attribute of an external script, which counts as its hash
)

// Code is a piece of code in a page.
type Code struct {
	Kind  Kind
	Where string // the element, and the attribute if that is where it stands: <button onclick>
	Text  string // as browsers hash it
}

// MaxPageBytes bounds a page.
const MaxPageBytes = 64 << 20

// Parse reads a page as a browser that runs scripts does. It refuses pages that are not in UTF-8, whose code browsers hash
// in another form than it has here.
func Parse(r io.Reader) ([]Code, error) {
	page, err := io.ReadAll(io.LimitReader(r, MaxPageBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(page) > MaxPageBytes:
		return nil, fmt.Errorf("the page is over the limit of %d bytes", MaxPageBytes)
	case !utf8.Valid(page):
		return nil, errors.New("the page is not in UTF-8")
	}
	root, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		return nil, err
	}
	var out []Code
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			out = append(out, codeOf(n)...)
		}
	}
	return out, nil
}

func codeOf(n *html.Node) []Code {
	var out []Code
	external, _ := attribute(n, "src")
	switch integrity, checked := attribute(n, "integrity"); {
	case n.Data == "script" && external != "" && checked:
		out = append(out, Code{Integrity, "<script integrity>", integrity})
	case n.Data == "script" && external == "" && n.FirstChild != nil && runs(n):
		out = append(out, Code{Script, "<script>", text(n)})
	case n.Data == "script" && external == "" && n.FirstChild != nil:
		out = append(out, Code{Data, "<script>", text(n)})
	case n.Data == "style" && n.FirstChild != nil:
		out = append(out, Code{Style, "<style>", text(n)})
	}
	for _, a := range n.Attr {
		where := "<" + n.Data + " " + a.Key + ">"
		switch {
		case strings.HasPrefix(a.Key, "on"):
			out = append(out, Code{Handler, where, a.Val})
		case a.Key == "style":
			out = append(out, Code{StyleAttr, where, a.Val})
		case takesURL[a.Key] && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:"):
			out = append(out, Code{URL, where, strings.TrimSpace(a.Val)})
		}
	}
	return out
}

var takesURL = map[string]bool{"href": true, "action": true, "formaction": true, "src": true}

// runs reports whether a script element is more than data: https://html.spec.whatwg.org/multipage/scripting.html#attr-script-type
func runs(n *html.Node) bool {
	kind, typed := attribute(n, "type")
	kind = strings.ToLower(strings.Trim(kind, " \t\n\f\r"))
	switch kind {
	case "":
		language, spoken := attribute(n, "language")
		return typed || !spoken || language == "" || strings.Contains(strings.ToLower(language), "script")
	case "module", "importmap", "speculationrules":
		return true
	}
	return strings.HasSuffix(kind, "script") || strings.HasPrefix(kind, "text/javascript1.") // more than browsers run; a hash too many does no harm
}

func attribute(n *html.Node, key string) (value string, there bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(c.Data)
	}
	return b.String()
}
