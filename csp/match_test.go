package csp_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/csp"
)

// A "://" behind a slash belongs to the path, in what is read and in what authors write.
func TestSchemesEndBeforePaths(t *testing.T) {
	for text, want := range map[string]csp.Source{
		"web.archive.org/web/http://example.com/": {Kind: csp.HostSource, Host: "web.archive.org", Path: "/web/http://example.com/"},
		"a:80/x://y":          {Kind: csp.HostSource, Host: "a", Port: "80", Path: "/x://y"},
		"https://a/x://y":     {Kind: csp.HostSource, Scheme: "https", Host: "a", Path: "/x://y"},
		"://a":                {},
		"a_b://a":             {},
		"a?x://y":             {},
		"https://a://b":       {},
		"https://https://a/x": {},
	} {
		got := csp.ParseSource(text)
		if got.Kind != want.Kind || want.Kind == csp.HostSource && (got.Scheme != want.Scheme || got.Host != want.Host || got.Port != want.Port || got.Path != want.Path) {
			t.Errorf("ParseSource(%q) = %+v, want %+v", text, got, want)
		}
		if err := csp.Check("img-src " + text); (err == nil) != (want.Kind == csp.HostSource) {
			t.Errorf("Check(img-src %s) = %v", text, err)
		}
	}
}

// Each mode by name, with what it should say.
type byMode map[csp.Mode]bool

func TestMatchByMode(t *testing.T) {
	for _, c := range []struct {
		source, page, url string
		want              byMode
	}{
		{"*.foo.bar", "https://self.example", "https://.foo.bar/", byMode{csp.Spec: true, csp.Chromium: true}},
		{"*.foo.bar", "https://self.example", "https://foo.bar/", byMode{csp.Spec: false, csp.Chromium: false}},

		{"a.com", "http://self.example", "http://a.com:443/", byMode{csp.Spec: false, csp.Chromium: false, csp.Firefox: true, csp.WebKit: false}},
		{"a.com", "http://self.example", "https://a.com:80/", byMode{csp.Spec: false, csp.Firefox: true}},
		{"a.com", "https://self.example", "https://a.com:80/", byMode{csp.Spec: false, csp.Firefox: false}},
		{"https://a.com", "http://self.example", "https://a.com:80/", byMode{csp.Firefox: false}},
		{"wss://a.com", "https://self.example", "wss://a.com:80/", byMode{csp.Firefox: false}},
		{"ws://a.com", "https://self.example", "wss://a.com/", byMode{csp.Firefox: true}},
		{"ws://a.com", "https://self.example", "wss://a.com:80/", byMode{csp.Spec: false, csp.Firefox: true}},
		{"http://a.com", "https://self.example", "https://a.com:81/", byMode{csp.Firefox: false}},

		{"*", "https://self.example", "data:,x", byMode{csp.Spec: false, csp.Chromium: false, csp.Firefox: false, csp.WebKit: true}},
	} {
		u := mustURL(t, c.url)
		for m, want := range c.want {
			if got := m.Match([]csp.Source{csp.ParseSource(c.source)}, &u, csp.ParseOrigin(c.page), 0); got != want {
				t.Errorf("%v, %s: %s covers %s: %v, want %v", m, c.page, c.source, c.url, got, want)
			}
		}
	}
}

// WebKit lets * cover data: and blob: where a directive is named, and not where default-src stands in for it.
func TestStarInWebKit(t *testing.T) {
	for _, c := range []struct {
		policy, destination, url string
		allowed                  bool
	}{
		{"img-src *", "image", "data:,x", true},
		{"img-src *", "image", "blob:https://self.example/x", false},
		{"media-src *", "video", "data:,x", true},
		{"media-src *", "video", "blob:https://self.example/x", true},
		{"default-src *", "image", "data:,x", false},
		{"script-src *", "script", "data:,x", false},
		{"connect-src *", "", "data:,x", false},
		{"frame-src *", "iframe", "data:,x", false},
	} {
		r := &csp.Request{URL: mustURL(t, c.url), Destination: c.destination}
		if d := list(c.policy).Request(csp.WebKit, self, r); d.Blocked == c.allowed {
			t.Errorf("%s, %s: blocked %v", c.policy, c.url, d.Blocked)
		}
		if d := list(c.policy).Request(csp.Chromium, self, r); !d.Blocked {
			t.Errorf("chromium: %s allows %s", c.policy, c.url)
		}
	}
	for inner, outer := range map[string]string{"img-src *": "default-src *", "default-src 'none'; img-src *": "default-src *", "media-src *; img-src 'none'": "img-src 'none'; default-src *"} {
		if got := csp.Contains(csp.WebKit, self, list(outer), list(inner)).Answer; got != csp.No {
			t.Errorf("%q contains %q: %v, want no", outer, inner, got)
		}
		if got := csp.Contains(csp.WebKit, self, list(inner), list(inner)).Answer; got != csp.Yes {
			t.Errorf("%q contains itself: %v, want yes", inner, got)
		}
	}
}

// Directives of attributes let no hint through, since attributes fetch nothing, and responses to hints are not asked about.
func TestHints(t *testing.T) {
	u, other := mustURL(t, "https://a.example/"), mustURL(t, "https://b.example/")
	r := &csp.Request{URL: u, Initiator: "prefetch"}
	for _, name := range []string{"child-src", "connect-src", "font-src", "frame-src", "img-src", "manifest-src", "media-src", "object-src", "script-src", "script-src-elem",
		"style-src", "style-src-elem", "worker-src"} {
		if d := list("default-src 'none'; "+name+" a.example").Request(csp.Spec, self, r); d.Blocked {
			t.Errorf("%s does not let a prefetch through", name)
		}
	}
	for _, name := range []string{"script-src-attr", "style-src-attr", "fenced-frame-src", "form-action", "base-uri", "frame-ancestors"} {
		if d := list("default-src 'none'; "+name+" a.example").Request(csp.Spec, self, r); !d.Blocked {
			t.Errorf("%s lets a prefetch through", name)
		}
	}
	if d := list("default-src a.example").Fetch(csp.Spec, self, r, &other); d.Blocked {
		t.Error("the response to a prefetch is blocked")
	}
}

// The text knows no fenced frames, and takes them for what fetch() does.
func TestFencedFrames(t *testing.T) {
	r := &csp.Request{URL: mustURL(t, "https://a.example/"), Destination: "fencedframe"}
	for _, c := range []struct {
		m      csp.Mode
		policy string
		want   []string
	}{
		{csp.Spec, "connect-src 'none'; frame-src a.example", []string{"0 connect-src enforce  "}},
		{csp.Spec, "fenced-frame-src 'none'", []string{}},
		{csp.Chromium, "frame-src 'none'; connect-src a.example", []string{"0 fenced-frame-src enforce  "}},
		{csp.Chromium, "fenced-frame-src 'none'", []string{"0 fenced-frame-src enforce  "}},
		{csp.Strictest, "fenced-frame-src 'none'", []string{"0 fenced-frame-src enforce  "}},
		{csp.Firefox, "fenced-frame-src 'none'", []string{}},
	} {
		l := list(c.policy)
		if got := violated(l.Request(c.m, self, r)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v, %s: %q, want %q", c.m, c.policy, got, c.want)
		}
		agrees(t, c.policy, l.ExplainRequest(c.m, self, r))
	}
	for m, want := range map[csp.Mode]csp.Answer{csp.Spec: csp.Yes, csp.Chromium: csp.No, csp.Strictest: csp.No, csp.Laxest: csp.Yes, csp.WebKit: csp.Yes} {
		if got := csp.Contains(m, self, list("fenced-frame-src 'none'"), list("fenced-frame-src a.example")).Answer; got != want {
			t.Errorf("%v: fenced-frame-src 'none' contains fenced-frame-src a.example: %v, want %v", m, got, want)
		}
	}
}

// The response adds to what the request violated, unless an enforced policy has stopped that.
func TestFetch(t *testing.T) {
	a, b, c := mustURL(t, "https://a.example/"), mustURL(t, "https://b.example/"), mustURL(t, "https://c.example/")
	for _, test := range []struct {
		enforced, reported string
		url, from          csp.URL
		blocked            bool
		want               []string
	}{
		{"", "img-src a.example", b, a, false, []string{"0 img-src report  "}},
		{"", "img-src a.example", a, b, false, []string{"0 img-src report  "}},
		{"", "img-src a.example", b, c, false, []string{"0 img-src report  ", "0 img-src report  "}},
		{"img-src b.example", "img-src a.example", b, c, true, []string{"1 img-src report  ", "0 img-src enforce  ", "1 img-src report  "}},
		{"img-src a.example", "img-src 'none'", b, a, true, []string{"0 img-src enforce  ", "1 img-src report  "}},
		{"img-src a.example", "", a, a, false, []string{}},
	} {
		l := csp.NewList(csp.Delivered{Value: test.enforced}, csp.Delivered{Value: test.reported, Disposition: csp.Report})
		for m := csp.Spec; m <= csp.Laxest; m++ {
			d := l.Fetch(m, self, &csp.Request{URL: test.url, Destination: "image"}, &test.from)
			if got := violated(d); d.Blocked != test.blocked || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%v, %q, reported %q, %s from %s: blocked %v, %q; want %v, %q", m, test.enforced, test.reported, test.url, test.from, d.Blocked, got, test.blocked, test.want)
			}
		}
	}
}

// Firefox asks form-action about the URL that a form is submitted to, and not where redirects lead.
func TestRedirectedForms(t *testing.T) {
	first, to := mustURL(t, "https://a.example/x"), mustURL(t, "https://b.example/")
	for policy, want := range map[string]byMode{
		"form-action a.example":   {csp.Spec: true, csp.Chromium: true, csp.Firefox: false, csp.WebKit: true, csp.Strictest: true, csp.Laxest: false},
		"form-action b.example":   {csp.Spec: false, csp.Chromium: false, csp.Firefox: true, csp.Strictest: true, csp.Laxest: false},
		"form-action 'none'":      {csp.Spec: true, csp.Firefox: true, csp.Laxest: true},
		"form-action a.example/y": {csp.Firefox: true},
	} {
		for m, blocked := range want {
			if d := list(policy).FollowForm(m, self, &first, &to, 1); d.Blocked != blocked {
				t.Errorf("%v, %s: blocked %v, want %v", m, policy, d.Blocked, blocked)
			}
		}
	}
}

// Integrity metadata is read as SRI reads it, and long metadata as short.
func TestIntegrity(t *testing.T) {
	u := mustURL(t, "https://other.example/")
	for _, c := range []struct {
		integrity string
		want      byMode
	}{
		{"sha256-aaaa", byMode{csp.Spec: false}},
		{"sha256-aaaa sha256", byMode{csp.Spec: true}},
		{"sha256-aaaa sha256-", byMode{csp.Spec: true}},
		{"sha256-aaaa sha256?x-y", byMode{csp.Spec: true}},
		{"sha256-aaaa?x-y sha1-b md5 -", byMode{csp.Spec: false}},
		{" \t", byMode{csp.Spec: true}},
		{"sha256-_aaa", byMode{csp.Spec: true, csp.Chromium: false}},
		{"sha384-aaaa", byMode{csp.Spec: true, csp.Chromium: true}},
	} {
		for _, padding := range []string{"", strings.Repeat(" SHA256-aaaa", 1000)} {
			if strings.TrimSpace(c.integrity) == "" && padding != "" {
				continue
			}
			r := &csp.Request{URL: u, Destination: "script", Integrity: c.integrity + padding, ParserInserted: true}
			for m, blocked := range c.want {
				if d := list("script-src 'sha256-aaaa' 'sha256-/aaa'").Request(m, self, r); d.Blocked != blocked {
					t.Errorf("%v, integrity %.40q of %d bytes: blocked %v, want %v", m, r.Integrity, len(r.Integrity), d.Blocked, blocked)
				}
			}
		}
	}
}
