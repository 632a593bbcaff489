package csp

// Decision is what policies say of one thing that a page does.
type Decision struct {
	Blocked bool // by a policy that is enforced
	Mode    Mode // whose reading this is: of Strictest and Laxest the one that decided

	first [3]Violation // so that decisions allocate nothing
	n     int
	more  []Violation
}

// Violation is one violation of one policy. https://www.w3.org/TR/CSP3/#violation
type Violation struct {
	Policy      int         // index into List.Policies of the mode that decided
	Directive   string      // the effective directive, as reports name it
	By          string      // the directive of the policy that decided, Directive or one that stands in for it
	Disposition Disposition // of the policy
	Resource    string      // what was blocked: inline, eval, wasm-eval, trusted-types-policy, trusted-types-sink, or "" for a URL
	Sample      string      // the first 40 characters of a script, where the policy asks for them
}

// Violations lists the violations in the order of the checks and in each of the policies, report-only ones included. The
// slice belongs to d.
func (d *Decision) Violations() []Violation {
	if d.more != nil {
		return d.more
	}
	return d.first[:d.n]
}

func (d *Decision) add(v Violation) {
	d.Blocked = d.Blocked || v.Disposition == Enforce
	switch {
	case d.more != nil:
		d.more = append(d.more, v)
	case d.n < len(d.first):
		d.first[d.n] = v
		d.n++
	default:
		d.more = append(append([]Violation(nil), d.first[:]...), v)
	}
}

// decide evaluates in the mode; Strictest takes the first reading that blocks and Laxest the first that does not.
func (l *List) decide(m Mode, evaluate func(*Decision, []Policy, *quirks)) Decision {
	if m <= WebKit {
		d := Decision{Mode: m}
		evaluate(&d, l.byMode[m], &quirksOf[m])
		return d
	}
	var d Decision
	for i := range quirksOf {
		d = Decision{Mode: Mode(i)}
		evaluate(&d, l.byMode[i], &quirksOf[i])
		if d.Blocked == (m == Strictest) {
			break
		}
	}
	return d
}
