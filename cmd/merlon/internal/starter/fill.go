package starter

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/merlon-sec/merlon"
)

// means says what the keys are that every starter shows.
var means = map[string][]note{
	"hosts":  {{text: "The names that browsers reach the site by; *.shop.example stands for all below it. Requests for any other name are answered 421. Without this key every name is answered."}},
	"preset": {{text: "The base that the keys below change: compat enforces what existing sites survive, strict, without csp and trial below, is where to go. docs/configuration.md has both."}},
	"frame":  {{text: "Who may show these pages in a frame: deny nobody, self the site itself, off everybody, and by: [self, https://partner.example] below it these. It makes X-Frame-Options and frame-ancestors."}},
	"csp":    {{text: "The enforced Content-Security-Policy: browsers block what it does not allow. 'nonce' becomes a fresh nonce in every page."}},
	"trial":  {{text: "The policy on trial: browsers report what it would block, and block nothing of it. Move it up to csp when no new reports come."}},
	"nonce":  {{text: "How pages get their nonces. forward: the application prints the request header Merlon-Nonce into its script and style elements. It may also print a placeholder, and for pages that are the same for everybody there is {hash: F}: docs/nonces.md."}},
	"https":  {{text: "HTTPS. hsts is for how long browsers come back over HTTPS only, such as 365d; off sends nothing."}},
	"routes": {{text: "What single routes do differently. The most specific pattern counts; a reason is wanted where a route is looser than its site."}},
}

// presetName is the base of every starter.
const presetName = "compat"

// presetValues are the base's keys and values, those under https with a point.
var presetValues = sync.OnceValue(func() map[string]string {
	data, err := json.Marshal(merlon.Compat())
	if err != nil {
		panic(err) // a Config is JSON by its definition
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		panic(err)
	}
	out := map[string]string{}
	for key, v := range tree {
		if text, ok := v.(string); ok {
			out[key] = text
		}
	}
	out["https.hsts"] = merlon.Compat().HTTPS.HSTS
	return out
})

// fill gives the keys that every starter shows their value, where they have none. In the first site it says what each means.
func (s *site) fill(first bool) {
	base := presetValues()
	if !s.has("hosts") && first {
		s.at("hosts").example("hosts: [shop.example, www.shop.example]")
	}
	s.set("preset", presetName)
	for _, key := range []string{"frame", "csp", "trial"} {
		if !s.has(key) {
			s.set(key, base[key])
		}
	}
	if !s.has("nonce") {
		s.set("nonce", "forward")
		if s.nonced {
			s.at("csp").check("this policy has 'nonce', so scripts and styles run only with merlon's nonce. Print it in place of the application's own, and take the application's policy out, because no element can have two nonces. Until then move this text to trial.")
		}
	}
	if s.https("hsts").value == nil {
		s.https("hsts").value = base["https.hsts"]
	}
	if !s.has("routes") && first {
		s.at("routes").example("routes:").example(`  - {match: /api/, preset: api, upstream: "http://127.0.0.1:9000"}`).example("  - match: GET /widget/").
			example("    frame: {by: [https://partner.example]}").example("    reason: contract 114")
	}
	if !first {
		return
	}
	for key, notes := range means {
		x := s.at(key)
		x.notes = append(slices.Clone(notes), x.notes...)
	}
}

// contrast says in the preset's comment what it adds to a site that sends seen (keys of the file), and what is the same.
func (s *site) contrast(seen map[string]bool) {
	var same, added []string
	if !seen["frame"] && !s.undecided("frame") {
		s.at("frame").check("nothing that was read forbids framing. self keeps other sites out; name those that must frame these pages.")
	}
	for key, v := range presetValues() {
		switch {
		case key == "preset" || key == "trial" || key == "nonce-cache" || key == "frame":
		case seen[key] && !strings.Contains(key, ".") && !s.has(key):
			same = append(same, key+": "+v)
		case !seen[key] && !s.undecided(key):
			added = append(added, key+": "+v)
		}
	}
	slices.Sort(same)
	slices.Sort(added)
	if len(same) > 0 {
		s.at("preset").note("It says what is sent now already: %s.", strings.Join(same, "; "))
	}
	if len(added) > 0 {
		s.at("preset").note("It adds what is not sent now: %s. To leave one out write it with off.", strings.Join(added, "; "))
	}
}

// undecided reports whether a person must decide about a key, because what the source says of it is not known.
func (s *site) undecided(key string) bool {
	return slices.ContainsFunc(s.settings, func(x *setting) bool {
		return x.key == key && slices.ContainsFunc(x.notes, func(n note) bool { return n.decide })
	})
}
