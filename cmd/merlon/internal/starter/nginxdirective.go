package starter

// directive is one line of nginx's configuration, with the block behind it perhaps.
type directive struct {
	name  string
	args  []string
	block []*directive // nil without one
	at    string       // file:line

	parent *directive // whose block it stands in, nil for that of the whole configuration
}

// said returns the directive that is in force in d's block, with an argument: its own, or that of the nearest block around it.
// It is nil if none is.
func (d *directive) said(name string) *directive {
	if all := d.saidAll(name); all != nil {
		return all[0]
	}
	return nil
}

// saidAll is said for directives of which a block can have several.
func (d *directive) saidAll(name string) []*directive {
	for ; d != nil; d = d.parent {
		var out []*directive
		for _, x := range d.block {
			if x.name == name && x.block == nil && len(x.args) > 0 {
				out = append(out, x)
			}
		}
		if out != nil {
			return out
		}
	}
	return nil
}

// adopt tells what is in d's block where it stands.
func (d *directive) adopt() {
	for _, x := range d.block {
		x.parent = d
		x.adopt()
	}
}

// lastArg is the path of a location, "" for one that has none.
func lastArg(d *directive) string {
	if len(d.args) == 0 {
		return ""
	}
	return d.args[len(d.args)-1]
}
