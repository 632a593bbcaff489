package policyfile

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// NoiseRule says which of a site's reports are labelled as noise. A report matches each list that is not empty, and in it one entry. In
// Blocked, Source and Page * stands for any characters.
type NoiseRule struct {
	ID        string
	Reason    string   // in words
	Blocked   []string // what was blocked: a host, a host with a path, a scheme with its colon
	Source    []string // the script behind it, of the same form, or a path of the site
	Sample    []string // how the sample begins
	Page      []string // the path of the document
	Directive []string // the effective directive
	Agent     []string // a word in the User-Agent
}

// The bounds of a site's noise rules: each report is held against them.
const (
	maxNoiseRules   = 100
	maxNoiseEntries = 50  // of one key
	maxNoiseText    = 200 // bytes
	maxNoiseAgents  = 30  // of all rules of a site
)

const noiseHint = `write noise: [{id: tag-manager, blocked: "*.tags.example", reason: the shop does without it}]`

var noiseID = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// lists names the matchers as policy files do.
func (n *NoiseRule) lists() map[string]*[]string {
	return map[string]*[]string{"blocked": &n.Blocked, "source": &n.Source, "sample": &n.Sample, "page": &n.Page, "directive": &n.Directive, "agent": &n.Agent}
}

func (r *reader) noise(v any, path string) []NoiseRule {
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 || len(list) > maxNoiseRules {
		r.wrong(path, cfgerrors.WrongType, "", fmt.Sprintf("noise is a list of 1 to %d rules", maxNoiseRules), noiseHint)
		return nil
	}
	var out []NoiseRule
	seen, agents := map[string]bool{}, 0
	for i, item := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		rule := r.noiseRule(item, at)
		if rule.ID != "" && seen[rule.ID] {
			r.wrong(under(at, "id"), cfgerrors.Conflict, rule.ID, "another rule of the site has this id already", "")
		}
		seen[rule.ID] = true
		if agents += len(rule.Agent); agents > maxNoiseAgents && len(rule.Agent) > 0 {
			r.wrong(under(at, "agent"), cfgerrors.InvalidValue, "", fmt.Sprintf("the rules of a site have more than %d words of browsers", maxNoiseAgents), "one word may stand for a family of browsers")
		}
		out = append(out, rule)
	}
	return out
}

func (r *reader) noiseRule(v any, at string) NoiseRule {
	var rule NoiseRule
	keys := r.keys(v, at, noiseHint, noiseKeys)
	if keys == nil {
		return rule
	}
	rule.ID, rule.Reason = r.text(keys, at, "id"), r.text(keys, at, "reason")
	if !noiseID.MatchString(rule.ID) {
		r.wrong(under(at, "id"), cfgerrors.InvalidValue, rule.ID, "the id of a rule is 1 to 40 small letters, digits and hyphens", noiseHint)
	}
	if !strings.ContainsFunc(rule.Reason, unicode.IsLetter) || len(rule.Reason) > maxNoiseText {
		r.wrong(at, cfgerrors.ReasonMissing, "", "what this rule knows is labelled as noise, and people look at it last",
			fmt.Sprintf("say why in at most %d bytes, such as reason: the shop does without it", maxNoiseText))
	}
	narrow := false
	for name, list := range rule.lists() {
		*list = r.noiseEntries(keys, at, name)
		for _, entry := range *list {
			narrow = narrow || strings.Trim(entry, "*/") != ""
		}
	}
	if !narrow && len(r.errs) == 0 {
		r.wrong(at, cfgerrors.InvalidValue, "", "a rule for every report is none", noiseHint)
	}
	return rule
}

// noiseEntries reads a text, or a list of texts.
func (r *reader) noiseEntries(keys map[string]any, path, name string) []string {
	v, ok := keys[name]
	if !ok {
		return nil
	}
	at := under(path, name)
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 || len(list) > maxNoiseEntries {
		r.wrong(at, cfgerrors.WrongType, "", fmt.Sprintf("it takes a text, or a list of 1 to %d", maxNoiseEntries), noiseHint)
		return nil
	}
	var out []string
	for _, item := range list {
		s, ok := item.(string)
		if why, hint := wrongEntry(name, s); !ok || why != "" {
			r.wrong(at, cfgerrors.InvalidValue, fmt.Sprint(item), why, hint)
			continue
		}
		out = append(out, s)
	}
	return out
}

// wrongEntry says why an entry can match nothing, "" if it can.
func wrongEntry(name, s string) (why, hint string) {
	address := name == "blocked" || name == "source"
	switch {
	case s == "" || len(s) > maxNoiseText || strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Sprintf("no text of 1 to %d bytes", maxNoiseText), noiseHint
	case address && strings.Contains(s, "://"):
		return "addresses stand here without their scheme", "write cdn.example or cdn.example/path/*"
	case address && strings.ContainsAny(s, " \t#@"):
		return "no host and no address", "write cdn.example, *.cdn.example/path/* or data:"
	case name == "page" && s[0] != '/' && s[0] != '*':
		return "the path of a page begins with a slash", "write page: /checkout/*"
	case name == "directive" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") != "":
		return "no name of a directive", "write directive: script-src-elem"
	}
	return "", ""
}
