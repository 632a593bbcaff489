package policyfile

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// NoiseRule is a noise rule of a site's own: it labels the reports that fit each list which is not empty, and in it one entry.
type NoiseRule struct {
	ID     string
	Reason string

	Directives []string // globs of the effective directive
	Blocked    []string // globs of what was blocked, without the scheme of URLs
	Sources    []string // globs of the script behind it, of the same form; one of the site itself begins with a slash
	Samples    []string // beginnings of the sample
	Pages      []string // globs of the page's path
	Agents     []string // parts of the User-Agent
}

// The bounds of own rules: each report is held against all of them.
const (
	maxNoiseRules   = 100 // of a site
	maxNoiseEntries = 20  // of one key
	maxNoiseAgents  = 32  // of all rules of a site
	maxNoiseText    = 200 // bytes of an entry
	maxNoiseStars   = 5   // in an entry
	maxNoiseReason  = 300 // bytes
)

const noiseHint = `write noise: [{id: old-tag, blocked: "*.tags.example", reason: goes in March}]`

var noiseID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// noise reads a site's own noise rules.
func (r *reader) noise(v any, at string) []NoiseRule {
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		r.wrong(at, cfgerrors.WrongType, "", "noise is a list of rules", noiseHint)
		return nil
	}
	if len(list) > maxNoiseRules {
		r.wrong(at, cfgerrors.InvalidValue, fmt.Sprint(len(list)), fmt.Sprintf("a site has at most %d rules", maxNoiseRules), "put several globs into one rule")
		return nil
	}
	var rules []NoiseRule
	seen, agents := map[string]bool{}, 0
	for i, item := range list {
		path := fmt.Sprintf("%s[%d]", at, i)
		rule := r.noiseRule(item, path)
		if seen[rule.ID] && rule.ID != "" {
			r.wrong(under(path, "id"), cfgerrors.Conflict, rule.ID, "another rule has this id already", "")
		}
		if agents += len(rule.Agents); agents > maxNoiseAgents {
			r.wrong(under(path, "agent"), cfgerrors.InvalidValue, "", fmt.Sprintf("the rules of a site name at most %d agents", maxNoiseAgents), "")
			return nil
		}
		seen[rule.ID] = true
		rules = append(rules, rule)
	}
	return rules
}

func (r *reader) noiseRule(item any, at string) (rule NoiseRule) {
	keys := r.keys(item, at, noiseHint, noiseKeys)
	if keys == nil {
		return rule
	}
	rule.ID, rule.Reason = r.text(keys, at, "id"), r.text(keys, at, "reason")
	if !noiseID.MatchString(rule.ID) {
		r.wrong(under(at, "id"), cfgerrors.InvalidValue, rule.ID, "a rule has an id of up to 40 small letters, digits and hyphens", "write id: old-tag")
	}
	if !strings.ContainsFunc(rule.Reason, unicode.IsLetter) || len(rule.Reason) > maxNoiseReason || !printable(rule.Reason) {
		r.wrong(under(at, "reason"), cfgerrors.ReasonMissing, "", fmt.Sprintf("a rule says in up to %d bytes why this is noise", maxNoiseReason), "write reason: the old tag, goes in March")
	}
	lists := map[string]*[]string{"directive": &rule.Directives, "blocked": &rule.Blocked, "source": &rule.Sources, "sample": &rule.Samples, "page": &rule.Pages, "agent": &rule.Agents}
	none := true
	for _, key := range noiseKeys.names() {
		if list, here := lists[key]; here && keys[key] != nil {
			*list, none = r.noiseEntries(keys[key], under(at, key), key), false
		}
	}
	if none {
		r.wrong(at, cfgerrors.Missing, "", "a rule without blocked, source, sample, page, directive or agent would label every report", noiseHint)
	}
	return rule
}

// noiseEntries reads one text or a list of them.
func (r *reader) noiseEntries(v any, at, key string) (out []string) {
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	if len(list) == 0 || len(list) > maxNoiseEntries {
		r.wrong(at, cfgerrors.WrongType, "", fmt.Sprintf("this key takes a text, or a list of up to %d", maxNoiseEntries), "")
		return nil
	}
	for i, item := range list {
		path := at
		if isList {
			path = fmt.Sprintf("%s[%d]", at, i)
		}
		text, isText := item.(string)
		entry, why, hint := noiseEntry(key, text)
		if !isText {
			why = "this key takes texts"
		}
		if why != "" {
			r.wrong(path, cfgerrors.InvalidValue, fmt.Sprint(item), why, hint)
			continue
		}
		out = append(out, entry)
	}
	return out
}

// noiseEntry returns an entry in the form that reports are held against, or why it is none and what to write.
func noiseEntry(key, text string) (entry, why, hint string) {
	switch {
	case len(text) > maxNoiseText || !printable(text):
		return "", fmt.Sprintf("an entry has up to %d bytes that can be shown", maxNoiseText), ""
	case strings.Trim(text, "* ") == "":
		return "", "this would fit every report", `name something, such as "*.tags.example"`
	case strings.Count(text, "*") > maxNoiseStars:
		return "", fmt.Sprintf("an entry has at most %d stars", maxNoiseStars), ""
	}
	switch key {
	case "directive":
		return strings.ToLower(text), "", ""
	case "sample":
		entry, hint = strings.TrimSuffix(text, "*"), "write its first characters as they are; a star may stand at the end"
	case "agent":
		entry, hint = strings.Trim(text, "*"), "write a part of the User-Agent as it is"
	case "page":
		if !strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "*") || strings.Contains(text, "?") {
			return "", "a page is told by its path", `write page: "/checkout/*"`
		}
		return text, "", ""
	default:
		return noiseAddress(key, text)
	}
	if strings.Contains(entry, "*") {
		return "", "no star stands within this one", hint
	}
	return entry, "", ""
}

// noiseAddress checks a glob of URLs. Hosts are compared in small letters.
func noiseAddress(key, text string) (entry, why, hint string) {
	if strings.Contains(text, "://") || strings.HasPrefix(text, "//") {
		_, rest, _ := strings.Cut(text, "//")
		return "", "addresses stand here without their scheme", "write " + rest
	}
	if key == "blocked" && strings.HasPrefix(text, "/") {
		return "", "what was blocked is told by its host first", `write blocked: "shop.example` + text + `"`
	}
	end := strings.IndexByte(text, '/')
	if end < 0 {
		end = len(text)
	}
	switch host := text[:end]; {
	case strings.Contains(host, "?"):
		return "", "a query stands behind a path", "write " + strings.Replace(text, "?", "/?", 1)
	case strings.ContainsFunc(host, func(c rune) bool { return c > '~' }):
		return "", "a host is written as browsers send it", "write its letters beyond ASCII as xn--…"
	default:
		return strings.ToLower(host) + text[end:], "", ""
	}
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
}
