package starter

import (
	"regexp"
	"slices"
	"strings"
)

var (
	variable      = regexp.MustCompile(`\$\{?\w+\}?`)
	nonceVariable = regexp.MustCompile(`(?i)'nonce-[^']*'`)
)

// fields takes out what only nginx could say: variables.
func (n *nginx) fields(s *site, list []field) []field {
	var out []field
	for _, f := range list {
		isPolicy := strings.EqualFold(f.name, enforcedHeader) || strings.EqualFold(f.name, trialHeader)
		rest := f.value
		if isPolicy {
			rest = nonceVariable.ReplaceAllString(rest, "")
		}
		if !strings.Contains(rest, "$") {
			out = append(out, f)
			continue
		}
		key := strings.ToLower(f.name)
		if isPolicy {
			key = map[bool]string{true: "csp", false: "trial"}[strings.EqualFold(f.name, enforcedHeader)]
			var kept []string
			for _, word := range strings.Split(f.value, " ") {
				if nonceVariable.MatchString(word) || !strings.Contains(word, "$") {
					kept = append(kept, word)
				} else if strings.HasSuffix(word, ";") {
					kept = append(kept, ";")
				}
			}
			f.value = strings.Join(kept, " ")
			out = append(out, f)
		}
		if !slices.Contains(single, f.name) && !isPolicy {
			key = "headers"
		}
		s.at(key).check("%s: %s of nginx in %s cannot be kept. Write what it stands for.", f.at, show(strings.Join(variable.FindAllString(rest, 4), ", ")), show(f.name))
	}
	return out
}

// nonces reads recipes that put a nonce into pages.
func (n *nginx) nonces(s *site, server *nginxServer) {
	x := s.at("nonce")
	for _, d := range server.tokens {
		if len(d.args) != 2 {
			continue
		}
		text := strings.ToLower(d.args[0] + " " + d.args[1])
		switch {
		case strings.Contains(text, "<script") && strings.Contains(text, "nonce"):
			x.value = "dangerously-inject"
			x.fromSource().check("%s: sub_filter gives every script element a nonce, also one that somebody injects. dangerously-inject does the same. forward, {placeholder_env: NAME} and {placeholder_file: F} stop injected scripts: the application prints the nonce itself. For pages that are the same for everybody there is {hash: F}.", d.at)
		case strings.Contains(d.args[1], "$"):
			x.check("%s: sub_filter replaces %s by %s. {placeholder_file: F} does that with a secret from a file, {placeholder_env: NAME} with one from the environment, in script and style elements only; with forward the application prints the request header Merlon-Nonce. Until one is in force, scripts that want the nonce do not run.", d.at, show(d.args[0]), show(d.args[1]))
		default:
			x.note("%s: sub_filter %s is left out: the gateway changes nothing in pages but nonces.", d.at, show(d.args[0]))
		}
	}
}

// told are request headers that the gateway sets or passes on by itself.
var told = []string{"host", "x-forwarded-proto", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "connection", "upgrade", "accept-encoding"}

func (n *nginx) forwarded(s *site, server *nginxServer) {
	seen := map[string]bool{}
	for _, d := range server.forwarded {
		if len(d.args) != 2 || seen[strings.ToLower(d.args[0])] || slices.Contains(told, strings.ToLower(d.args[0])) {
			continue
		}
		seen[strings.ToLower(d.args[0])] = true
		if strings.Contains(strings.ToLower(d.args[0]), "nonce") {
			s.at("nonce").check("%s: the application reads the nonce from %s. Here it is in Merlon-Nonce.", d.at, show(d.args[0]))
			continue
		}
		s.at("upstream").check("%s: proxy_set_header %s is not done by the gateway. See that the application can do without.", d.at, show(d.args[0]))
	}
}
