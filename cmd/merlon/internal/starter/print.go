package starter

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	columns  = 80  // a line is wrapped before it is longer, where it has a space
	maxShown = 120 // characters of somebody else's text in a comment
	maxWord  = 300 // characters of one word in a comment
	maxNotes = 24  // comments about one key
)

// printer writes a draft and keeps count of its lines.
type printer struct {
	text      strings.Builder
	lines     int
	decisions []Decision
}

func (p *printer) line(s string) {
	p.text.WriteString(strings.TrimRight(s, " ") + "\n")
	p.lines++
}

// print writes the whole file.
func (d *draft) print() *printer {
	p := &printer{}
	p.comment("", "The policy file of merlon gateway, written by "+d.source+". The gateway reads it again when it changes. "+
		"`merlon schema` prints what editors complete it from; docs/configuration.md and docs/gateway.md have all keys. "+
		"Lines that say CHECK are for you to decide.")
	p.line("version: 1")
	for _, s := range d.file {
		p.line("")
		p.setting("", s)
	}
	for i, s := range d.sites {
		switch {
		case len(d.sites) == 1:
			for _, x := range s.sorted() {
				p.line("")
				p.setting("", x)
			}
			continue
		case i == 0:
			p.line("")
			p.line("sites:")
		default:
			p.line("")
		}
		p.listItem("  ", s.sorted(), true)
	}
	if len(d.tail) > 0 {
		p.line("")
		p.notes("", d.tail)
	}
	return p
}

// listItem writes keys behind a dash. Comments of the first key stand before it.
func (p *printer) listItem(indent string, keys []*setting, apart bool) {
	first := slices.IndexFunc(keys, hasValue)
	for i, s := range keys {
		switch {
		case i < first:
			p.notes(indent, s.allNotes())
		case i == first:
			p.notes(indent, s.allNotes())
			p.value(indent+"- ", indent+"  ", s)
		default:
			if apart {
				p.line("")
			}
			p.setting(indent+"  ", s)
		}
	}
}

func hasValue(s *setting) bool {
	group, ok := s.value.([]*setting)
	return s.value != nil && (!ok || live(group))
}

func (p *printer) setting(indent string, s *setting) {
	p.notes(indent, s.allNotes())
	if !hasValue(s) {
		p.children(indent, s)
		return
	}
	p.value(indent, indent, s)
}

// children writes what is said about the keys of a group that has no value left.
func (p *printer) children(indent string, s *setting) {
	group, _ := s.value.([]*setting)
	for _, c := range group {
		p.notes(indent, c.allNotes())
		p.children(indent, c)
	}
}

// value writes key and value; begin is what stands before the key, a dash perhaps.
func (p *printer) value(begin, indent string, s *setting) {
	head := begin + keyText(s.key) + ":"
	switch v := s.value.(type) {
	case bool:
		p.line(head + " " + strconv.FormatBool(v))
	case string:
		p.scalar(head, indent, v)
	case []string:
		p.words(head, indent, v)
	case []*setting:
		p.line(head)
		for _, c := range v {
			p.setting(indent+"  ", c)
		}
	case [][]*setting:
		p.line(head)
		for _, keys := range v {
			p.listItem(indent+"  ", keys, false)
		}
	}
}

var plainKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

func keyText(key string) string {
	if plainKey.MatchString(key) && !reserved[strings.ToLower(key)] {
		return key
	}
	return quote(key)
}

// scalar writes a text: as it is, in quotes, or folded over several lines where it is long.
func (p *printer) scalar(head, indent, v string) {
	text := head + " " + scalar(v)
	if len(text) <= columns || !foldable(v) {
		p.line(text)
		return
	}
	p.line(head + " >-")
	for _, line := range wrapPolicy(v, columns-len(indent)-2) {
		p.line(indent + "  " + line)
	}
}

// foldable reports whether YAML puts a text together again that was broken at its spaces.
func foldable(v string) bool {
	return strings.Join(strings.Fields(v), " ") == v && strings.Contains(v, " ")
}

// words writes a list: in brackets, or a line each where it is long.
func (p *printer) words(head, indent string, list []string) {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = scalar(v)
	}
	if line := head + " [" + strings.Join(texts, ", ") + "]"; len(line) <= columns {
		p.line(line)
		return
	}
	p.line(head)
	for _, v := range texts {
		p.line(indent + "  - " + v)
	}
}

var (
	plainText = regexp.MustCompile(`^(?:(?:[0-9]+(?:ms|[dhms]))+|[0-9]+[KMG]i?B|[0-9]+(?:\.[0-9]+)?%|/|/?[A-Za-z][A-Za-z0-9._/-]*(?: [A-Za-z0-9._/-]+)*|https?://[A-Za-z0-9.-]+(?::[0-9]+)?/?)$`)
	reserved  = map[string]bool{"true": true, "false": true, "null": true, "yes": true, "no": true, "on": true, "y": true, "n": true, "nan": true, "inf": true}
)

// scalar writes a text so that YAML reads exactly that text.
func scalar(v string) string {
	if plainText.MatchString(v) && !reserved[strings.ToLower(v)] {
		return v
	}
	return quote(v)
}

// quote writes printable ASCII in double quotes.
func quote(v string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
}

// allNotes has what the key means in front of what is said about this value, the decisions last.
func (s *setting) allNotes() []note {
	notes := slices.Clone(s.notes)
	slices.SortStableFunc(notes, func(a, b note) int {
		switch {
		case a.decide == b.decide:
			return 0
		case b.decide:
			return -1
		}
		return 1
	})
	if more := len(notes) - maxNotes; more > 0 {
		notes = append(notes[:maxNotes], note{text: fmt.Sprintf("%d more of this kind are left out here.", more), decide: notes[len(notes)-1].decide})
	}
	return notes
}

func (p *printer) notes(indent string, notes []note) {
	for _, n := range notes {
		switch {
		case n.verbatim:
			p.line(indent + "#   " + plain(n.text))
		case n.decide:
			p.decisions = append(p.decisions, Decision{Line: p.lines + 1, Text: plain(n.text)})
			p.comment(indent, "CHECK: "+n.text)
		default:
			p.comment(indent, n.text)
		}
	}
}

func (p *printer) comment(indent, text string) {
	for _, line := range wrap(plain(text), columns-len(indent)-2) {
		p.line(indent + "# " + line)
	}
}

// wrap breaks a text at its spaces.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// wrapPolicy breaks a text behind its semicolons where it can, so that directives stay together.
func wrapPolicy(text string, width int) []string {
	var lines []string
	line := ""
	for part := range strings.SplitAfterSeq(text, "; ") {
		part = strings.TrimSuffix(part, " ")
		if line != "" && len(line)+1+len(part) > width {
			lines = append(lines, wrap(line, width)...)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+part, " ")
	}
	return append(lines, wrap(line, width)...)
}

// plain makes one line of printable ASCII of a text: everything else is written as an escape.
func plain(text string) string {
	var b strings.Builder
	word := 0
	for _, r := range text {
		if word++; r == ' ' {
			word = 0
		}
		switch {
		case word > maxWord:
		case word == maxWord:
			b.WriteString("...")
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// show quotes somebody else's text for a comment, cut where it is long.
func show(v string) string {
	if len(v) > maxShown {
		v = strings.ToValidUTF8(v[:maxShown], "") + "..."
	}
	return strconv.QuoteToASCII(v)
}
