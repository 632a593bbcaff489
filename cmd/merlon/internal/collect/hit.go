package collect

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// fingerprintVersion is the version of the rule in [fingerprint] and [event.classify]. Whoever changes what makes one issue raises it.
// 2: samples without their dots and queries, lines of known scripts left out, paths where the policy has some, contradictions apart.
const fingerprintVersion = 2

// hit turns an event into what is stored of it.
func (req *request) hit(e *event, at time.Time) store.Hit {
	h := store.Hit{
		Site: req.site.name, Type: e.kind, Directive: e.directive, Disposition: e.disposition, At: at, Weight: e.weight(),
		Sample: e.masked, Route: e.route, Browser: e.agent.browser, App: req.app,
	}
	h.Class, h.Blocked = e.classify(req)
	h.Blocked = cut(h.Blocked, maxBlocked)
	contradicts := e.contradicts(req)
	h.Verdict, h.Rule = e.verdict(req.site.noise, contradicts)
	h.Fingerprint = fingerprint(&h, contradicts)
	if e.source != "" {
		h.Source = e.script()
		if e.line > 0 {
			h.Source += ":" + strconv.Itoa(e.line)
		}
	}
	if e.policy != nil {
		h.Policy, h.PolicyText = e.policy.hash, e.policy.text
	}
	if v := e.rep.Violation; v != nil {
		h.View = req.site.views.of(v.OriginalPolicy)
	}
	h.Body = func() string { return e.body(req.site, &h) }
	return h
}

// fingerprint says which reports make one issue. Of inline code the sample tells; what cannot be true stays apart from what can.
func fingerprint(h *store.Hit, contradicts bool) store.Fingerprint {
	var buffer [1 << 10]byte
	key := buffer[:0]
	parts := [...]string{h.Type, h.Directive, h.Class, h.Blocked, ""}
	if h.Class == store.ClassInline {
		parts[4] = h.Sample
	}
	for _, part := range parts {
		key = binary.AppendUvarint(key, uint64(len(part)))
		key = append(key, part...)
	}
	if contradicts {
		key = append(key, 1)
	}
	sum := sha256.Sum256(key)
	return store.Fingerprint{Version: fingerprintVersion, Sum: [16]byte(sum[:16])}
}
