package cli

import (
	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/gateway"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/keys"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/upkeep"
)

// attach gives a site of the gateway what stands behind it: its pages are counted, their nonces have the key of the day, some have a
// canary, and reports about them are collected.
func (s *stack) attach(out *gateway.Site, site policyfile.Site) (err error) {
	nonces, canaries := siteKeys(s.keys, "nonce", site.Name), siteKeys(s.keys, "canary", site.Name)
	reported := reportedSite(site)
	reported.Attests = func(nonce string) bool { return nonces().Attests(nonce) }
	committed := []func(merlon.Committed){s.tallies.Hook(site.Name)}
	if site.Canary > 0 {
		reported.Canary = func(token string) bool { return canaries().Attests(token) }
		out.Canary = gateway.Canary{Share: site.Canary, Sent: func(agent string) { s.tallies.CanarySent(site.Name, agent) },
			Report: func() string { return policyfile.ReportPath + "?" + collect.CanaryParam + "=" + canaries()[0].Mint() }}
		committed = append(committed, gateway.PutCanary)
	}
	hooks := merlon.Hooks{NonceKey: func() *merlon.NonceKey { return nonces()[0] }}
	if s.metrics != nil {
		measured := s.metrics.Hooks(site.Name)
		hooks.Misuse, committed = measured.Misuse, append(committed, measured.Committed)
	}
	hooks.Committed = func(c merlon.Committed) {
		for _, hook := range committed {
			hook(c)
		}
	}
	out.Guard, err = merlon.NewHooked(site.Guard.Config(), hooks)
	out.Reports, out.Documents, out.DocumentsPath = s.collector.Handler(reported), s.collector.Documents(reported), policyfile.DocumentsPath
	return err
}

// reportedSite is what the collector has to know of a site, whoever sends its pages.
func reportedSite(s policyfile.Site) collect.Site {
	return collect.Site{Name: s.Name, Hosts: s.Hosts, Client: clientOf(s.Guard), DocumentsToken: s.DocumentsToken, Noise: noiseRules(s.Noise)}
}

func noiseRules(own []policyfile.NoiseRule) (rules []collect.Rule) {
	for _, r := range own {
		rules = append(rules, collect.Rule{ID: r.ID, Reason: r.Reason, Directives: r.Directives, Blocked: r.Blocked, Sources: r.Sources, Samples: r.Samples,
			Pages: r.Pages, Agents: r.Agents})
	}
	return rules
}

// keep tells what the file says of the database to who looks after it, and of its labels to who shows them.
func (s *stack) keep(file *policyfile.File) {
	r := file.Retention
	task := upkeep.Task{Retention: store.Retention{Samples: r.Samples, Issues: r.Issues, Hours: r.Hours, Days: r.Days, MaxBytes: r.MaxSize}}
	for _, site := range file.Sites {
		task.Sites = append(task.Sites, reportedSite(site))
	}
	rules := newLabels(task.Sites)
	s.labels.Store(&rules)
	s.upkeep.Set(task)
}

// siteKeys returns a site's keys for a purpose: today's, which makes nonces, and yesterday's, whose pages may still be open.
func siteKeys(k *keys.Keys, purpose, site string) func() merlon.NonceKeys {
	return keys.Daily(k, purpose, func(p keys.Pair) merlon.NonceKeys {
		return merlon.NonceKeys{nonceKey(p.Current, site), nonceKey(p.Previous, site)}
	})
}

func nonceKey(secret [keys.Size]byte, site string) *merlon.NonceKey {
	k, err := merlon.NewNonceKey(secret[:], site)
	if err != nil { // hosts are shorter than what it takes
		panic(err)
	}
	return k
}
