package demo_test

import (
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/demo"
)

const (
	bareURL      = "http://127.0.0.1:8081"
	protectedURL = "http://127.0.0.1:8082"
)

func newAttacker(t *testing.T) *client {
	return &client{t: t, h: demo.NewAttacker(demo.AttackerConfig{Targets: []demo.Target{
		{Name: "bare", URL: bareURL + "/"},
		{Name: "behind merlon", URL: protectedURL},
	}})}
}

func TestAttackerOverlaysTheTransfer(t *testing.T) {
	a := newAttacker(t)
	for path, bank := range map[string]string{"/win/0": bareURL, "/win/1": protectedURL} {
		page := a.get(path).wants(http.StatusOK)
		want := bank + "/transfer?to=mallory&amount=100"
		if got := page.attr("iframe", "src"); got != want {
			t.Errorf("GET %s: got frame %q, want %q", path, got, want)
		}
		if !page.has("input#reveal") {
			t.Errorf("GET %s: no switch that shows the trick", path)
		}
	}
}

// The template must not repair the spellings: they are the attack.
func TestAttackerFramesEverySpelling(t *testing.T) {
	a := newAttacker(t)
	for _, f := range demo.FramePages() {
		for path, bank := range map[string]string{"/frame/0/" + f.Slug: bareURL, "/frame/1/" + f.Slug: protectedURL} {
			if got := a.get(path).wants(http.StatusOK).attr("iframe", "src"); got != bank+f.Path {
				t.Errorf("GET %s: got frame %q, want %q", path, got, bank+f.Path)
			}
		}
	}
}

func TestAttackerIndex(t *testing.T) {
	page := newAttacker(t).get("/").wants(http.StatusOK)
	links := map[string]bool{}
	for _, n := range page.all("a") {
		href, _ := attr(n, "href")
		links[href] = true
	}
	want := []string{"/win/0", "/win/1", demo.ReflectedURL(bareURL), demo.ReflectedURL(protectedURL)}
	for _, f := range demo.FramePages() {
		want = append(want, "/frame/0/"+f.Slug, "/frame/1/"+f.Slug)
	}
	for _, w := range want {
		if !links[w] {
			t.Errorf("index: no link to %s", w)
		}
	}
	for _, bank := range []string{bareURL, protectedURL} {
		if !page.has("form[action=" + bank + "/comment]") {
			t.Errorf("index: no form that plants a comment on %s", bank)
		}
	}
	for _, n := range page.all("input[name=text]") {
		if got, _ := attr(n, "value"); got != demo.StoredPayload {
			t.Errorf("index: got planted text %q, want %q", got, demo.StoredPayload)
		}
	}
	if page.has("#"+demo.DefacedID) || page.has("script") {
		t.Error("index: the attacker's own page holds a script")
	}
}

func TestAttackerUnknownTargets(t *testing.T) {
	a := newAttacker(t)
	for _, path := range []string{"/win/2", "/win/-1", "/win/x", "/win/", "/frame/2/account", "/frame/0/other", "/nowhere"} {
		a.get(path).wants(http.StatusNotFound)
	}
}

func TestPartnerFramesWidgetAndAccount(t *testing.T) {
	c := &client{t: t, h: demo.NewPartner(demo.PartnerConfig{Bank: protectedURL + "/"})}
	page := c.get("/").wants(http.StatusOK)
	if got, want := page.attr("iframe#widget", "src"), protectedURL+"/widget/"; got != want {
		t.Errorf("partner: got first frame %q, want %q", got, want)
	}
	if got, want := page.attr("iframe#account", "src"), protectedURL+"/account"; got != want {
		t.Errorf("partner: got second frame %q, want %q", got, want)
	}
}

func TestThirdParty(t *testing.T) {
	c := &client{t: t, h: demo.NewThirdParty()}
	res := c.get("/pixel.png").wants(http.StatusOK)
	if _, err := png.Decode(strings.NewReader(res.body)); err != nil || res.Header.Get("Content-Type") != "image/png" {
		t.Errorf("pixel: got %s, decoding it: %v", res.Header.Get("Content-Type"), err)
	}
	page := c.post("/newsletter", "email", "<b id=hurt>").wants(http.StatusOK)
	if page.has("#hurt") || !page.has("h1#subscribed") {
		t.Errorf("newsletter: got\n%s\nwant thanks, with the address escaped", page.body)
	}
	c.post("/newsletter", "email", strings.Repeat("x", 17<<10)).wants(http.StatusBadRequest)
}

func TestStylesheets(t *testing.T) {
	for name, h := range sites() {
		c := &client{t: t, h: h}
		href := c.get("/").attr("link[rel=stylesheet]", "href")
		css := c.get(href).wants(http.StatusOK)
		if got := css.Header.Get("Content-Type"); got != "text/css; charset=utf-8" || len(css.body) < 100 {
			t.Errorf("%s: GET %s: got %s and %d bytes", name, href, got, len(css.body))
		}
	}
}
