// Package starter writes a first policy file: a blank one with what each line means, or one that says what a live site, a
// Django settings file or an nginx configuration says already.
//
// What is read is other people's text. It ends up in a file that configures a proxy, so nothing of it may leave the comment
// or the quotes that it stands in, and no file is made that [policyfile.Parse] refuses: what cannot be kept becomes a comment.
package starter

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// DefaultUpstream is where an application is looked for when nobody says where it listens.
const DefaultUpstream = "http://127.0.0.1:8000"

// Options say what the sources do not.
type Options struct {
	Upstream string // the application's address; "" if nobody said it, and then a person must check it
	Output   string // the name of the file that is written, for messages
}

// Result is a policy file that passes every check.
type Result struct {
	Text      []byte
	Taken     []string // keys that the source has filled, such as "csp"
	Decisions []Decision
}

// Decision is a line that a person must look at.
type Decision struct {
	Line int // of the comment that begins with CHECK
	Text string
}

// Fresh makes a starter for an application of which nothing is known: compat enforced, strict on trial.
func Fresh(o Options) (*Result, error) {
	d := newDraft("merlon init")
	d.file = []*setting{(&setting{key: "listen"}).note("The keys of a public gateway (docs/tls.md, docs/operations.md). Absent: 127.0.0.1:8080, plain HTTP, no access log, 4s for what is in flight at the end. accept_tos says that you accept the terms of the CA, which is Let's Encrypt.").
		example("listen: 0.0.0.0:443").example("tls: {http: 0.0.0.0:80, acme: {accept_tos: true}}").example("log: {access: on}").example("shutdown: {drain: 30s}")}
	s := d.site(o)
	s.at("max-body").note("The largest body of a request; without this key there is no limit, because bodies stream by.").example("max-body: 10MB")
	s.fill(true)
	return d.finish(o.Output)
}

// draft is a policy file in the making.
type draft struct {
	source string     // what it is made from
	file   []*setting // keys that stand above all sites
	sites  []*site
	tail   []note // about what has no place
}

func newDraft(source string) *draft { return &draft{source: source} }

// site adds a site with its upstream.
func (d *draft) site(o Options) *site {
	s := &site{}
	d.sites = append(d.sites, s)
	if o.Upstream != "" {
		s.set("upstream", o.Upstream)
		return s
	}
	s.set("upstream", DefaultUpstream).check("where your application listens: scheme, host and port.")
	return s
}

// finish checks the draft as the gateway does, takes out what does not pass, and prints it.
func (d *draft) finish(name string) (*Result, error) {
	d.sanitize()
	for range maxRounds {
		p := d.print()
		if p.text.Len() > policyfile.MaxBytes {
			return nil, fmt.Errorf("what %s says makes a policy file of %d bytes, over the limit of %d", plain(d.source), p.text.Len(), policyfile.MaxBytes)
		}
		text := []byte(p.text.String())
		file, err := policyfile.Parse(name, text)
		if err == nil {
			if err := loads(file.TLS); err != nil {
				return nil, err
			}
			return &Result{Text: text, Taken: d.taken(), Decisions: p.decisions}, nil
		}
		if !d.dropAll(err) {
			return nil, fmt.Errorf("no policy file can be made of %s: %w", plain(d.source), err)
		}
	}
	return nil, fmt.Errorf("no policy file can be made of %s: it has too many mistakes", plain(d.source))
}

// loads checks what `merlon config check` checks besides the text.
func loads(t policyfile.TLS) error {
	for _, c := range t.Certs {
		if _, err := tls.LoadX509KeyPair(c.Cert, c.Key); err != nil {
			return fmt.Errorf("the certificate %s and the key %s: %w", c.Cert, c.Key, err)
		}
	}
	return nil
}

// taken lists the keys that come from the source, each once.
func (d *draft) taken() []string {
	var out []string
	seen := map[string]bool{}
	var walk func(prefix string, list []*setting)
	walk = func(prefix string, list []*setting) {
		for _, s := range list {
			key := strings.TrimPrefix(prefix+"."+s.key, ".")
			if s.taken && s.value != nil && !seen[key] {
				seen[key] = true
				out = append(out, key)
			}
			if group, ok := s.value.([]*setting); ok {
				walk(key, group)
			}
		}
	}
	walk("", d.file)
	for _, s := range d.sites {
		walk("", s.sorted())
	}
	return out
}

// maxRounds bounds how often a draft is checked: taking one thing out can make a mistake of another, such as preload
// without a redirect. The longest such chain has four links.
const maxRounds = 40

// dropAll takes out what the mistakes in err are about, and reports whether there was something to take out.
func (d *draft) dropAll(err error) bool {
	mistakes := map[string]*policyfile.Error{}
	var order []string
	for _, e := range mistakesIn(err) {
		if mistakes[e.Mistake.Field] == nil {
			order = append(order, e.Mistake.Field)
			mistakes[e.Mistake.Field] = e
		}
	}
	dropped := false
	for i := len(order) - 1; i >= 0; i-- { // from the end, so that the numbers of the items before stay
		dropped = d.drop(order[i], mistakes[order[i]].Mistake) || dropped
	}
	return dropped
}

func mistakesIn(err error) []*policyfile.Error {
	if e := (*policyfile.Error)(nil); errors.As(err, &e) {
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			var out []*policyfile.Error
			for _, err := range many.Unwrap() {
				out = append(out, mistakesIn(err)...)
			}
			return out
		}
		return []*policyfile.Error{e}
	}
	return nil
}
