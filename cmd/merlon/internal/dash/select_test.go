package dash_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// find returns the elements that match a selector: words separated by spaces, each an element name, a .class or both
// (td.what), each word inside the one before.
func find(root *html.Node, selector string) []*html.Node {
	found := []*html.Node{root}
	for _, word := range strings.Fields(selector) {
		var next []*html.Node
		for _, n := range found {
			for d := range n.Descendants() {
				if matches(d, word) && !slices.Contains(next, d) {
					next = append(next, d)
				}
			}
		}
		found = next
	}
	return found
}

func matches(n *html.Node, word string) bool {
	name, class, _ := strings.Cut(word, ".")
	return n.Type == html.ElementNode && (name == "" || n.Data == name) &&
		(class == "" || slices.Contains(strings.Fields(attr(n, "class")), class))
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// text is the text under a node, with runs of space as one.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// texts are the texts of all elements that match.
func texts(root *html.Node, selector string) []string {
	var all []string
	for _, n := range find(root, selector) {
		all = append(all, text(n))
	}
	return all
}

// wantText fails unless an element that matches has exactly this text.
func wantText(t *testing.T, root *html.Node, selector, want string) {
	t.Helper()
	if got := texts(root, selector); !slices.Contains(got, want) {
		t.Errorf("%s: got %q, want one to be %q", selector, got, want)
	}
}
