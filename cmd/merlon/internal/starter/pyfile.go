package starter

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// pyVar is what is known of a variable after all lines.
type pyVar struct {
	value any
	known bool
	why   string // why it is not known
	at    string // file:line
}

// pySettings are the variables of a settings file and of those that it begins from.
type pySettings struct {
	vars    map[string]pyVar
	imports map[string]string // local names to what they stand for
	skipped []string          // star imports that were not read, with their place
	left    int64             // bytes that may still be read
	files   map[string]bool
}

// maxPyFiles bounds the files that a settings file and its bases are.
const maxPyFiles = 16

// readSettings reads a settings file. Nothing of it is run.
func readSettings(name string, data []byte) (*pySettings, error) {
	s := &pySettings{vars: map[string]pyVar{}, imports: map[string]string{}, left: maxFileBytes - int64(len(data)), files: map[string]bool{}}
	return s, s.read(name, data)
}

func (s *pySettings) read(name string, data []byte) error {
	s.files[filepath.Clean(name)] = true
	tokens, err := pyTokens(data)
	if err != nil {
		return fmt.Errorf("%s:%w", plain(name), err)
	}
	block := "" // the line that opened the block which the next lines are in
	for len(tokens) > 0 {
		end := slices.IndexFunc(tokens, func(t pyToken) bool { return t.kind == "newline" })
		line := tokens[:end]
		tokens = tokens[end+1:]
		if len(line) == 0 {
			continue
		}
		if line[0].col == 0 {
			block = ""
		}
		for len(line) > 0 {
			statement := line
			if i := topLevel(line, ";"); i >= 0 {
				statement, line = line[:i], line[i+1:]
			} else {
				line = nil
			}
			if len(statement) > 0 {
				block = s.statement(name, statement, block)
			}
		}
	}
	return nil
}

// topLevel finds an operator outside of brackets.
func topLevel(tokens []pyToken, op string) int {
	depth := 0
	for i, t := range tokens {
		switch {
		case t.kind != "op":
		case strings.Contains("([{", t.text):
			depth++
		case strings.Contains(")]}", t.text):
			depth--
		case depth == 0 && t.text == op:
			return i
		}
	}
	return -1
}

var pyBlocks = []string{"if", "elif", "else", "try", "except", "finally", "for", "while", "with", "def", "class", "async", "match", "@"}

// statement reads one statement and returns the block that the next lines are in.
func (s *pySettings) statement(file string, t []pyToken, block string) string {
	at := fmt.Sprintf("%s:%d", plain(file), t[0].line)
	if slices.Contains(pyBlocks, t[0].text) && t[0].kind != "string" {
		if i := topLevel(t, ":"); i >= 0 && i+1 < len(t) { // if DEBUG: X = 1
			s.statement(file, t[i+1:], fmt.Sprintf("the block %s at %s", t[0].text, at))
		}
		if block != "" {
			return block
		}
		return fmt.Sprintf("the block %s at %s", t[0].text, at)
	}
	switch {
	case t[0].text == "from" || t[0].text == "import":
		s.importing(file, t, at, block)
	case t[0].text == "del":
		for _, x := range t[1:] {
			s.lose(x.text, "it is deleted", at)
		}
	case t[0].kind == "name":
		s.assign(t, at, block)
	case t[0].text == "(" || t[0].text == "[" || t[0].text == "*": // (A, B) = ...
		if i := topLevel(t, "="); i >= 0 {
			s.loseAll(t[:i], "it is one of several that are set together", at)
		}
	}
	return block
}

// lose notes that a variable is not known any more.
func (s *pySettings) lose(name, why, at string) { s.vars[name] = pyVar{why: why, at: at} }

func (s *pySettings) loseAll(t []pyToken, why, at string) {
	for _, x := range t {
		if x.kind == "name" {
			s.lose(x.text, why, at)
		}
	}
}

// assign reads a line that begins with a name.
func (s *pySettings) assign(t []pyToken, at, block string) {
	name := t[0].text
	switch next := second(t); {
	case next == "." || next == "[":
		if _, set := s.vars[name]; set {
			s.lose(name, "it is changed by a line that is not read", at)
		}
		return
	case next == ",":
		if i := topLevel(t, "="); i >= 0 {
			s.loseAll(t[:i], "it is one of several that are set together", at)
		}
		return
	case next == ":": // with a type
		i := topLevel(t, "=")
		if i < 0 {
			return
		}
		t = append([]pyToken{t[0]}, t[i:]...)
	case next != "=" && next != "+=":
		if strings.HasSuffix(next, "=") && next != "==" {
			s.lose(name, "it is changed by "+next, at)
		}
		return
	}
	if block != "" {
		s.lose(name, "it depends on "+block, at)
		return
	}
	targets := []string{name}
	add, expression := t[1].text == "+=", t[2:]
	for len(expression) > 2 && expression[0].kind == "name" && expression[1].text == "=" { // A = B = value
		targets, expression = append(targets, expression[0].text), expression[2:]
	}
	v, err := pyEval(expression, s.lookup)
	if old := s.vars[name]; add && err == nil {
		if !old.known {
			err = errNotLiteral
		} else {
			v, err = pyAdd(old.value, v, "+")
		}
	}
	for _, target := range targets {
		s.vars[target] = pyVar{value: v, known: err == nil, at: at}
		if err != nil {
			s.lose(target, "its value is no literal: "+source(expression), at)
		}
	}
}

func second(t []pyToken) string {
	if len(t) > 1 && t[1].kind == "op" {
		return t[1].text
	}
	return ""
}

// pyWords are operators that are words.
var pyWords = []string{"if", "else", "or", "and", "not", "in", "is", "for", "lambda"}

// source is an expression as it was written, more or less, for a comment. Strings are not shown: they may be secrets.
func source(t []pyToken) string {
	var b strings.Builder
	for _, x := range t {
		switch {
		case b.Len() > maxShown:
			return b.String() + "..."
		case x.kind == "string":
			b.WriteString("'...'")
		case slices.Contains(pyWords, x.text):
			b.WriteString(" " + x.text + " ")
		case x.text == ",":
			b.WriteString(", ")
		default:
			b.WriteString(x.text)
		}
	}
	return strings.TrimSpace(b.String())
}

// constants are the names that django.utils.csp and django-csp have for sources, under what they are imported from.
var constants = map[string]string{"SELF": "'self'", "NONE": "'none'", "UNSAFE_INLINE": "'unsafe-inline'", "UNSAFE_EVAL": "'unsafe-eval'", "UNSAFE_HASHES": "'unsafe-hashes'",
	"WASM_UNSAFE_EVAL": "'wasm-unsafe-eval'", "STRICT_DYNAMIC": "'strict-dynamic'", "REPORT_SAMPLE": "'report-sample'", "INLINE_SPECULATION_RULES": "'inline-speculation-rules'",
	"NONCE": "'nonce-django'"}

func (s *pySettings) lookup(dotted string) (any, bool) {
	if v, ok := s.vars[dotted]; ok {
		return v.value, v.known
	}
	first, rest, more := strings.Cut(dotted, ".")
	full := dotted
	if from, ok := s.imports[first]; ok {
		full = from
		if more {
			full += "." + rest
		}
	}
	for _, module := range []string{"django.utils.csp.CSP.", "csp.constants."} {
		if name, ok := strings.CutPrefix(full, module); ok {
			v, known := constants[name]
			return v, known
		}
	}
	return nil, false
}

// importing notes what names stand for, and reads a base beside the file: from .base import *
func (s *pySettings) importing(file string, t []pyToken, at, block string) {
	words := make([]string, 0, len(t))
	for _, x := range t[1:] {
		if x.text != "(" && x.text != ")" {
			words = append(words, x.text)
		}
	}
	i := slices.Index(words, "import")
	if t[0].text == "import" {
		i = -1
	} else if i < 0 {
		return
	}
	module := strings.Join(words[:max(i, 0)], "")
	for part := range strings.SplitSeq(strings.Join(words[i+1:], " "), ",") {
		names := strings.Split(strings.ReplaceAll(part, " . ", "."), " as ")
		name := strings.TrimSpace(names[0])
		local := strings.TrimSpace(names[len(names)-1])
		switch {
		case name == "*":
			s.star(file, module, at, block)
		case module != "":
			s.imports[local] = module + "." + name
			delete(s.vars, local)
		case len(names) > 1:
			s.imports[local] = name
		}
	}
}

func (s *pySettings) star(file, module, at, block string) {
	name, relative := strings.CutPrefix(module, ".")
	if module == "csp.constants" {
		for c := range constants {
			s.imports[c] = module + "." + c
		}
		return
	}
	path := filepath.Join(filepath.Dir(file), name+".py")
	if !relative || !pyName.MatchString(name) || strings.ContainsAny(name, "./\\") || block != "" || s.files[path] || len(s.files) >= maxPyFiles {
		s.skipped = append(s.skipped, at+": from "+module+" import *")
		return
	}
	data, err := readFile(path, s.left)
	if err == nil {
		s.left -= int64(len(data))
		err = s.read(path, data)
	}
	if err != nil {
		s.skipped = append(s.skipped, at+": from "+module+" import * ("+err.Error()+")")
	}
}
