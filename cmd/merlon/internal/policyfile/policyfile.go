// Package policyfile reads merlon.yaml, the policy file of the tool: the library's configuration in YAML, one or
// several sites, and what the tool itself needs to know. Every mistake comes with line and column.
package policyfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cfgerrors"
)

// MaxBytes bounds a policy file.
const MaxBytes = 1 << 20

// ReportPath is where the gateway collects violations. Browsers' blockers know names such as csp-report.
const ReportPath = "/.merlon/r"

// File is a policy file that passed every check.
type File struct {
	Listen  string // address of the public listener; empty when the file has none
	Admin   string // address of the admin listener; empty when the file has none
	Data    string // directory of the database; empty when the file has none
	TLS     TLS
	NetHTTP bool // whether net/http's own transport speaks to applications over plain HTTP too
	H2C     bool // whether the public listener speaks HTTP/2 without TLS too

	Timeouts  Timeouts
	MaxHeader int64 // of a request, in bytes; 0 for the default
	Log       Log
	Shutdown  Shutdown
	Alerts    *Alerts // nil: nobody is told
	Sites     []Site  // at least one

	ReportLimits ReportLimits
	Retention    Retention

	Files []string // other files that it names: placeholders, certificates, keys
}

// Site is a set of hosts with one Guard.
type Site struct {
	Name   string   // the first host, or "default"
	Hosts  []string // lower case, with the port where it is not the scheme's; empty means every host
	App             // where no route says otherwise
	Routes []Route  // those on which the gateway itself does something different
	Guard  *merlon.Guard

	DocumentsToken string  // of programs that push counts of documents; "": none may
	Canary         float64 // the share of pages with a canary
	Noise          []NoiseRule
}

// Error is a mistake at a place in a policy file.
type Error struct {
	File         string
	Line, Column int // from 1
	Mistake      *cfgerrors.Error
}

// Error gives file, line, column and the mistake in one line, in the form that editors jump to.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %v", e.File, e.Line, e.Column, e.Mistake)
}

// Unwrap gives the mistake.
func (e *Error) Unwrap() error { return e.Mistake }

// Read reads and checks the file with that name. The error joins all mistakes, each an *Error, in the order of lines.
func Read(name string) (*File, error) { return read(name, Parse) }

// ReadForCollector is Read for what collects reports and forwards nothing: sites need no upstream, and then have none.
func ReadForCollector(name string) (*File, error) { return read(name, ParseForCollector) }

func read(name string, parse func(string, []byte) (*File, error)) (*File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("reading policy %q: %w", name, reason(err))
	}
	if info.Size() > MaxBytes {
		return nil, fmt.Errorf("%s has %d bytes, over the limit of %d for a policy file", name, info.Size(), MaxBytes)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading policy %q: %w", name, reason(err))
	}
	return parse(name, data)
}

// reason is err without the path, which the message names already.
func reason(err error) error {
	if path := (*os.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Parse checks the text of a policy file. The name is for messages only.
func Parse(name string, data []byte) (*File, error) { return parseFile(name, data, false) }

// ParseForCollector is Parse for what ReadForCollector reads.
func ParseForCollector(name string, data []byte) (*File, error) { return parseFile(name, data, true) }

func parseFile(name string, data []byte, forwardsNothing bool) (*File, error) {
	t, err := parse(data)
	var f *File
	if err == nil {
		r := &reader{tree: t, forwardsNothing: forwardsNothing}
		f = r.file()
		if err = errors.Join(r.errs...); err == nil {
			f.Files = r.files
		}
	}
	if err != nil {
		return nil, sorted(name, err)
	}
	return f, nil
}

// sorted puts the mistakes in the order of the file and adds its name.
func sorted(name string, err error) error {
	var list []*Error
	var walk func(error)
	walk = func(err error) {
		if e, ok := err.(*Error); ok {
			e.File = name
			list = append(list, e)
		} else if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				walk(e)
			}
		}
	}
	walk(err)
	slices.SortStableFunc(list, func(a, b *Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	errs := make([]error, len(list))
	for i, e := range list {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// reader takes a tree apart: the tool's keys here, the rest to the library.
type reader struct {
	*tree
	forwardsNothing bool // so that sites need no upstream
	errs            []error
	files           []string
}

// report adds mistakes, each at the place of its field below path.
func (r *reader) report(path string, err error) {
	for m := range cfgerrors.All(cfgerrors.Under(path, err)) {
		at := r.locate(m.Field)
		r.errs = append(r.errs, &Error{Line: at.line, Column: at.column, Mistake: m})
	}
}

func (r *reader) wrong(path string, code cfgerrors.Code, value, text, hint string) {
	r.report(path, &cfgerrors.Error{Code: code, Value: value, Text: text, Hint: hint})
}

func (r *reader) file() *File {
	top, ok := r.root.(map[string]any)
	if !ok {
		r.wrong("", cfgerrors.WrongType, "", "a policy file is a map of keys", "begin it with version: 1")
		return nil
	}
	r.version(top["version"])
	f := &File{Listen: r.address(top, "", "listen", "127.0.0.1:8080"), Admin: r.address(top, "", "admin", "127.0.0.1:7780"), Data: r.text(top, "", "data"), TLS: r.tls(top["tls"]),
		H2C: r.flag(top, "", "h2c"), NetHTTP: r.oneOf(top, "", "transport", transports) == "net/http", Timeouts: r.timeouts(top["timeouts"]), MaxHeader: r.maxHeader(top["max-header"]),
		Log: r.log(top["log"]), Shutdown: r.shutdown(top["shutdown"]), Alerts: r.alerts(top["alerts"]), ReportLimits: r.reportLimits(top["report-limits"]),
		Retention: r.retention(top["retention"])}
	sites, several := top["sites"]
	rest := maps.Clone(top)
	for _, key := range fileKeys.names() {
		delete(rest, key)
	}
	if !several {
		f.Sites = []Site{r.site("", rest)}
		r.acmeSites(f)
		return f
	}
	for key := range rest {
		r.wrong(key, cfgerrors.UnknownKey, "", "beside sites: only the keys "+strings.Join(fileKeys.names(), ", ")+" stand at the top", "move it into a site")
	}
	f.Sites = r.sites(sites)
	r.acmeSites(f)
	return f
}

// formatVersion is the version of policy files that this merlon reads.
const formatVersion = 1

// version tells a file for a newer merlon from one that means this version and says it in another way.
func (r *reader) version(v any) {
	const write = "write version: 1"
	text := fmt.Sprint(v)
	number, err := strconv.ParseFloat(text, 64)
	isNumber := err == nil && strings.Trim(text, "+-.0123456789eE") == ""
	switch {
	case v == nil:
		r.wrong("", cfgerrors.Missing, "", "the version of the file's format is missing", "begin it with version: 1")
	case text == strconv.Itoa(formatVersion):
	case !isNumber:
		r.wrong("version", cfgerrors.InvalidValue, text, "this is the number of the file's format, not of a program", write)
	case number < formatVersion:
		r.wrong("version", cfgerrors.InvalidValue, text, "no version comes before 1", write)
	case strings.Trim(text, "0123456789") != "" || number == formatVersion:
		r.wrong("version", cfgerrors.InvalidValue, text, "a version is a whole number, without point or zeros", write)
	default:
		r.wrong("version", cfgerrors.InvalidValue, text, "the file is for a newer merlon; this one reads version 1",
			"get a newer merlon; a file that you write for this one begins with version: 1")
	}
}

func (r *reader) sites(v any) []Site {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		r.wrong("sites", cfgerrors.WrongType, "", "sites is a list", "write each site as - hosts: [shop.example]")
		return nil
	}
	var out []Site
	seen := map[string]bool{}
	for i, item := range list {
		path := fmt.Sprintf("sites[%d]", i)
		keys, ok := item.(map[string]any)
		if !ok {
			r.wrong(path, cfgerrors.WrongType, "", "a site is a map of keys", "")
			continue
		}
		s := r.site(path, keys)
		if len(s.Hosts) == 0 && len(list) > 1 {
			r.wrong(path, cfgerrors.Missing, "", "one of several sites names its hosts", "write hosts: [shop.example]")
		}
		for j, h := range s.Hosts {
			if seen[h] {
				r.wrong(fmt.Sprintf("%s.hosts[%d]", path, j), cfgerrors.Conflict, h, "another site has this host already", "")
			}
			seen[h] = true
		}
		out = append(out, s)
	}
	return out
}

func (r *reader) site(path string, keys map[string]any) Site {
	keys = maps.Clone(keys)
	s := Site{Name: "default", Hosts: r.hosts(keys, path), App: r.siteApp(keys, path)}
	s.Routes = r.routes(keys, path, s.App)
	s.DocumentsToken = r.documentsToken(keys["documents"], under(path, "documents"))
	s.Canary = r.canary(keys, path)
	s.Noise = r.noise(keys["noise"], under(path, "noise"))
	for _, key := range siteKeys.names() {
		delete(keys, key)
	}
	if len(s.Hosts) > 0 {
		s.Name = s.Hosts[0]
	}
	if len(s.Hosts) == 0 { // the mistakes in it are told
		delete(keys, "hosts")
	}
	data, err := json.Marshal(keys)
	if err != nil { // the tree holds only what JSON can say
		panic(err)
	}
	config, err := merlon.ParseConfig(data)
	r.report(path, teach(err))
	if err != nil {
		return s
	}
	if config.Reports == "" {
		config.Reports = ReportPath
	}
	if strings.HasPrefix(config.Reports, "/") && config.Reports != ReportPath {
		r.wrong(under(path, "reports"), cfgerrors.InvalidValue, config.Reports, "the gateway collects on "+ReportPath+" and passes every other path on",
			"leave the key out, or write off or an https URL of another collector")
		return s
	}
	if s.Guard, err = merlon.New(config); err != nil { // ParseConfig has checked all but ReportPath, which is good
		panic(err)
	}
	return s
}
