package merlon

import (
	"slices"
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon/csp"
)

// plan is one effective Config compiled to header values. Plans never change once made.
type plan struct {
	config    Config
	fields    []field // the headers that are the same in every response
	hsts      string
	enforced  [2]framedPolicy // over http, over https
	trial     [2]framedPolicy
	wantNonce bool
	stricter  bool // a route's plan that allows nothing which the base does not
}

type field struct{ name, value string }

// policy is a policy as it goes out, but for the nonce.
type policy struct {
	parts []string // the text around the nonces; one part when there are none
	plain string   // the text for responses that carry no nonce
}

// framedPolicy is a policy for each framing that a response may end with.
type framedPolicy struct {
	parsed     csp.Policy
	frame      Frame // of the plan; nil for the trial, which leaves framing to the enforced policy
	reports    string
	base       policy // with the plan's framing
	deny, self policy // with the framing that X-Frame-Options of a handler can ask for
}

// compile makes the plan for a Config that passed its checks.
func compile(c Config) *plan {
	p := &plan{config: c}
	for _, h := range headers {
		if v := *h.value(&c); v != "" && v != Remove {
			p.fields = append(p.fields, field{h.name, v})
		}
	}
	if age, _ := parseAge(c.HTTPS.HSTS); age > 0 {
		p.hsts = "max-age=" + strconv.FormatInt(int64(age.Seconds()), 10)
	}
	for secure := range 2 {
		p.enforced[secure] = compilePolicy(c.CSP, secure == 1, c.Frame, reportTail(c.Reports, "e"))
		p.trial[secure] = compilePolicy(c.Trial, secure == 1, nil, reportTail(c.Reports, "r"))
	}
	p.wantNonce = len(p.enforced[1].base.parts) > 1 || len(p.trial[1].base.parts) > 1
	return p
}

func compilePolicy(text string, secure bool, frame Frame, reports string) framedPolicy {
	parsed := csp.Parse(policyText(text))
	if !secure {
		// Over plain HTTP on localhost Safari would upgrade every load to a port that speaks no TLS.
		parsed = parsed.Remove("upgrade-insecure-requests")
	}
	f := framedPolicy{parsed: parsed, frame: frame, reports: reports}
	f.base = f.compile(frame)
	if frame != nil {
		f.deny, f.self = f.compile(Frame{"deny"}), f.compile(Frame{"self"})
	}
	return f
}

// framed returns the policy with this framing. It is ready made but for what only another policy can ask for.
func (f *framedPolicy) framed(frame Frame) *policy {
	switch {
	case slices.Equal(frame, f.frame):
		return &f.base
	case frame.is("deny"):
		return &f.deny
	case frame.is("self"):
		return &f.self
	}
	p := f.compile(frame)
	return &p
}

// frameOnly is a policy of framing alone, for a response whose handler has a policy without it.
func (f *framedPolicy) frameOnly(frame Frame) string {
	return join(nil, frame, f.reports)
}

func (f *framedPolicy) compile(frame Frame) policy {
	return policy{
		parts: strings.Split(join(f.parsed.Directives, frame, f.reports), mark),
		plain: join(withoutNonce(f.parsed).Directives, frame, f.reports),
	}
}

// mark stands for a nonce in printed text, where csp.Check lets no control character be.
const mark = "\x00"

// join prints the directives, the framing and where reports go; nothing where only the last would be left.
func join(directives []csp.Directive, frame Frame, reports string) string {
	var out []string
	for _, d := range directives {
		words := append([]string{d.Name}, d.Value...)
		for i, w := range words {
			if w == nonceToken {
				words[i] = mark
			}
		}
		out = append(out, strings.Join(words, " "))
	}
	if s := frame.sources(); s != "" {
		out = append(out, "frame-ancestors "+s)
	}
	if len(out) > 0 && reports != "" {
		out = append(out, reports)
	}
	return strings.Join(out, "; ")
}

func reportTail(reports, disposition string) string {
	if reports == "" || reports == Remove {
		return ""
	}
	separator := "?"
	if strings.Contains(reports, "?") {
		separator = "&"
	}
	return "report-uri " + reports + separator + "d=" + disposition
}

// withoutNonce returns the policy for a response that carries no nonce.
func withoutNonce(p csp.Policy) csp.Policy {
	for _, d := range p.Directives {
		if slices.Contains(d.Value, nonceToken) {
			p = p.Set(d.Name, sourcesWithoutNonce(d.Value)...)
		}
	}
	return p
}

// sourcesWithoutNonce takes the nonce out without letting in what it kept out: the nonce, a hash or 'strict-dynamic' make
// browsers ignore 'unsafe-inline', and 'strict-dynamic' makes them ignore hosts. Where no source remains, and where
// 'strict-dynamic' would have only its hosts left, 'none' says what is meant.
func sourcesWithoutNonce(value []string) []string {
	var rest []string
	hashes, real := false, false
	for _, w := range value {
		hash := strings.HasPrefix(strings.ToLower(w), "'sha")
		hashes = hashes || hash
		switch strings.ToLower(w) {
		case nonceToken, "'unsafe-inline'":
			continue
		case "'strict-dynamic'", "'report-sample'":
		default:
			real = true
		}
		rest = append(rest, w)
	}
	dynamic := slices.ContainsFunc(value, func(w string) bool { return strings.EqualFold(w, "'strict-dynamic'") })
	if !real || dynamic && !hashes {
		return []string{"'none'"}
	}
	return rest
}

// text returns the policy with the nonce in it, or without one if nonce is empty.
func (p *policy) text(nonce string) string {
	if len(p.parts) > 1 && nonce != "" {
		return strings.Join(p.parts, "'nonce-"+nonce+"'")
	}
	if len(p.parts) > 1 {
		return p.plain
	}
	return p.parts[0]
}
