package starter

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Bounds of an nginx configuration. maxFileBytes is for all files together.
const (
	maxNginxFiles = 64
	maxNginxDepth = 16 // blocks in blocks, and files in files
)

// nginxReader reads a configuration and what it includes from the directory of the first file.
type nginxReader struct {
	dir     string     // of the first file
	shown   string     // the same as it was named
	root    *directive // the whole configuration
	left    int64      // bytes that may still be read
	files   int
	skipped []note // includes that were not read
}

// parse reads one file. https://nginx.org/en/docs/beginners_guide.html#conf_structure; the tokens are those of
// ngx_conf_read_token.
func (n *nginxReader) parse(name string, data []byte, depth int) ([]*directive, error) {
	z := &nginxScanner{name: plain(name), text: strings.TrimPrefix(string(data), "\ufeff"), line: 1}
	out, err := n.block(z, depth)
	if err == nil && z.pos < len(z.text) {
		err = z.wrong("a } closes nothing")
	}
	return out, err
}

type nginxScanner struct {
	name, text string
	pos, line  int
}

func (z *nginxScanner) wrong(what string) error { return fmt.Errorf("%s:%d: %s", z.name, z.line, what) }

// block reads directives up to the } that ends the block, which is left there, or the end of the file.
func (n *nginxReader) block(z *nginxScanner, depth int) ([]*directive, error) {
	if depth > maxNginxDepth {
		return nil, z.wrong(fmt.Sprintf("nested deeper than %d", maxNginxDepth))
	}
	out := []*directive{}
	for {
		words, end, err := z.statement()
		if err != nil {
			return nil, err
		}
		if words == nil {
			return out, nil
		}
		d := &directive{name: strings.ToLower(words[0]), args: words[1:], at: fmt.Sprintf("%s:%d", z.name, z.line)}
		switch {
		case end == '{' && strings.HasSuffix(d.name, "_by_lua_block"):
			err = z.skipCode()
			d.block = []*directive{}
		case end == '{':
			if d.block, err = n.block(z, depth+1); err == nil {
				err = z.close(d)
			}
		case d.name == "include" && len(d.args) == 1:
			var included []*directive
			if included, err = n.include(d, depth); err == nil {
				out = append(out, included...)
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
}

func (z *nginxScanner) close(d *directive) error {
	if z.pos >= len(z.text) {
		return fmt.Errorf("%s: the { of %s is never closed", d.at, show(d.name))
	}
	z.pos++
	return nil
}

// statement reads words up to ; or {. It gives none at a } and at the end.
func (z *nginxScanner) statement() (words []string, end byte, err error) {
	for {
		z.space()
		if z.pos >= len(z.text) {
			if words != nil {
				return nil, 0, z.wrong("the file ends in a directive (a ; is missing)")
			}
			return nil, 0, nil
		}
		switch c := z.text[z.pos]; {
		case c == '}':
			if words != nil {
				return nil, 0, z.wrong("a } in a directive (a ; is missing)")
			}
			return nil, '}', nil
		case c == ';' || c == '{':
			if words == nil {
				return nil, 0, z.wrong(fmt.Sprintf("%q without a directive", string(c)))
			}
			z.pos++
			return words, c, nil
		}
		word, err := z.word()
		if err != nil {
			return nil, 0, err
		}
		words = append(words, word)
	}
}

// space passes over white space and comments.
func (z *nginxScanner) space() {
	for ; z.pos < len(z.text); z.pos++ {
		switch c := z.text[z.pos]; {
		case c == '\n':
			z.line++
		case c == ' ' || c == '\t' || c == '\r':
		case c == '#':
			for z.pos+1 < len(z.text) && z.text[z.pos+1] != '\n' {
				z.pos++
			}
		default:
			return
		}
	}
}

// word reads one word, in quotes or not. ${ does not open a block.
func (z *nginxScanner) word() (string, error) {
	var b strings.Builder
	quote := z.text[z.pos]
	if quote == '"' || quote == '\'' {
		z.pos++
	} else {
		quote = 0
	}
	start := z.line
	for ; z.pos < len(z.text); z.pos++ {
		c := z.text[z.pos]
		switch {
		case quote != 0 && c == quote:
			z.pos++
			if z.pos < len(z.text) && !strings.ContainsRune(" \t\r\n;{)", rune(z.text[z.pos])) {
				return "", z.wrong("a space or ; is missing behind a quote")
			}
			return b.String(), nil
		case quote == 0 && (strings.ContainsRune(" \t\r\n;", rune(c)) || c == '{' && !strings.HasSuffix(b.String(), "$")):
			return b.String(), nil
		case c == '\\' && z.pos+1 < len(z.text):
			z.pos++
			b.WriteString(nginxEscape(z.text[z.pos]))
			c = z.text[z.pos]
		default:
			b.WriteByte(c)
		}
		if c == '\n' {
			z.line++
		}
	}
	if quote != 0 {
		return "", fmt.Errorf("%s:%d: a quote is never closed", z.name, start)
	}
	return b.String(), nil
}

// nginxEscape is what a backslash and c say.
func nginxEscape(c byte) string {
	switch c {
	case '"', '\'', '\\':
		return string(c)
	case 't':
		return "\t"
	case 'r':
		return "\r"
	case 'n':
		return "\n"
	}
	return `\` + string(rune(c))
}

// code matches what may hold a brace in Lua without opening or closing anything.
var code = regexp.MustCompile(`^(?:--[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')`)

// skipCode passes over a block in another language, by its braces.
func (z *nginxScanner) skipCode() error {
	for depth := 1; z.pos < len(z.text); z.pos++ {
		switch c := z.text[z.pos]; c {
		case '\n':
			z.line++
		case '"', '\'', '-':
			z.pos += max(len(code.FindString(z.text[z.pos:]))-1, 0)
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				z.pos++
				return nil
			}
		}
	}
	return z.wrong("a block of code is never closed")
}

// include reads the files that a pattern names, if they lie in the directory of the first file or below it.
func (n *nginxReader) include(d *directive, depth int) ([]*directive, error) {
	pattern := d.args[0]
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(n.dir, pattern)
	}
	inside, err := filepath.Rel(n.dir, filepath.Clean(pattern))
	if err != nil || inside == ".." || strings.HasPrefix(inside, ".."+string(filepath.Separator)) {
		n.skip(d, "it is outside of the directory of the first file")
		return nil, nil
	}
	names, err := filepath.Glob(pattern)
	switch {
	case err == nil && len(names) == 0 && strings.ContainsAny(pattern, "*?["): // as in a fresh installation
		n.skipped = append(n.skipped, note{text: fmt.Sprintf("%s: include %s finds no file here, which is no mistake to nginx.", d.at, show(d.args[0]))})
		return nil, nil
	case err != nil || len(names) == 0:
		n.skip(d, "there is no such file")
		return nil, nil
	}
	var out []*directive
	for _, name := range names {
		if n.files++; n.files > maxNginxFiles {
			return nil, fmt.Errorf("%s: more than %d files are included", d.at, maxNginxFiles)
		}
		data, err := readFile(name, n.left)
		if err != nil {
			n.skip(d, err.Error())
			continue
		}
		n.left -= int64(len(data))
		if inside, err := filepath.Rel(n.dir, name); err == nil {
			name = filepath.Join(n.shown, inside)
		}
		list, err := n.parse(name, data, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// harmless are files of nginx's packages that say nothing about headers of responses.
var harmless = []string{"mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params"}

func (n *nginxReader) skip(d *directive, why string) {
	if !slices.Contains(harmless, filepath.Base(d.args[0])) {
		n.skipped = append(n.skipped, note{text: fmt.Sprintf("%s: include %s is not read: %s. What it says is not in this file.", d.at, show(d.args[0]), why), decide: true})
	}
}

// readNginx reads a configuration with what it includes.
func readNginx(name string, data []byte) (*nginxReader, error) {
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	n := &nginxReader{dir: dir, shown: filepath.Dir(name), left: maxFileBytes - int64(len(data))}
	list, err := n.parse(name, data, 0)
	n.root = &directive{block: list}
	n.root.adopt()
	return n, err
}

// relativeTo is a path of the configuration as the process that runs here finds it.
func (n *nginxReader) relativeTo(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	joined := filepath.Join(n.dir, path)
	if here, err := os.Getwd(); err == nil {
		if short, err := filepath.Rel(here, joined); err == nil && !strings.HasPrefix(short, "..") {
			return short
		}
	}
	return joined
}
