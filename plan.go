package merlon

import (
	"crypto/sha256"
	"encoding/hex"
	"net/textproto"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/csp"
	"github.com/merlon-sec/merlon/internal/cookie"
)

// plan is one effective Config compiled to header values. Plans never change once made.
type plan struct {
	config    Config
	fields    [2][]fixed     // the headers that are the same in every response, over http and over https
	bits      map[string]bit // the headers that the Guard reads or writes, by canonical name
	lengths   uint64         // of their names, so that most others need not be looked up
	options   string         // X-Frame-Options, "" for none
	removed   []string       // those that no response may have
	hsts      string
	policies  [2]policySet  // over http, over https
	quiet     *[2]policySet // the same without reports, for responses that the sample leaves out
	sampled   bool
	sample    samples
	cookies   *cookie.Rule // nil for none
	wantNonce bool

	tightFrame, tightPolicy bool // whether the handler's framing, and its policies, only tighten

	pattern  string   // of Config.Routes, "" for the base
	stricter bool     // a route's plan that allows nothing which the one before does not
	oneOff   bool     // of Amend, for one response
	cause    []string // the routes that made it, from the outside in
	hash     string   // of the policies, the same in every process
}

// fixed is a header that is the same in every response.
type fixed struct {
	name, value string
	bit         bit  // 0 for a header that the handler cannot keep
	caches      bool // it speaks to caches, which gives way where a nonce or a sample must not be shared
}

// bit stands for a header in the set of those that a handler has set.
type bit uint64

const (
	bitCSP bit = 1 << iota
	bitTrial
	bitXFO
	bitHSTS
	bitCookie
	bitCache
	bitShared // headers that shared caches believe more than Cache-Control
	bitETag
	bitRemoved
	firstBit // of those in fields
)

// policySet is what goes out with one scheme.
type policySet struct{ enforced, trial framedPolicy }

// policy is a policy as it goes out, but for the nonce.
type policy struct {
	parts []string // the text around the nonces; one part when there are none
	plain string   // the text for responses that carry no nonce
}

// framedPolicy is a policy for each framing that a response may end with.
type framedPolicy struct {
	parsed     csp.Policy
	frame      Frame  // of the plan; nil for the trial, which leaves framing to the enforced policy
	reports    string // the directives that say where violations go
	framing    string // the same for violations of frame-ancestors, where that is a policy of its own
	base       policy // with the plan's framing
	deny, self policy // with the framing that X-Frame-Options of a handler can ask for
}

// compile makes the plan for a Config that passed its checks.
func compile(c Config) *plan {
	p := &plan{config: c, bits: map[string]bit{headerCSP: bitCSP, headerTrial: bitTrial, headerXFO: bitXFO, headerHSTS: bitHSTS, "Set-Cookie": bitCookie, headerCache: bitCache, "Etag": bitETag}}
	for _, name := range overCacheControl {
		p.bits[name] = bitShared
	}
	for i := range headers {
		p.add(headers[i].name, headers[i].sent(&c), anyScheme)
	}
	for _, name := range sortedKeys(c.Headers) {
		if v := c.Headers[name]; v != Remove {
			p.add(textproto.CanonicalMIMEHeaderKey(name), v, anyScheme)
		} else {
			name = textproto.CanonicalMIMEHeaderKey(name)
			p.removed = append(p.removed, name)
			p.bits[name] |= bitRemoved
		}
	}
	for _, f := range c.reporting() {
		p.add(f.name, f.value, overTLS)
	}
	p.add(headerClear, c.clear, overTLS)
	p.hsts = c.HTTPS.hsts()
	p.policies = compilePolicies(c)
	p.sample = newSamples(c)
	p.sampled = p.sample.any()
	if p.sample.reports < 1 {
		quiet := c
		quiet.Reports, quiet.ReportTo = Remove, ""
		set := compilePolicies(quiet)
		p.quiet = &set
	}
	p.cookies = c.Cookies.rule()
	p.tightPolicy = c.isMandatory(headerCSP)
	p.tightFrame = p.tightPolicy || c.isMandatory(headerXFO)
	p.wantNonce = p.policies[1].wantsNonce()
	p.hash = p.policies[1].hash()
	p.options = c.Frame.options()
	for name := range p.bits {
		p.lengths |= 1 << min(len(name), 63)
	}
	return p
}

type schemes uint8

const (
	anyScheme schemes = iota
	overTLS
)

// add makes a header part of the plan; an empty value does not.
func (p *plan) add(name, value string, when schemes) {
	if value == "" {
		return
	}
	b, known := p.bits[name]
	if shared := b & bitShared; !known || shared != 0 {
		b = firstBit << len(p.fields[1])
		p.bits[name] = b | shared
	}
	if p.config.isMandatory(name) {
		b = 0
	}
	f := fixed{name, value, b, name == headerCache || p.bits[name]&bitShared != 0 || isCacheControlOf(name)}
	p.fields[1] = append(p.fields[1], f)
	if when == anyScheme {
		p.fields[0] = append(p.fields[0], f)
	}
}

func (c *Config) isMandatory(name string) bool {
	return slices.ContainsFunc(c.Mandatory, func(m string) bool { return strings.EqualFold(m, name) })
}

func compilePolicies(c Config) (out [2]policySet) {
	for secure := range out {
		enforced, trial := c.reportTail("e"), c.reportTail("r")
		out[secure].enforced = compilePolicy(c.CSP, secure == 1, c.Frame, enforced)
		out[secure].trial = compilePolicy(c.Trial, secure == 1, nil, trial)
	}
	return out
}

func (s *policySet) wantsNonce() bool {
	return len(s.enforced.base.parts) > 1 || len(s.trial.base.parts) > 1
}

// hash names the pair of policies in a few characters, whatever the nonce.
func (s *policySet) hash() string {
	sum := sha256.Sum256([]byte(strings.Join(s.enforced.base.parts, nonceToken) + "\n" + strings.Join(s.trial.base.parts, nonceToken)))
	return hex.EncodeToString(sum[:8])
}

func compilePolicy(text string, secure bool, frame Frame, reports tail) framedPolicy {
	parsed := withoutHashes(csp.Parse(policyText(text)))
	if !secure {
		// Over plain HTTP on localhost Safari would upgrade every load to a port that speaks no TLS.
		parsed = parsed.Remove("upgrade-insecure-requests")
	}
	f := framedPolicy{parsed: parsed, frame: frame, reports: reports.policy, framing: reports.framing}
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

// apart reports whether framing is a policy of its own, because report-to would keep its violations from arriving.
func (f *framedPolicy) apart() bool { return f.reports != f.framing }

// frameOnly is a policy of framing alone, for a response whose other policy lacks it.
func (f *framedPolicy) frameOnly(frame Frame) string {
	return join(nil, frame, f.framing)
}

func (f *framedPolicy) compile(frame Frame) policy {
	if f.apart() {
		frame = nil
	}
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

// tail is what policies end in.
type tail struct{ policy, framing string }

// reportTail says where violations go: of framing by report-uri alone, which is the only way for them.
func (c *Config) reportTail(disposition string) tail {
	var t tail
	if policyText(c.Reports) != "" {
		separator := "?"
		if strings.Contains(c.Reports, "?") {
			separator = "&"
		}
		t.framing = "report-uri " + c.Reports + separator + "d=" + disposition
	}
	t.policy = t.framing
	if policyText(c.ReportTo) != "" {
		t.policy = strings.TrimPrefix(t.framing+"; report-to "+c.ReportTo, "; ")
	}
	return t
}

// withoutNonce returns the policy for a response that carries no nonce.
func withoutNonce(p csp.Policy) csp.Policy {
	for _, d := range p.Directives {
		if slices.Contains(d.Value, nonceToken) {
			p = p.Set(d.Name, sourcesWithout(nonceToken, d.Value)...)
		}
	}
	return p
}

// sourcesWithout takes the nonce or the hashes out without letting in what they kept out: a nonce, a hash or 'strict-dynamic' make
// browsers ignore 'unsafe-inline', and 'strict-dynamic' makes them ignore hosts. Where no source remains, and where
// 'strict-dynamic' would have only its hosts left, 'none' says what is meant.
func sourcesWithout(token string, value []string) []string {
	var rest []string
	trusted, real := false, false
	for _, w := range value {
		switch lower := strings.ToLower(w); {
		case w == token, lower == "'unsafe-inline'":
			continue
		case lower == "'strict-dynamic'", lower == "'report-sample'", lower == "'unsafe-hashes'":
		default:
			real = true
			trusted = trusted || w == nonceToken || strings.HasPrefix(lower, "'sha")
		}
		rest = append(rest, w)
	}
	dynamic := slices.ContainsFunc(value, func(w string) bool { return strings.EqualFold(w, "'strict-dynamic'") })
	if !real || dynamic && !trusted {
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
