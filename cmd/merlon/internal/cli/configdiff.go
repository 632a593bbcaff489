package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
	"github.com/merlon-sec/merlon/csp"
)

// difference is one thing that differs between two policy files.
type difference struct {
	Site    string `json:"site"`
	Route   string `json:"route"` // "" for the whole site
	Setting string `json:"setting"`
	Before  string `json:"before"`
	After   string `json:"after"`
	Looser  bool   `json:"looser"` // lets something in that was kept out
	Example string `json:"example"`
}

func compareFiles(before, after *policyfile.File) []difference {
	sites := func(f *policyfile.File) map[string]policyfile.Site {
		out := map[string]policyfile.Site{}
		for _, s := range f.Sites {
			out[s.Name] = s
		}
		return out
	}
	a, b := sites(before), sites(after)
	names := slices.Sorted(maps.Keys(a))
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if a[name].Guard == nil {
			names = append(names, name)
		}
	}
	var out []difference
	for _, name := range names {
		switch {
		case b[name].Guard == nil:
			out = append(out, difference{Site: name, Setting: "site", Before: "there", After: "absent", Looser: true, Example: "nothing here protects it; compare renamed sites by hand"})
		case a[name].Guard == nil:
			out = append(out, difference{Site: name, Setting: "site", Before: "absent", After: "there"})
		default:
			out = append(out, compareConfigs(name, a[name], b[name])...)
		}
	}
	return out
}

// compareConfigs compares settings as text, and policies and framing by what they let in.
func compareConfigs(site string, a, b policyfile.Site) []difference {
	before, after := flatten(a.Guard.Config()), flatten(b.Guard.Config())
	flattenApps(before, a)
	flattenApps(after, b)
	looseRoutes := map[string]bool{}
	for _, r := range b.Guard.Routes() {
		looseRoutes[r.Match] = r.Looser
	}
	keys := slices.Sorted(maps.Keys(before))
	for key := range after {
		if _, both := before[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var out []difference
	for _, key := range keys {
		if before[key] == after[key] {
			continue
		}
		d := difference{Site: site, Setting: key, Before: before[key], After: after[key]}
		route, setting, onRoute := strings.Cut(key, " > ")
		if onRoute {
			d.Route, d.Setting = route, setting
		}
		switch {
		case d.Setting == "csp" || d.Setting == "frame": // what a route does not say, it has from its site
			d.Looser, d.Example = loosened(difference{Setting: d.Setting, Before: cmp.Or(d.Before, before[d.Setting]), After: cmp.Or(d.After, after[d.Setting])})
		case onRoute && looseRoutes[route] && d.Setting != "reason":
			d.Looser, d.Example = true, "the route lets in more than its site"
		case d.Setting == "upstream-may-loosen" && d.After == "true":
			d.Looser, d.Example = true, "the application may take protection away"
		case d.Setting == "nonce" && d.After == "dangerously-inject":
			d.Looser, d.Example = true, "an injected script element gets a nonce too"
		case !onRoute && takenOut(d):
			d.Looser, d.Example = true, "this protection is taken out"
		}
		out = append(out, d)
	}
	return out
}

// takenOut reports whether a setting that protects is there no more.
func takenOut(d difference) bool {
	switch d.Setting {
	case "trial", "health", "cache-control", "x-dns-prefetch-control", "upstream", "nonce":
		return false
	}
	if strings.HasPrefix(d.Setting, "https.exempt") || strings.HasPrefix(d.Setting, "https.ports") || strings.HasPrefix(d.Setting, "headers.") || strings.HasPrefix(d.Setting, "report") {
		return false
	}
	gone := d.After == "" || d.After == merlon.Remove || d.After == "withdraw" || d.After == "false"
	return gone && d.Before != "" && d.Before != merlon.Remove && d.Before != "false"
}

// flattenApps adds what the tool itself does for a site and its routes.
func flattenApps(out map[string]string, s policyfile.Site) {
	put := func(prefix string, a policyfile.App) {
		out[prefix+"upstream"], out[prefix+"nonce"] = a.Upstream.String(), nonceMode(a.Nonce)
		if a.MaxBody > 0 {
			out[prefix+"max-body"] = strconv.FormatInt(a.MaxBody, 10)
		}
		if a.MayLoosen {
			out[prefix+"upstream-may-loosen"] = "true"
		}
	}
	put("", s.App)
	for _, r := range s.Routes {
		put(r.Match+" > ", r.App)
	}
}

func nonceMode(n policyfile.Nonce) string {
	switch {
	case n.Forward:
		return "forward"
	case n.Inject:
		return "dangerously-inject"
	case n.Placeholder != "":
		return "placeholder_file"
	case n.PlaceholderEnv != "":
		return "placeholder_env"
	case n.Hashes != nil:
		return "hash"
	}
	return ""
}

// loosened says whether the change of a policy or of framing lets more in, with an example of what it lets in or keeps out.
func loosened(d difference) (looser bool, example string) {
	as := func(text string) *csp.List {
		switch {
		case d.Setting == "frame":
			text = framingPolicy(text)
		case text == merlon.Remove:
			text = ""
		}
		return csp.NewList(csp.Delivered{Value: strings.ReplaceAll(text, "'nonce'", "'nonce-issued'")})
	}
	page := csp.ParseOrigin("https://self.invalid")
	before, after := as(d.Before), as(d.After)
	if more := csp.Differences(csp.Strictest, page, before, after); len(more) > 0 {
		return true, "now allows for " + more[0].Directive + ": " + more[0].Witness
	}
	if less := csp.Differences(csp.Strictest, page, after, before); len(less) > 0 {
		return false, "now blocks for " + less[0].Directive + ": " + less[0].Witness
	}
	return false, "the same in effect"
}

// framingPolicy is the framing of a Config's JSON form as a policy.
func framingPolicy(text string) string {
	switch text {
	case "deny":
		return "frame-ancestors 'none'"
	case "self":
		return "frame-ancestors 'self'"
	case merlon.Remove, "":
		return ""
	}
	var by struct{ By []string }
	if json.Unmarshal([]byte(text), &by) != nil {
		return ""
	}
	words := strings.Join(by.By, " ")
	return "frame-ancestors " + strings.ReplaceAll(" "+words+" ", " self ", " 'self' ")
}

// flatten gives a Config's settings by path; those of a route by its pattern.
func flatten(c merlon.Config) map[string]string {
	out := map[string]string{}
	routes := c.Routes
	c.Routes = nil
	put := func(prefix string, v any) {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err) // a Config is JSON by its definition
		}
		var tree map[string]any
		if err := json.Unmarshal(data, &tree); err != nil {
			panic(err)
		}
		flattenInto(out, prefix, tree)
	}
	put("", c)
	for _, r := range routes {
		put(r.Match+" > ", r)
		delete(out, r.Match+" > match")
	}
	return out
}

func flattenInto(out map[string]string, prefix string, tree map[string]any) {
	for key, v := range tree {
		sub, isMap := v.(map[string]any)
		switch text, isText := v.(string); {
		case isMap && key != "frame":
			flattenInto(out, prefix+key+".", sub)
		case isText:
			out[prefix+key] = text
		default:
			data, _ := json.Marshal(v)
			out[prefix+key] = string(data)
		}
	}
}

func printConfigDiff(out io.Writer, all []difference, format string) error {
	looser := slices.ContainsFunc(all, func(d difference) bool { return d.Looser })
	if format == "json" {
		if err := writeJSON(out, map[string]any{"schema": "merlon/config-diff", "version": 1, "differences": append([]difference{}, all...)}); err != nil {
			return err
		}
	} else {
		for i, d := range all {
			if i == 0 || d.Site != all[i-1].Site || d.Route != all[i-1].Route {
				fmt.Fprintln(out, strings.TrimSpace(d.Site+" "+d.Route))
			}
			printWrapped(out, "  "+d.Setting+": ", cmp.Or(d.Before, "(absent)")+" -> "+cmp.Or(d.After, "(absent)"))
			if d.Example != "" {
				printWrapped(out, "  "+map[bool]string{true: "LOOSER: ", false: "not looser: "}[d.Looser], d.Example)
			}
		}
		if len(all) == 0 {
			fmt.Fprintln(out, "Both say the same.")
		}
	}
	if looser {
		return errFindings
	}
	return nil
}
