package merlon

import (
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon/csp"
)

// plan is one effective Config compiled to header values. Plans never change once made.
type plan struct {
	config    Config
	fields    []field // the headers that are the same in every response
	hsts      string
	enforced  [2]policy // over http, over https
	trial     [2]policy
	wantNonce bool
}

type field struct{ name, value string }

// policy is a policy as it goes out, but for the nonce.
type policy struct {
	parts []string // the text around the nonces; one part when there are none
	plain string   // the text for responses that carry no nonce
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
		p.enforced[secure] = compilePolicy(c.CSP, secure == 1, frameTail(c.Frame), reportTail(c.Reports, "e"))
		p.trial[secure] = compilePolicy(c.Trial, secure == 1, "", reportTail(c.Reports, "r"))
	}
	p.wantNonce = len(p.enforced[1].parts) > 1 || len(p.trial[1].parts) > 1
	return p
}

func compilePolicy(text string, secure bool, tails ...string) policy {
	if text == Remove {
		text = ""
	}
	parsed := csp.Parse(text)
	if !secure {
		// Over plain HTTP on localhost Safari would upgrade every load to a port that speaks no TLS.
		parsed = parsed.Remove("upgrade-insecure-requests")
	}
	return policy{
		parts: strings.Split(joinPolicy(parsed, tails), nonceToken),
		plain: joinPolicy(withoutNonce(parsed), tails),
	}
}

// joinPolicy prints p with the tails, and nothing where only the place for reports is left.
func joinPolicy(p csp.Policy, tails []string) string {
	text := p.String()
	for _, t := range tails {
		if t == "" || text == "" && strings.HasPrefix(t, "report-uri") {
			continue
		}
		if text != "" {
			text += "; "
		}
		text += t
	}
	return text
}

func frameTail(f Frame) string {
	if s := f.sources(); s != "" {
		return "frame-ancestors " + s
	}
	return ""
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

// withoutNonce returns the policy for a response that carries no nonce. A list that loses its last real source becomes
// 'none': without a nonce 'strict-dynamic' means the same, and says so less clearly.
func withoutNonce(p csp.Policy) csp.Policy {
	for _, d := range p.Directives {
		var rest []string
		real := false
		for _, word := range d.Value {
			if word == nonceToken {
				continue
			}
			rest = append(rest, word)
			real = real || word != "'strict-dynamic'" && word != "'report-sample'"
		}
		switch {
		case len(rest) == len(d.Value):
		case real:
			p = p.Set(d.Name, rest...)
		default:
			p = p.Set(d.Name, "'none'")
		}
	}
	return p
}

// text returns the policy with the nonce in it, or without one if nonce is empty.
func (p *policy) text(nonce string) string {
	switch {
	case len(p.parts) == 1:
		return p.parts[0]
	case nonce == "":
		return p.plain
	}
	n := 0
	for _, part := range p.parts {
		n += len(part)
	}
	var b strings.Builder
	b.Grow(n + (len(p.parts)-1)*(len(nonce)+len("'nonce-'")))
	for i, part := range p.parts {
		if i > 0 {
			b.WriteString("'nonce-")
			b.WriteString(nonce)
			b.WriteByte('\'')
		}
		b.WriteString(part)
	}
	return b.String()
}
