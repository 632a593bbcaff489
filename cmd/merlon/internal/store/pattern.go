package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Limits of a pattern: SQLite's time to match one grows with each star.
const (
	maxPattern = 2048 // bytes
	maxStars   = 6
)

// pattern says which texts hold a URL: in the form of SQLite's GLOB, in which * stands for anything.
type pattern struct {
	whole  []string // the texts themselves
	within []string // texts that hold it somewhere
	routes []string // routes of documents, which have no origin
}

// parsePattern reads an origin (https://a.example), a path (/account/*) or both (https://a.example/account/*).
func parsePattern(text string) (pattern, error) {
	switch {
	case len(text) > maxPattern:
		return pattern{}, fmt.Errorf("a pattern of %d bytes: use at most %d", len(text), maxPattern)
	case strings.Count(text, "*") > maxStars:
		return pattern{}, fmt.Errorf("pattern %q has %d stars: use at most %d", text, strings.Count(text, "*"), maxStars)
	case strings.HasPrefix(text, "/"):
		if strings.Trim(text, "/*") == "" {
			return pattern{}, fmt.Errorf("pattern %q stands for all paths: name one, or purge the site", text)
		}
		path := escapeGlob(text)
		return pattern{whole: places(path), within: within(path), routes: []string{path}}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Contains(u.Host, "*") {
		return pattern{}, errors.Join(fmt.Errorf("pattern %q: write an origin (https://a.example), a path (/account/*) or both, without query", text), err)
	}
	origin := escapeGlob(strings.ToLower(u.Scheme + "://" + u.Host))
	_, path, _ := strings.Cut(text[len(u.Scheme)+3:], "/")
	if path == "" {
		return pattern{whole: append(places(origin), origin+"/*"), within: within(origin)}, nil
	}
	path = escapeGlob("/" + path)
	return pattern{whole: places(origin + path), within: within(origin + path), routes: []string{path}}, nil
}

// places are a text and the text with a line: /app.js:10.
func places(glob string) []string { return []string{glob, glob + ":*"} }

// within are the texts that hold one which does not go on there, also as it stands in JSON.
func within(glob string) []string {
	const end = "[^A-Za-z0-9._~%-]*"
	list := []string{"*" + glob + end}
	quoted, err := json.Marshal(glob)
	if escaped := strings.Trim(string(quoted), `"`); err == nil && escaped != glob {
		list = append(list, "*"+escaped+end)
	}
	return list
}

// escapeGlob leaves * its meaning and takes that of ? and [ away.
func escapeGlob(text string) string { return strings.NewReplacer("[", "[[]", "?", "[?]").Replace(text) }

// matches is the condition that an expression matches one of globs, and its arguments.
func matches(expression string, globs []string) (string, []any) {
	if len(globs) == 0 {
		return "0", nil
	}
	var c conditions
	for _, g := range globs {
		c.add(expression+" GLOB ?", g)
	}
	return "(" + strings.Join(c.texts, " OR ") + ")", c.args
}
