package csp

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// means are how an element passes a source list other than by its URL: its nonce, its hashes, and that a script made it.
type means struct {
	nonces    []string
	integrity []string   // hashes as they are written
	digests   [][]Source // hashes as content has them, by algorithm
	most      int        // how many means one element needs at most
}

// meansFor collects them. More means never block an element, so that as many as there are policies to pass are enough: one
// for each.
func (p *prober) meansFor(directive string) means {
	out := means{nonces: []string{""}, integrity: []string{""}, digests: make([][]Source, len(hashAlgorithms))}
	for _, m := range p.readings() {
		out.most = max(out.most, len(p.inner.byMode[m]))
	}
	for _, s := range p.sources(directive) {
		switch s.Kind {
		case NonceSource:
			out.nonces = append(out.nonces, s.Word)
		case HashSource:
			out.integrity = append(out.integrity, s.Scheme+"-"+s.Word)
			if digest, i := s.digest(), slices.Index(hashAlgorithms[:], s.Scheme); digest != "" {
				out.digests[i] = append(out.digests[i], Source{Kind: HashSource, Scheme: s.Scheme, Word: digest})
			}
		}
	}
	if p.m == Laxest { // some readings take more for the same: spaces around a nonce, the other alphabet
		for _, nonce := range out.nonces[1:] {
			out.nonces = append(out.nonces, nonce+" ")
		}
		for _, hash := range out.integrity[1:] {
			out.integrity = append(out.integrity, hash[:7]+strings.NewReplacer("+", "-", "/", "_").Replace(hash[7:]))
		}
	}
	return out
}

// digest is the hash as content has it, or "" where none can: the hash of another length.
func (s *Source) digest() string {
	word := strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(s.Word)
	raw, err := base64.RawStdEncoding.DecodeString(word)
	if err != nil || len(raw) != hashLengths[s.Scheme] {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// elements are the kinds of elements that a directive tells apart. Integrity with several hashes passes only where each of
// them alone passes, so one is enough.
func (p *prober) elements(directive string) []Request {
	script := directive == "script-src-elem" || directive == "worker-src"
	if !script && directive != "style-src-elem" {
		return []Request{{ParserInserted: true}}
	}
	w := p.meansFor(directive)
	if !script {
		w.integrity = w.integrity[:1]
	}
	var out []Request
	for _, nonce := range w.nonces {
		for _, hash := range w.integrity {
			used := count(nonce != "") + count(hash != "")
			if used <= w.most {
				out = append(out, Request{ParserInserted: true, Nonce: nonce, Integrity: hash})
			}
			if script && used < w.most {
				out = append(out, Request{Nonce: nonce, Integrity: hash})
			}
		}
	}
	return out
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (p *prober) inlines() {
	types := []struct {
		t       InlineType
		element string
	}{{InlineScript, "script"}, {InlineScriptAttribute, ""}, {InlineStyle, "style"}, {InlineStyleAttribute, ""}, {InlineNavigation, ""}}
	for _, t := range types {
		if directive := EffectiveInlineDirective(t.t); !p.plain(directive) {
			p.tryInlines(directive, Inline{Type: t.t, Element: t.element}, func(l *List, in *Inline) Decision { return l.Inline(p.m, in) })
		}
	}
	if !p.plain("script-src-elem") || !p.plain("form-action") {
		to := URL{Scheme: "javascript", Port: -1, opaque: true}
		p.tryInlines("form-action", Inline{Type: InlineNavigation}, func(l *List, in *Inline) Decision { return l.submit(p.m, p.self, submission{to: &to, code: in}) })
	}
}

// tryInlines tries code with each combination of means. as says what kind of code it is.
func (p *prober) tryInlines(directive string, as Inline, decide func(*List, *Inline) Decision) {
	w := p.meansFor(EffectiveInlineDirective(as.Type))
	if as.Element == "" {
		w.nonces = w.nonces[:1]
	}
	if p.m == Strictest {
		w.most = 2 + len(hashAlgorithms) // readings may each take another hash of those that one policy lists
	}
	contents := w.contents()
	if len(contents)*len(w.nonces) > maxProbes {
		p.doubt(directive, "too many nonces and hashes to try all")
		return
	}
	for _, nonce := range w.nonces {
		for _, hashes := range contents {
			for made := range 2 {
				if in := as; count(nonce != "")+len(hashes)+made <= w.most {
					in.Nonce, in.hashes, in.ParserInserted = nonce, hashes, made == 0
					p.tryInline(directive, &in, decide, w)
				}
			}
		}
	}
}

// contents are the sets of listed hashes that content could have: one of each algorithm at most. More than maxProbes is too
// many, and then some are missing.
func (w means) contents() [][]Source {
	out := [][]Source{{}}
	for _, listed := range w.digests {
		sets := len(out)
		for _, h := range listed {
			for _, set := range out[:sets] {
				if len(out) > maxProbes {
					return out
				}
				if len(set) < w.most {
					out = append(out, append(set[:len(set):len(set)], h))
				}
			}
		}
	}
	return out
}

// tryInline compares code with these hashes. Whether it has others too nobody can tell from the hashes, nor whether there is
// content that has several of them; only where that makes no difference is the answer no.
func (p *prober) tryInline(directive string, in *Inline, decide func(*List, *Inline) Decision, w means) {
	outside := func(hashes []Source) bool {
		at := *in
		at.hashes = hashes
		d := decide(p.outer, &at)
		return d.Blocked
	}
	if inside := decide(p.inner, in); p.done || inside.Blocked || !outside(in.hashes) {
		return
	}
	if len(in.hashes) > 1 || len(in.hashes) == 1 && !outside(append(w.otherDigests(in.hashes[0].Scheme), in.hashes[0])) {
		p.doubt(directive, describeInline(in)+", depending on which hashes are of the same content")
		return
	}
	p.try(directive, func(l *List) Decision { return decide(l, in) }, func() string { return describeInline(in) })
}

func (w means) otherDigests(algorithm string) []Source {
	var out []Source
	for i, listed := range w.digests {
		if hashAlgorithms[i] != algorithm {
			out = append(out, listed...)
		}
	}
	return out
}

func describeInline(in *Inline) string {
	var with []string
	if in.Nonce != "" {
		with = append(with, "the nonce "+in.Nonce)
	}
	for _, h := range in.hashes {
		with = append(with, fmt.Sprintf("the hash %s-%s", h.Scheme, h.Word))
	}
	text := fmt.Sprintf("any inline %s", in.Type)
	if len(with) > 0 {
		text = fmt.Sprintf("an inline %s with %s", in.Type, strings.Join(with, " and "))
	}
	if !in.ParserInserted {
		text += " that a script has made"
	}
	return text
}
