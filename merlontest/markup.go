package merlontest

import (
	"html"
	"strings"
)

// element is a start tag of HTML that can bring in a script or a style, with the text up to its end tag if it is raw.
type element struct {
	name       string
	attributes [][2]string // names in lower case, in the order of the markup, the first of each name
	duplicate  bool        // an attribute stood there twice
	text       string
}

func (e *element) attribute(name string) (value string, ok bool) {
	for _, a := range e.attributes {
		if a[0] == name {
			return a[1], true
		}
	}
	return "", false
}

// raw are the elements whose content is text. That of noscript is markup for browsers without JavaScript, which obey
// policies too. https://html.spec.whatwg.org/#parsing-main-inhead
var raw = map[string]bool{"script": true, "style": true, "textarea": true, "title": true, "xmp": true, "iframe": true, "noembed": true, "noframes": true}

// elements finds the script, style and link elements of a page as a browser's tokenizer does; what the tree builder does
// besides, such as CDATA sections in SVG, it passes over. https://html.spec.whatwg.org/#tokenization
func elements(page string) []element {
	var out []element
	for {
		i := strings.IndexByte(page, '<')
		if i < 0 {
			return out
		}
		page = page[i+1:]
		switch {
		case strings.HasPrefix(page, "!--"):
			page = afterComment(page[len("!--"):])
		case startsTag(page):
			var e element
			e, page = startTag(page)
			if e.name == "plaintext" {
				return out
			}
			if raw[e.name] {
				e.text, page = rawText(page, e.name)
			}
			if e.name == "script" || e.name == "style" || e.name == "link" {
				out = append(out, e)
			}
		case strings.HasPrefix(page, "/") && startsTag(page[1:]):
			_, page = startTag(page[1:])
		case page != "" && strings.IndexByte("!?/", page[0]) >= 0:
			_, page, _ = strings.Cut(page, ">")
		}
	}
}

func startsTag(s string) bool { return s != "" && s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z' }

// afterComment returns what follows a comment, given what follows its "<!--".
func afterComment(s string) string {
	if strings.HasPrefix(s, ">") {
		return s[1:]
	}
	if strings.HasPrefix(s, "->") {
		return s[2:]
	}
	end, length := strings.Index(s, "-->"), len("-->")
	if bang := strings.Index(s[:max(end, 0)], "--!>"); bang >= 0 {
		end, length = bang, len("--!>")
	} else if end < 0 {
		end, length = strings.Index(s, "--!>"), len("--!>")
	}
	if end < 0 {
		return ""
	}
	return s[end+length:]
}

const space = " \t\n\f\r"

// startTag reads a tag from its name on and returns what follows its ">". At the end of the page a tag without it is none.
func startTag(s string) (e element, rest string) {
	n := strings.IndexAny(s, space+"/>")
	if n < 0 {
		return element{}, ""
	}
	name, s := lower(s[:n]), s[n:]
	for {
		s = strings.TrimLeft(s, space+"/")
		if s == "" {
			return element{}, ""
		}
		if s[0] == '>' {
			e.name = name
			return e, s[1:]
		}
		var key, value string
		key, value, s = attribute(s)
		if _, twice := e.attribute(key); twice {
			e.duplicate = true
		} else {
			e.attributes = append(e.attributes, [2]string{key, value})
		}
	}
}

// attribute reads one attribute; a "=" in front belongs to its name.
func attribute(s string) (name, value, rest string) {
	n := strings.IndexAny(s[1:], space+"/>=")
	if n < 0 {
		return lower(s), "", ""
	}
	name, s = lower(s[:n+1]), s[n+1:]
	rest, ok := strings.CutPrefix(strings.TrimLeft(s, space), "=")
	if !ok {
		return name, "", s
	}
	rest = strings.TrimLeft(rest, space)
	switch {
	case rest == "":
		return name, "", ""
	case rest[0] == '"' || rest[0] == '\'':
		value, rest, ok = strings.Cut(rest[1:], rest[:1])
		if !ok {
			return name, "", "" // the quote never ends: neither does the tag
		}
	case rest[0] != '>':
		n = strings.IndexAny(rest, space+">")
		if n < 0 {
			return name, "", ""
		}
		value, rest = rest[:n], rest[n:]
	}
	return name, html.UnescapeString(value), rest
}

// rawText splits the content of an element of raw text from what follows its end tag.
func rawText(s, name string) (text, rest string) {
	end := endOf(s, name)
	if end < 0 {
		return s, ""
	}
	_, rest = startTag(s[end+len("</"):])
	return s[:end], rest
}

// endOf returns where the end tag of an element of raw text begins, or -1. In scripts, between "<!--" and "-->", a "<script"
// makes the next "</script" part of the text. https://html.spec.whatwg.org/#script-data-double-escape-start-state
func endOf(s, name string) int {
	inComment, inScript := false, false
	for i := 0; i < len(s); i++ {
		switch rest := s[i:]; {
		case inComment && strings.HasPrefix(rest, "-->"):
			inComment, inScript = false, false
		case rest[0] != '<':
		case name == "script" && !inComment && strings.HasPrefix(rest, "<!--"):
			inComment = true
			i++ // "<!-->" is a whole comment
		case beginsTag(rest, "</"+name) && !inScript:
			return i
		case beginsTag(rest, "</"+name):
			inScript = false
		case inComment && beginsTag(rest, "<"+name):
			inScript = true
		}
	}
	return -1
}

func beginsTag(s, begin string) bool {
	n := len(begin)
	return len(s) > n && strings.EqualFold(s[:n], begin) && strings.IndexByte(space+"/>", s[n]) >= 0
}

// lower folds A to Z alone, as HTML does.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
