package collect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// Rule says which reports are noise: about something that no change to the site would help against. A report must match each list that
// is not empty, and in it one entry. In a glob, * stands for any characters, none and slashes included; all else stands for itself.
type Rule struct {
	ID      string
	Version string // changes whenever the rule does
	Reason  string // in words for people
	From    string // where it is known from
	Since   string // the month in which it was last looked at

	Types      []string // of reports
	Directives []string // globs of the effective directive, or of what other types have in its place
	Schemes    []string // of what was blocked or of the script behind it, without the colon; also bare words that are no URL
	Blocked    []string // globs of the URL that was blocked, without scheme: host, host:port, either with a path, with a query; or inline, eval …
	Sources    []string // globs of the same form for the script behind it; one that begins with a slash is of the site itself
	Samples    []string // beginnings of the sample
	Pages      []string // globs of the template of the document's path
	Agents     []string // words in the User-Agent
}

// String is how hits and issues name a rule.
func (r *Rule) String() string { return r.ID + "@" + r.Version }

// own returns the rule as one of a site: its name cannot be one of merlon's, and its version comes of what it says, because nobody
// counts up a number in a file.
func (r Rule) own() Rule {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", []any{r.Types, r.Directives, r.Schemes, r.Blocked, r.Sources, r.Samples, r.Pages, r.Agents}))
	r.ID, r.Version = "own/"+r.ID, hex.EncodeToString(sum[:2])
	return r
}

// noise are the rules of a site, found by what they ask for first.
type noise struct {
	rules    []Rule
	byScheme map[string][]*Rule
	byDomain map[string][]*Rule // by the last two labels of Blocked
	bySample []*Rule
	others   []*Rule
	words    []string // of all rules' Agents
}

// maxAgentWords is how many words of User-Agent headers all rules of a site may have: each is a bit. Half of it is for the site's own.
const maxAgentWords = 64

// newNoise puts the site's own rules before merlon's, so that a report has the label of the former.
func newNoise(own []Rule) *noise {
	named := make([]Rule, len(own))
	for i := range own {
		named[i] = own[i].own()
	}
	n := &noise{rules: slices.Concat(named, Rules()), byScheme: map[string][]*Rule{}, byDomain: map[string][]*Rule{}}
	for i := range n.rules {
		r := &n.rules[i]
		r.Samples = withMasked(r.Samples)
		n.index(r)
	}
	return n
}

// withMasked adds what is stored of a sample that begins like this, so that rules can be held against stored issues: where that says as much.
// What was masked may have been something else, and a space at the end is cut off.
func withMasked(prefixes []string) []string {
	out := slices.Clone(prefixes)
	for _, p := range prefixes {
		if masked := sample(p); masked != p && masked != "" && !strings.Contains(masked, wildcard) && sample(p+"x") == masked+"x" {
			out = append(out, masked)
		}
	}
	return out
}

func (n *noise) index(r *Rule) {
	for _, w := range r.Agents {
		if !slices.Contains(n.words, w) && len(n.words) < maxAgentWords {
			n.words = append(n.words, w)
		}
	}
	switch {
	case len(r.Schemes) > 0:
		for _, s := range r.Schemes {
			n.byScheme[s] = append(n.byScheme[s], r)
		}
	case len(r.Samples) > 0:
		n.bySample = append(n.bySample, r)
	case len(r.Blocked) > 0 && !slices.ContainsFunc(r.Blocked, func(g string) bool { return domainOfGlob(g) == "" }):
		for _, g := range r.Blocked {
			if d := domainOfGlob(g); !slices.Contains(n.byDomain[d], r) {
				n.byDomain[d] = append(n.byDomain[d], r)
			}
		}
	default:
		n.others = append(n.others, r)
	}
}

// domainOfGlob returns the last two labels of the host, "" where the glob does not fix them.
func domainOfGlob(g string) string {
	host, _, _ := strings.Cut(g, "/")
	host, _, _ = strings.Cut(host, ":")
	if d := domainOf(host); !strings.Contains(d, "*") && strings.Contains(d, ".") && (d == host || strings.HasSuffix(host, "."+d)) {
		return d
	}
	return ""
}

// domainOf returns the last two labels of a host, or all of a shorter one.
func domainOf(host string) string {
	if last := strings.LastIndexByte(host, '.'); last > 0 {
		return host[strings.LastIndexByte(host[:last], '.')+1:]
	}
	return host
}

func (n *noise) wordsIn(header string) (bits uint64) {
	for i, w := range n.words {
		if strings.Contains(header, w) {
			bits |= 1 << i
		}
	}
	return bits
}

// match returns the first rule that the report matches, of the site's own before merlon's; nil if there is none.
func (n *noise) match(e *event) *Rule {
	var found *Rule
	try := func(rules []*Rule) {
		for _, r := range rules {
			if (found == nil || n.before(r, found)) && n.matches(r, e) {
				found = r
			}
		}
	}
	for _, scheme := range [...]string{e.blockedScheme(), e.sourceScheme()} {
		if scheme != "" {
			try(n.byScheme[scheme])
		}
	}
	if e.blockedAt != nil {
		try(n.byScheme[e.blockedAt.host])
		try(n.byDomain[domainOf(e.blockedAt.host)])
	}
	if e.sample != "" {
		try(n.bySample)
	}
	try(n.others)
	return found
}

// before reports whether a rule stands before another one.
func (n *noise) before(a, b *Rule) bool {
	for i := range n.rules {
		switch &n.rules[i] {
		case a:
			return true
		case b:
			return false
		}
	}
	return false
}

func (n *noise) matches(r *Rule, e *event) bool {
	return (len(r.Types) == 0 || slices.Contains(r.Types, e.kind)) &&
		(len(r.Directives) == 0 || slices.ContainsFunc(r.Directives, func(g string) bool { return glob(g, e.directive) })) &&
		(len(r.Schemes) == 0 || e.hasScheme(r.Schemes)) &&
		(len(r.Blocked) == 0 || matchesURL(r.Blocked, e.blocked, e.blockedAt, false)) &&
		(len(r.Sources) == 0 || matchesURL(r.Sources, e.source, e.sourceAt, e.ownSource())) &&
		(len(r.Samples) == 0 || hasPrefix(e.sample, r.Samples)) &&
		(len(r.Pages) == 0 || slices.ContainsFunc(r.Pages, func(g string) bool { return glob(g, e.route) })) &&
		(len(r.Agents) == 0 || n.saysOneOf(e.agent.words, r.Agents))
}

func (n *noise) saysOneOf(bits uint64, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		i := slices.Index(n.words, w)
		return i >= 0 && bits&(1<<i) != 0
	})
}

func hasPrefix(s string, prefixes []string) bool {
	return s != "" && slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// maxMatched is how much of a URL is held against globs, in bytes: a site may have many of them.
const maxMatched = 2 << 10

// matchesURL holds a URL against globs. A glob without a query is about all queries, one without a path about all paths and one
// without a port about all ports.
func matchesURL(globs []string, text string, at *place, own bool) bool {
	if at == nil {
		scheme := schemeOf(text)
		return slices.ContainsFunc(globs, func(g string) bool { return g == text || g == scheme+":" || g == scheme && g != "" })
	}
	_, rest, _ := strings.Cut(cut(text, maxMatched), "://")
	rest, _, _ = strings.Cut(rest, "#")
	address, _, _ := strings.Cut(rest, "?")
	host, path, hasPath := strings.Cut(address, "/")
	return slices.ContainsFunc(globs, func(g string) bool {
		switch {
		case strings.HasPrefix(g, "/"):
			return own && hasPath && (glob(g, "/"+path) || glob(g, at.route))
		case strings.Contains(g, "?"):
			return glob(g, rest)
		case strings.Contains(g, "/"):
			return glob(g, address) || glob(g, at.host+at.route)
		case strings.Contains(g, ":"):
			return glob(g, strings.ToLower(host))
		}
		return glob(g, at.host)
	})
}

// glob reports whether all of s fits the pattern, in which * stands for any characters. It takes time in the product of both
// lengths at worst.
func glob(pattern, s string) bool {
	star, from, p := -1, 0, 0
	for i := 0; i < len(s); {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// The words behind the verdict that is no label of an issue: it is told of single reports, as a facet.
const besideExtension = "beside-extension@1"

// verdict labels a report.
func (e *event) verdict(n *noise, contradicts bool) (store.Verdict, string) {
	if r := n.match(e); r != nil {
		return store.Noise, r.String()
	}
	verdict, rule := store.Actionable, ""
	if contradicts {
		verdict = store.SelfContradicting
	}
	if e.tainted {
		rule = besideExtension
	}
	return verdict, rule
}
