package merlon

import (
	"strings"

	"github.com/merlon-sec/merlon/csp"
)

// policies is what the Content-Security-Policy lines that are there already say.
type policies struct {
	any       bool  // some directive that browsers know
	ancestors bool  // frame-ancestors among them
	frame     Frame // with ancestors: whom all of these let in, as far as a Frame can say; {Remove} when it cannot
}

// readPolicies reads the lines as browsers do: a comma separates policies, all of which count.
func readPolicies(lines []string) policies {
	var out policies
	for _, line := range lines {
		if len(line) > csp.MaxBytes { // nobody means that; it counts as a policy without framing
			out.any = true
			continue
		}
		for text := range strings.SplitSeq(line, ",") {
			out.read(csp.Parse(text))
		}
	}
	return out
}

func (p *policies) read(policy csp.Policy) {
	for _, d := range policy.Directives {
		p.any = p.any || csp.Known(d.Name)
	}
	value, has := policy.Get("frame-ancestors")
	if !has {
		return
	}
	if !p.ancestors {
		p.ancestors, p.frame = true, Frame{Remove}
	}
	if f, sayable := frameOfSources(value); sayable {
		p.frame = p.frame.intersect(f)
	}
}
