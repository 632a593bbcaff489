package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/coding"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/inline"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// Nonce says how an application's pages get their nonces. The zero Nonce leaves pages and requests alone.
type Nonce struct {
	Forward     bool   // the application prints what it reads in the request header Merlon-Nonce
	Inject      bool   // every script and style element of a page gets one, an injected one too
	Placeholder string // a secret that the application prints as nonce attributes, replaced in each page; "" for none

	// Hashes lists the code of pages that are the same for everybody: hashes go into their policies in place of nonces, and the
	// policies of all others lose theirs. nil for none.
	Hashes *inline.Manifest

	form   string // names what becomes of a page, in its entity tags
	hashed *hashed
}

// under returns the Nonce for responses of the Guard: its policies get the hashes, and a change of them, or of whether the application
// may loosen them, changes the tags of rewritten pages.
func (n Nonce) under(g *merlon.Guard, loosened bool) Nonce {
	if n.Hashes != nil {
		n.hashed = newHashed(g, n.Hashes)
	}
	config, err := json.Marshal(g.Config())
	if err != nil { // a Config is JSON both ways
		panic(err)
	}
	sum := sha256.Sum256(fmt.Appendf(config, "\n%t %t", n.Inject, loosened)) // not the secret: who sees the tags could try guesses
	n.form = hex.EncodeToString(sum[:formBytes])
	return n
}

const formBytes = 4

func (n Nonce) rewrites() bool { return n.Inject || n.Placeholder != "" }

// prepare makes a request to the application one whose response can be rewritten: in a coding that can be read, and whole
// where it may be a page.
func (n Nonce) prepare(r *http.Request) {
	h := r.Header
	if !n.rewrites() {
		return
	}
	h["Accept-Encoding"] = []string{coding.ParseAccept(h["Accept-Encoding"]).Offer()}
	if n.Placeholder != "" || navigates(r) {
		h.Del("Range") // a page of another length has other ranges, and the ranges of a secret would spell it out
		h.Del("If-Range")
	}
	n.translateTags(r)
}

// navigates reports whether a browser asks for a page to show, going by what it says of itself. What changes something is asked
// for with conditions that no stored page answers, also by clients that accept pages.
// https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header
func navigates(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "document", "iframe", "frame", "fencedframe", "embed", "object":
		return true
	case "":
		return strings.Contains(strings.Join(r.Header["Accept"], ","), "text/html")
	}
	return false
}

// check refuses a response in which the placeholder could hide, and takes the coding off one that is to be looked into.
func (n Nonce) check(res *http.Response) error {
	if !n.rewrites() {
		return nil
	}
	name, known := coding.Of(res.Header)
	if n.Placeholder != "" {
		switch {
		case res.StatusCode == http.StatusSwitchingProtocols:
			return errors.New("the application switches to another protocol: a placeholder in what follows could not be found")
		case !known:
			return fmt.Errorf("the application answers in the coding %q, which it was not asked for: a placeholder in it could not be found",
				n.scrub(strings.Join(res.Header["Content-Encoding"], ", ")))
		case res.StatusCode == http.StatusPartialContent:
			return errors.New("the application answers with a part, though it was asked for the whole: a placeholder at its end could not be found")
		}
	}
	p, _ := res.Request.Context().Value(pageKey{}).(*page)
	if p == nil {
		return errors.New("the response goes past what rewrites it")
	}
	p.choose(res.StatusCode, res.Header)
	if name != "" && p.how != untouched && res.Body != http.NoBody {
		res.Body = p.pools.NewReader(name, res.Body)
	}
	return nil
}

// handler returns next with its pages' hashes in their policies, and with the pages rewritten.
func (n Nonce) handler(next http.Handler, log *slog.Logger) http.Handler {
	if n.rewrites() {
		next = n.rewriting(next, log)
	}
	if n.hashed != nil {
		next = n.hashed.handler(next)
	}
	return next
}

func (n Nonce) rewriting(next http.Handler, log *slog.Logger) http.Handler {
	pools, tell := new(pools), &teller{log: log}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.mentions(r) {
			n.refuse(w, r, log)
			return
		}
		p := &page{Context: r.Context(), ResponseWriter: w, request: r, nonce: n, pools: pools}
		r = r.WithContext(p)
		if n.Placeholder != "" && r.Body != nil && r.Body != http.NoBody {
			r.Body = searched{rewrite.NewReader(r.Body, n.Placeholder), r.Body}
		}
		next.ServeHTTP(p, r)
		err := p.close()
		done := p.result()
		access.Of(r.Context()).RewrotePage(access.Page{Rewritten: p.sink != nil, Nonced: done.Nonced, Scrubbed: done.Scrubbed, GaveUp: done.GaveUp})
		if err == nil {
			tell.result(access.Path(r), done)
		}
	})
}
