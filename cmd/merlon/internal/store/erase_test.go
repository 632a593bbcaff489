package store_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// seedErase stores three issues among many, of which one is about evil.example and the others were seen on pages of an account.
func seedErase(t *testing.T) (*store.Store, string) {
	t.Helper()
	s, path := open(t)
	for round := range 4 {
		var b store.Batch
		for i := range 150 { // so that pages fill up and split
			h := hit(fmt.Sprintf("https://cdn%d.example", i))
			h.Route, h.Source, h.Sample = fmt.Sprintf("/shop/%d", (i+round)%50), fmt.Sprintf("/js/%d.js:%d", i%7, round), "secret of nobody"
			h.Body = func() string { return `{"documentURL":"https://shop.example/shop"}` }
			if i%10 == 0 {
				h.Route, h.Source = fmt.Sprintf("/account/jane%d", round), "https://shop.example/account/jane.js:4"
				h.Sample = `get("https://evil.example/x")`
				h.Body = func() string {
					return `{"documentURL":"https://shop.example/account/jane","blockedURL":"https://evil.example"}`
				}
			}
			b.Add(h)
		}
		evil := hit("https://evil.example")
		evil.Sample = "inline"
		b.Add(evil)
		b.Add(hit("https://evil.example.org"))
		b.Policy("shop", "p1", "img-src https://evil.example", noon)
		b.Policy("shop", "p2", "img-src https://evil.example.org", noon)
		b.Documents("shop", "/account/jane1", "p1", noon, 3)
		b.Documents("shop", "/account/jane2", "p1", noon, 4)
		b.Documents("shop", "/shop", "p1", noon, 5)
		if err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SaveNotices(t.Context(), []store.Notice{
		{Site: "shop", Kind: "origin", Subject: "https://evil.example", State: store.Firing, Since: noon, Fired: noon},
		{Site: "shop", Kind: "jump", Subject: "99", Issue: 99, What: "hxxps://evil[.]example", State: store.Firing, Since: noon, Fired: noon},
	}, noon); err != nil {
		t.Fatal(err)
	}
	return s, path
}

func TestErase(t *testing.T) {
	s, path := seedErase(t)
	if err := s.SetState(t.Context(), 1, store.Decision{State: store.Accepted, Note: "see https://evil.example", At: noon}); err != nil {
		t.Fatal(err)
	}
	before, err := s.Totals(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if found := remains(t, path); len(found) == 0 {
		t.Error("nothing is found before, so this test shows nothing")
	}
	for _, p := range []string{"https://evil.example", "/account/*", "https://shop.example/account/*"} {
		erased, err := s.Erase(t.Context(), "", p)
		if err != nil || erased.Held {
			t.Fatalf("Erase(%q) = %+v, %v", p, erased, err)
		}
		t.Logf("%s: %+v", p, erased)
	}
	if found := remains(t, path); len(found) > 0 {
		t.Errorf("still in the file or in its log: %q", found)
	}
	checkSums(t, path)
	if after, err := s.Totals(t.Context(), ""); after != before || err != nil {
		t.Errorf("totals %+v, %v; before %+v", after, err, before)
	}
	if got := issues(t, s, store.Query{Text: "evil.example"}); len(got) != 1 || got[0].Blocked != "https://evil.example.org" {
		t.Errorf("issues left: %+v; want the one of another host", got)
	}
	documents, err := s.Documents(t.Context(), "shop", time.Time{})
	if len(documents) != 2 || documents[0] != (store.Documents{Route: "*", Policy: "p1", Count: 28}) || err != nil {
		t.Errorf("documents: %+v, %v", documents, err)
	}
	if _, err := s.Policy(t.Context(), "shop", "p2"); err != nil {
		t.Errorf("the policy of another host is gone: %v", err)
	}
	if got := issues(t, s, store.Query{Text: "/shop/", Limit: 1000}); len(got) != 135 {
		t.Errorf("%d issues on other routes, want 135", len(got))
	}
	commit(t, s, hit("https://evil.example")) // as a new issue
	checkSums(t, path)
}

// remains returns the surroundings of what was to be erased.
func remains(t *testing.T, path string) (found []string) {
	t.Helper()
	for _, file := range []string{path, path + "-wal"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rest := bytes.ReplaceAll(content, []byte("https://evil.example.org"), nil)
		for _, text := range []string{"evil.example", "account", "jane"} {
			if at := bytes.Index(rest, []byte(text)); at >= 0 {
				found = append(found, string(rest[max(0, at-40):min(len(rest), at+40)]))
			}
		}
	}
	return found
}

func TestEraseRefuses(t *testing.T) {
	s, _ := open(t)
	for _, p := range []string{"", "*", "/", "/*", "//**", "evil.example", "https://*", "https://a.example/?q=1", "https://u@a.example", "https://a.example/#f",
		strings.Repeat("/a", 2000), "/a*b*c*d*e*f*g*"} {
		if erased, err := s.Erase(t.Context(), "", p); err == nil {
			t.Errorf("Erase(%q) = %+v", p, erased)
		}
	}
	if _, err := s.Erase(t.Context(), "", "/[a]?/*"); err != nil {
		t.Errorf("brackets: %v", err)
	}
}

func TestPurge(t *testing.T) {
	s, path := open(t)
	old, both, blog := hit("https://old.example"), hit("https://both.example"), hit("https://old.example")
	blog.Site = "blog"
	for _, h := range []*store.Hit{&old, &both, &blog} {
		h.Body = func() string { return "{}" }
	}
	commit(t, s, old, both, blog)
	both.At = noon.Add(48 * time.Hour)
	commit(t, s, both)
	erased, err := s.Purge(t.Context(), "shop", noon.Add(24*time.Hour))
	if err != nil || erased.Issues != 1 || erased.Samples != 1 || erased.Counters != 1 || erased.Held {
		t.Errorf("Purge = %+v, %v", erased, err)
	}
	if got := issues(t, s, store.Query{Site: "shop"}); len(got) != 1 || got[0].Blocked != both.Blocked {
		t.Errorf("issues left: %+v", got)
	}
	if n := query[int](t, path, "SELECT sum(count) FROM counters WHERE site = 'shop'"); n != 1 {
		t.Errorf("counters %d, want the one of later", n)
	}
	if got := issues(t, s, store.Query{Site: "blog"}); len(got) != 1 {
		t.Errorf("another site: %+v", got)
	}
	commit(t, s, old)
	if got := issues(t, s, store.Query{Text: "old.example", Site: "shop"}); len(got) != 1 || got[0].Total() != 1 {
		t.Errorf("what comes again: %+v", got)
	}
}
