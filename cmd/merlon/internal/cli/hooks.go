package cli

import (
	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/keys"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// hooked is the site's Guard with what stands behind it: its pages are counted, and its nonces have the key of the day.
func (s *stack) hooked(site policyfile.Site, nonces func() merlon.NonceKeys) (*merlon.Guard, error) {
	count := s.tallies.Hook(site.Name)
	hooks := merlon.Hooks{Committed: count, NonceKey: func() *merlon.NonceKey { return nonces()[0] }}
	if s.metrics != nil {
		measured := s.metrics.Hooks(site.Name)
		hooks.Misuse = measured.Misuse
		hooks.Committed = func(c merlon.Committed) {
			measured.Committed(c)
			count(c)
		}
	}
	return merlon.NewHooked(site.Guard.Config(), hooks)
}

// nonceKeys returns the keys of a site's nonces: today's, which makes them, and yesterday's, whose pages may still be open.
func nonceKeys(k *keys.Keys, site string) func() merlon.NonceKeys {
	return keys.Daily(k, "nonce", func(p keys.Pair) merlon.NonceKeys {
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
