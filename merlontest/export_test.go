package merlontest

// Scanned is an element as the scanner found it.
type Scanned struct {
	Name       string
	Attributes [][2]string
	Duplicate  bool
	Text       string
}

func Scan(page string) []Scanned {
	var out []Scanned
	for _, e := range elements(page) {
		out = append(out, Scanned{e.name, e.attributes, e.duplicate, e.text})
	}
	return out
}
