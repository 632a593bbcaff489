package starter

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// setting is a key with its value and what is said above it.
type setting struct {
	key   string
	value any // string, bool, []string, []*setting (keys), [][]*setting (a list of such); nil: only the notes are printed
	notes []note
	taken bool // from the source, not from us
}

// note is a comment.
type note struct {
	text     string
	decide   bool // a person must look
	verbatim bool // a line of YAML to copy: not wrapped
}

func (s *setting) note(format string, args ...any) *setting {
	s.notes = append(s.notes, note{text: fmt.Sprintf(format, args...)})
	return s
}

// check notes what a person must decide.
func (s *setting) check(format string, args ...any) *setting {
	s.notes = append(s.notes, note{text: fmt.Sprintf(format, args...), decide: true})
	return s
}

// example notes a line to copy, which stays behind the note before it.
func (s *setting) example(line string) *setting {
	decide := len(s.notes) > 0 && s.notes[len(s.notes)-1].decide
	s.notes = append(s.notes, note{text: line, verbatim: true, decide: decide})
	return s
}

func (s *setting) fromSource() *setting {
	s.taken = true
	return s
}

// child returns the setting under a key of a group, made if it is not there.
func (s *setting) child(key string) *setting {
	group, _ := s.value.([]*setting)
	for _, c := range group {
		if c.key == key {
			return c
		}
	}
	c := &setting{key: key}
	s.value = append(group, c)
	return c
}

// silent reports whether nothing would be printed.
func (s *setting) silent() bool {
	group, isGroup := s.value.([]*setting)
	return len(s.notes) == 0 && (s.value == nil || isGroup && !slices.ContainsFunc(group, func(c *setting) bool { return !c.silent() }))
}

// live reports whether a group has a value anywhere.
func live(list []*setting) bool {
	return slices.ContainsFunc(list, func(s *setting) bool {
		if group, ok := s.value.([]*setting); ok {
			return live(group)
		}
		return s.value != nil
	})
}

// site is one site of a draft.
type site struct {
	settings []*setting
	nonced   bool // the source's enforced policy has a nonce
}

// order is how the keys of a site follow each other; keys that are not here come before cookies.
var order = []string{"hosts", "upstream", "max-body", "preset", "frame", "csp", "trial", "nonce", "reports", "report-sample", "", "headers", "cookies", "https", "routes"}

func rank(key string) int {
	if i := slices.Index(order, key); i >= 0 {
		return i
	}
	return slices.Index(order, "")
}

// sorted returns the settings that print something, in their order.
func (s *site) sorted() []*setting {
	s.settings = slices.DeleteFunc(s.settings, func(x *setting) bool { return x.silent() })
	slices.SortStableFunc(s.settings, func(a, b *setting) int { return cmp.Compare(rank(a.key), rank(b.key)) })
	return s.settings
}

// at returns the setting of a key, made without a value if it is not there.
func (s *site) at(key string) *setting {
	for _, x := range s.settings {
		if x.key == key {
			return x
		}
	}
	x := &setting{key: key}
	s.settings = append(s.settings, x)
	return x
}

func (s *site) set(key string, value any) *setting {
	x := s.at(key)
	x.value = value
	return x
}

// https returns a key under https.
func (s *site) https(key string) *setting { return s.at("https").child(key) }

func (s *site) has(key string) bool {
	return slices.ContainsFunc(s.settings, func(x *setting) bool { return x.key == key && hasValue(x) })
}

// maxRoutes bounds the routes of a site.
const maxRoutes = 500

// addRoute adds a route with what is said above it.
func (s *site) addRoute(keys []*setting, notes ...note) {
	r := s.at("routes")
	list, _ := r.value.([][]*setting)
	if len(list) >= maxRoutes {
		r.check("the route %s is left out: there are more than %d.", show(fmt.Sprint(keys[0].value)), maxRoutes)
		return
	}
	keys[0].notes = append(keys[0].notes, notes...)
	r.value = append(list, keys)
	r.taken = true
}

// drop takes out what stands at path and says why in its place.
func (d *draft) drop(path string, m *cfgerrors.Error) bool {
	why := fmt.Sprintf("%s (%s)", m.Text, m.Hint)
	if m.Hint == "" {
		why = m.Text
	}
	if m.Value != "" {
		why = show(m.Value) + ": " + why
	}
	if dropIn(d.file, path, why) {
		return true
	}
	if len(d.sites) == 1 {
		return dropIn(d.sites[0].sorted(), path, why)
	}
	i, rest, ok := item(strings.TrimPrefix(path, "sites"))
	if !ok || i >= len(d.sites) {
		return false
	}
	if rest != "" && dropIn(d.sites[i].sorted(), rest, why) {
		return true
	}
	if len(d.sites) == 1 {
		return false
	}
	d.tail = append(d.tail, note{text: "one site could not be kept: " + why + " Its upstream was " + show(fmt.Sprint(d.sites[i].at("upstream").value)) + ".", decide: true})
	d.sites = slices.Delete(d.sites, i, i+1)
	return true
}

// item reads "[3].rest".
func item(path string) (i int, rest string, ok bool) {
	number, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
	i, err := strconv.Atoi(number)
	return i, strings.TrimPrefix(rest, "."), ok && err == nil && i >= 0
}

// below cuts key from the beginning of path. Names of headers may hold dots.
func below(path, key string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, key)
	return strings.TrimPrefix(rest, "."), ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

func dropIn(list []*setting, path, why string) bool {
	for _, s := range list {
		rest, ok := below(path, s.key)
		if !ok || s.value == nil {
			continue
		}
		if s.dropPart(rest, why) {
			return true
		}
		s.reject(why)
		return true
	}
	return false
}

// dropPart takes out one part of the value, if the path leads to one.
func (s *setting) dropPart(path, why string) bool {
	i, rest, numbered := item(path)
	switch v := s.value.(type) {
	case []*setting:
		return dropIn(v, path, why)
	case []string:
		if !numbered || i >= len(v) {
			return false
		}
		s.check("%s is not kept: %s.", show(v[i]), why)
		if s.value = slices.Delete(v, i, i+1); len(v) == 1 {
			s.value = nil
		}
		return true
	case [][]*setting:
		if !numbered || i >= len(v) {
			return false
		}
		inside := rest != "match" && rest != "reason" && dropIn(v[i], rest, why)
		if inside && slices.ContainsFunc(v[i], func(c *setting) bool { return c.key != "match" && c.key != "reason" && c.value != nil }) {
			return true
		}
		s.check("the route %s is not kept: %s.", show(fmt.Sprint(v[i][0].value)), why)
		if s.value = slices.Delete(v, i, i+1); len(v) == 1 {
			s.value = nil
		}
		return true
	}
	return false
}

// reject turns the setting into a comment.
func (s *setting) reject(why string) {
	text, isText := s.value.(string)
	if isText {
		text = " " + show(text)
	}
	s.check("%s%s is not kept: %s.", s.key, text, why)
	s.value = nil
}

// sanitize takes out texts that hold what no header, host or path of a file may hold: they would need escapes.
func (d *draft) sanitize() {
	var walk func([]*setting)
	walk = func(list []*setting) {
		for _, s := range list {
			if !printable(s.key) {
				s.value = nil
			}
			switch v := s.value.(type) {
			case string:
				if !printable(v) || v == "" {
					s.reject("it holds characters that are not printable ASCII")
				}
			case []string:
				for i := len(v) - 1; i >= 0; i-- {
					if !printable(v[i]) || v[i] == "" {
						s.dropPart(fmt.Sprintf("[%d]", i), "it holds characters that are not printable ASCII")
						v, _ = s.value.([]string)
					}
				}
			case []*setting:
				walk(v)
			case [][]*setting:
				for i := len(v) - 1; i >= 0; i-- {
					walk(v[i])
					if v[i][0].value == nil {
						s.dropPart(fmt.Sprintf("[%d].match", i), "it holds characters that are not printable ASCII")
						v, _ = s.value.([][]*setting)
					}
				}
			}
		}
	}
	walk(d.file)
	for _, s := range d.sites {
		walk(s.settings)
	}
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
