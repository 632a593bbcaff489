package inline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/csp"
)

const (
	schema  = "merlon/hashes"
	version = 1

	maxManifestBytes = 64 << 20
	// maxSources bounds what one page adds to its policy: servers and proxies take header lines of 8 KiB.
	maxSources = 6 << 10
)

// Page has the hashes of a page's code, such as sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc=, each once and sorted.
type Page struct {
	Scripts  []string `json:"scripts,omitempty"`
	Styles   []string `json:"styles,omitempty"`
	Handlers []string `json:"handlers,omitempty"`         // event handlers and javascript: URLs; only where somebody asked for them
	Attrs    []string `json:"style-attributes,omitempty"` // the same holds
}

// Manifest has the pages of a site by path, as it stands in requests once decoded.
type Manifest struct {
	Pages map[string]Page
}

type file struct {
	Schema  string          `json:"schema"`
	Version int             `json:"version"`
	Pages   map[string]Page `json:"pages"`
}

// Sources are the hashes as a policy writes them, for script and for style directives.
func (p Page) Sources() (scripts, styles []string) {
	return sources(p.Scripts, p.Handlers), sources(p.Styles, p.Attrs)
}

func sources(elements, attributes []string) []string {
	var out []string
	for _, hash := range slices.Concat(elements, attributes) {
		if source := "'" + hash + "'"; !slices.Contains(out, source) {
			out = append(out, source)
		}
	}
	if len(attributes) > 0 {
		out = append(out, "'unsafe-hashes'")
	}
	return out
}

// NewPage hashes code. Handlers, style attributes and javascript: URLs count only if unsafe is set: a policy that allows their
// hashes lets whoever writes into the page put them at other elements.
func NewPage(code []Code, unsafe bool) Page {
	var p Page
	add := func(list *[]string, c Code) { *list = append(*list, "sha256-"+csp.Hash("sha256", c.Text)) }
	for _, c := range code {
		switch {
		case c.Kind == Script:
			add(&p.Scripts, c)
		case c.Kind == Style:
			add(&p.Styles, c)
		case c.Kind == Integrity:
			for _, hash := range strings.Fields(c.Text) {
				if hash, _, _ = strings.Cut(hash, "?"); hashForm.MatchString(hash) {
					p.Scripts = append(p.Scripts, hash)
				}
			}
		case unsafe && (c.Kind == Handler || c.Kind == URL):
			add(&p.Handlers, c)
		case unsafe && c.Kind == StyleAttr:
			add(&p.Attrs, c)
		}
	}
	for _, list := range p.lists() {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return p
}

func (p *Page) lists() []*[]string { return []*[]string{&p.Scripts, &p.Styles, &p.Handlers, &p.Attrs} }

var hashForm = regexp.MustCompile(`^sha(256-[A-Za-z0-9+/_-]{43}=|384-[A-Za-z0-9+/_-]{64}|512-[A-Za-z0-9+/_-]{86}==)$`)

// Check reports every mistake in the manifest, joined.
func (m Manifest) Check() error {
	var errs []error
	for _, path := range slices.Sorted(maps.Keys(m.Pages)) {
		p := m.Pages[path]
		if !strings.HasPrefix(path, "/") {
			errs = append(errs, fmt.Errorf("page %q: a path begins with /", path))
		}
		for _, list := range p.lists() {
			for _, hash := range *list {
				if !hashForm.MatchString(hash) {
					errs = append(errs, fmt.Errorf("page %s: %q is no hash, such as sha256- and 44 characters of base64", path, hash))
				}
			}
		}
		scripts, styles := p.Sources()
		if n := len(strings.Join(slices.Concat(scripts, styles), " ")); n > maxSources {
			errs = append(errs, fmt.Errorf("page %s: its hashes have %d bytes, over the limit of %d for a header (move code into files)", path, n, maxSources))
		}
	}
	return errors.Join(errs...)
}

// Read reads and checks the manifest with that name.
func Read(name string) (Manifest, error) {
	info, err := os.Stat(name)
	if err != nil {
		return Manifest{}, fmt.Errorf("reading hashes: %w", err)
	}
	if info.Size() > maxManifestBytes {
		return Manifest{}, fmt.Errorf("%s has %d bytes, over the limit of %d for hashes", name, info.Size(), maxManifestBytes)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return Manifest{}, fmt.Errorf("reading hashes: %w", err)
	}
	m, err := Decode(data)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// Decode reads and checks the text of a manifest.
func Decode(data []byte) (Manifest, error) {
	var head struct {
		Schema  string `json:"schema"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Manifest{}, err
	}
	if head.Schema != schema || head.Version != version {
		return Manifest{}, fmt.Errorf("schema %q, version %d: this merlon reads %s, version %d (make it anew with merlon csp hash)", head.Schema, head.Version, schema, version)
	}
	var f file
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Manifest{}, err
	}
	m := Manifest{Pages: f.Pages}
	return m, m.Check()
}

// Encode returns the manifest's text, the same for the same pages.
func (m Manifest) Encode() []byte {
	text, err := json.MarshalIndent(file{schema, version, m.Pages}, "", "  ")
	if err != nil { // strings only
		panic(err)
	}
	return append(text, '\n')
}

// Write writes the manifest in one step, so that a gateway never reads half of it.
func (m Manifest) Write(name string) error {
	if err := m.Check(); err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("writing hashes: %w", err)
	}
	defer os.Remove(next.Name())
	_, err = next.Write(m.Encode())
	if err := errors.Join(err, next.Chmod(0o644), next.Close()); err != nil {
		return fmt.Errorf("writing hashes: %w", err)
	}
	if err := os.Rename(next.Name(), name); err != nil {
		return fmt.Errorf("writing hashes: %w", err)
	}
	return nil
}

// Difference is a hash that one manifest has and another has not.
type Difference struct {
	Path, Kind, Hash string
	Gone             bool // or else it is new
}

// Differences lists what changes from before to after, by path.
func Differences(before, after Manifest) []Difference {
	var out []Difference
	paths := slices.Sorted(maps.Keys(before.Pages))
	for path := range after.Pages {
		if _, both := before.Pages[path]; !both {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		b, a := before.Pages[path], after.Pages[path]
		for i, kind := range []string{"script", "style", "handler", "style attribute"} {
			old, now := *b.lists()[i], *a.lists()[i]
			for _, hash := range old {
				if !slices.Contains(now, hash) {
					out = append(out, Difference{path, kind, hash, true})
				}
			}
			for _, hash := range now {
				if !slices.Contains(old, hash) {
					out = append(out, Difference{path, kind, hash, false})
				}
			}
		}
	}
	return out
}
