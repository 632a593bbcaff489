package starter

import (
	"slices"
	"strconv"
	"strings"
)

// policies are the policies of Django 6 (SECURE_CSP), django-csp 4 (CONTENT_SECURITY_POLICY) and django-csp 3 (CSP_*).
func (g *django) policies() []field {
	var out []field
	add := func(header, key, setting string, inside bool) {
		v, ok := g.setting(setting, g.key(key))
		dict, isDict := v.value.(pyDict)
		if !ok || !isDict {
			return
		}
		if inside {
			if directives, has := dict.get("DIRECTIVES"); has {
				dict, _ = directives.(pyDict)
			} else {
				dict = pyDict{{"default-src", "'self'"}} // what django-csp sends
			}
		}
		if text := g.policyText(dict, key, v.at); text != "" {
			out = append(out, field{header, text, v.at + " " + setting})
		}
	}
	add(enforcedHeader, "csp", "SECURE_CSP", false)
	add(trialHeader, "trial", "SECURE_CSP_REPORT_ONLY", false)
	add(enforcedHeader, "csp", "CONTENT_SECURITY_POLICY", true)
	add(trialHeader, "trial", "CONTENT_SECURITY_POLICY_REPORT_ONLY", true)
	if out == nil {
		out = g.oldPolicy()
	}
	return out
}

const (
	enforcedHeader = "Content-Security-Policy"
	trialHeader    = "Content-Security-Policy-Report-Only"
)

// policyText writes a dictionary of directives as a header has them.
func (g *django) policyText(dict pyDict, key, at string) string {
	var out []string
	for _, pair := range dict {
		name, isText := pair.key.(string)
		if _, unknown := pair.key.(pyUnknown); unknown {
			continue // the note on the setting says so
		}
		if !isText {
			g.key(key).check("%s: a directive whose name is no text is left out.", at)
			continue
		}
		words, ok := texts(pair.value)
		switch {
		case pair.value == true:
			out = append(out, name)
		case pair.value == false || pair.value == nil:
		case ok && !strings.ContainsAny(name+strings.Join(words, " "), ";,"):
			out = append(out, strings.TrimSpace(name+" "+strings.Join(words, " ")))
		case unsure(pair.value):
			g.key(key).check("%s: %s is not known here and is left out. Add it, or browsers take default-src in its place.", at, show(name))
		default:
			g.key(key).check("%s: the value of %s is none that a policy takes.", at, show(name))
		}
	}
	return strings.Join(out, "; ")
}

// notDirectives are settings of django-csp 3 that are about the policy and no directive of it.
var notDirectives = []string{"CSP_REPORT_ONLY", "CSP_INCLUDE_NONCE_IN", "CSP_EXCLUDE_URL_PREFIXES", "CSP_REPORT_PERCENTAGE"}

// oldPolicy is that of django-csp 3, a setting for each directive.
func (g *django) oldPolicy() []field {
	var names []string
	at := ""
	for name, v := range g.vars {
		if strings.HasPrefix(name, "CSP_") && !slices.Contains(notDirectives, name) {
			names = append(names, name)
			if at == "" || v.at < at {
				at = v.at
			}
		}
	}
	if there, _ := g.middleware("csp.middleware.CSPMiddleware"); !there && names == nil {
		return nil
	}
	header, key := enforcedHeader, "csp"
	if g.flag("CSP_REPORT_ONLY", g.key("csp")) {
		header, key = trialHeader, "trial"
	}
	slices.SortFunc(names, func(a, b string) int { // default-src first
		return strings.Compare(strings.Replace(a, "DEFAULT", "!", 1), strings.Replace(b, "DEFAULT", "!", 1))
	})
	var dict pyDict
	if _, set := g.vars["CSP_DEFAULT_SRC"]; !set {
		dict = pyDict{{"default-src", "'self'"}}
	}
	nonced, _ := g.setting("CSP_INCLUDE_NONCE_IN", g.key(key))
	noncedIn, _ := texts(nonced.value)
	for _, name := range names {
		v, ok := g.setting(name, g.key(key))
		directive := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "CSP_")), "_", "-")
		if !ok {
			continue
		}
		if words, isList := texts(v.value); isList && slices.Contains(noncedIn, directive) {
			v.value = listOf(append(words, constants["NONCE"]))
		}
		dict = append(dict, pyPair{directive, v.value})
	}
	return []field{{header, g.policyText(dict, key, at), strings.TrimSpace(at + " CSP_*")}}
}

func listOf(words []string) pyList {
	out := make(pyList, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}

// reports reads the share of responses whose violations are reported.
func (g *django) reports() {
	x := g.key("report-sample")
	for _, name := range []string{"CONTENT_SECURITY_POLICY", "CONTENT_SECURITY_POLICY_REPORT_ONLY"} {
		dict, _ := g.vars[name].value.(pyDict)
		switch percent, _ := dict.get("REPORT_PERCENTAGE"); v := percent.(type) {
		case int64:
			g.sample(x, g.vars[name].at+" "+name, float64(v))
		case float64:
			g.sample(x, g.vars[name].at+" "+name, v)
		}
	}
	if v, ok := g.setting("CSP_REPORT_PERCENTAGE", x); ok { // a share there, a percentage in django-csp 4
		switch share := v.value.(type) {
		case float64:
			g.sample(x, v.at+" CSP_REPORT_PERCENTAGE", share*100)
		case int64:
			g.sample(x, v.at+" CSP_REPORT_PERCENTAGE", float64(share)*100)
		}
	}
}

func (g *django) sample(x *setting, from string, percent float64) {
	if percent >= 100 {
		return
	}
	x.note("The share of responses whose violations are reported. From %s.", from)
	x.value = strconv.FormatFloat(percent, 'f', -1, 64) + "%"
	x.fromSource()
}

// prefixes reads the paths that have no policy.
func (g *django) prefixes() {
	read := func(from, key string, v any, at string) {
		list, _ := texts(v)
		for _, prefix := range list {
			if !strings.HasPrefix(prefix, "/") {
				prefix = "/" + prefix
			}
			about := note{text: show(prefix) + " has no policy: a script that is injected there reaches the whole site. " + at + " " + from + ".", decide: true}
			for _, match := range pathPatterns(prefix) {
				g.site.addRoute([]*setting{{key: "match", value: match}, {key: key, value: "off"}, {key: "reason", value: "no policy there in " + from}}, about)
				about = note{text: "The same below it."}
			}
			if !strings.HasSuffix(prefix, "/") {
				g.key("routes").note("%s begins other paths too, such as %s: those have the site's policy here.", show(prefix), show(prefix+"x"))
			}
		}
	}
	for _, x := range []struct{ setting, key string }{{"CONTENT_SECURITY_POLICY", "csp"}, {"CONTENT_SECURITY_POLICY_REPORT_ONLY", "trial"}} {
		if dict, ok := g.vars[x.setting].value.(pyDict); ok {
			v, _ := dict.get("EXCLUDE_URL_PREFIXES")
			read(x.setting, x.key, v, g.vars[x.setting].at)
		}
	}
	key := "csp"
	if v := g.vars["CSP_REPORT_ONLY"]; v.value == true {
		key = "trial"
	}
	if v, ok := g.setting("CSP_EXCLUDE_URL_PREFIXES", g.key("routes")); ok {
		read("CSP_EXCLUDE_URL_PREFIXES", key, v.value, v.at)
	}
}

// pathPatterns are ServeMux patterns for a path and all below it.
func pathPatterns(prefix string) []string {
	if strings.HasSuffix(prefix, "/") {
		return []string{prefix}
	}
	return []string{prefix, prefix + "/"}
}
