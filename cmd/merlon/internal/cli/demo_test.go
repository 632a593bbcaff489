package cli_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/demo"
)

func (b *bank) login(p tab) {
	p.t.Helper()
	p.visit(b.bare + "/")
	p.press("#login")
	if !p.has("#balance") {
		p.t.Fatalf("no account after the log-in:\n%s", p.text("document.body.innerText"))
	}
}

func (b *bank) balance(p tab) string {
	p.t.Helper()
	p.visit(b.bare + "/account")
	return p.text("document.querySelector('#balance').innerText")
}

// take loads the attacker's prize page for a target and clicks the prize as an eager victim would: until the frame goes
// elsewhere, or five times. Browsers drop clicks on frames that have only just appeared.
func (b *bank) take(p tab, n string) (browser.Outcome, bool) {
	p.t.Helper()
	p.Forget()
	p.visit(b.attacker + "/win/" + n)
	var first browser.Attempt
	for _, a := range p.frames(1) {
		first = a
	}
	for range 5 {
		var at struct{ X, Y float64 }
		if err := p.Eval(p.ctx, `(r => ({X: r.x + r.width/2, Y: r.y + r.height/2}))(document.querySelector(".decoy").getBoundingClientRect())`, &at); err != nil {
			p.t.Fatal(err)
		}
		if err := p.Click(p.ctx, at.X, at.Y); err != nil {
			p.t.Fatal(err)
		}
		moved, cancel := context.WithTimeout(p.ctx, time.Second)
		_, err := p.WaitFrames(moved, 2)
		cancel()
		if err == nil {
			return first.Outcome, true
		}
	}
	return first.Outcome, false
}

func TestClickjacking(t *testing.T) {
	noLeaks(t)
	b := startDemo(t)
	p := openTab(t, startBrowser(t, browser.Options{}))
	b.login(p)
	before := b.balance(p)

	if outcome, landed := b.take(p, "1"); outcome != browser.Blocked || landed {
		t.Errorf("behind merlon the frame is %s and the click landed: %v; want blocked and false", outcome, landed)
	}
	if after := b.balance(p); after != before {
		t.Errorf("behind merlon the hidden click moved money: balance %s, was %s", after, before)
	}
	if outcome, landed := b.take(p, "0"); outcome != browser.Framed || !landed {
		t.Errorf("on the bare bank the frame is %s and the click landed: %v; want framed and true", outcome, landed)
	}
	if after := b.balance(p); after == before {
		t.Errorf("on the bare bank the hidden click moved nothing: balance %s", after)
	}
}

func TestWhoMayFrameWhat(t *testing.T) {
	noLeaks(t)
	b := startDemo(t)
	chromium := startBrowser(t, browser.Options{})
	p := openTab(t, chromium)
	b.login(p)

	p.Forget()
	p.visit(b.partner + "/")
	frames := p.frames(2)
	if got := frames[b.protected+"/widget/"].Outcome; got != browser.Framed {
		t.Errorf("the partner's frame of /widget/ is %s, want framed", got)
	}
	if got := frames[b.protected+"/account"].Outcome; got != browser.Blocked {
		t.Errorf("the partner's frame of /account is %s, want blocked", got)
	}
	for n, want := range map[string]browser.Outcome{"0": browser.Framed, "1": browser.Blocked} {
		for _, page := range demo.FramePages() {
			p.Forget()
			p.visit(b.attacker + "/frame/" + n + "/" + page.Slug)
			for url, a := range p.frames(1) {
				if a.Outcome != want {
					t.Errorf("the attacker's frame of %s (status %d) is %s, want %s", url, a.Status, a.Outcome, want)
				}
			}
		}
	}
}

func TestScriptInjection(t *testing.T) {
	noLeaks(t)
	b := startDemo(t)
	p := openTab(t, startBrowser(t, browser.Options{}))
	b.login(p)
	defaced := "#" + demo.DefacedID

	p.visit(demo.ReflectedURL(b.bare))
	if !p.has(defaced) {
		t.Error("on the bare bank the reflected payload did not run")
	}
	p.visit(demo.ReflectedURL(b.protected))
	if p.has(defaced) {
		t.Error("behind merlon the reflected payload ran")
	}
	p.visit(b.attacker + "/")
	p.press("#plant-0")
	p.visit(b.bare + "/account")
	p.wait("document.querySelector('" + defaced + "') != null")
	p.visit(b.protected + "/account")
	if !strings.Contains(p.text("document.querySelector('#comments').innerHTML"), "onerror") {
		t.Error("behind merlon the stored payload is not on the page: the test shows nothing")
	}
	if p.has(defaced) {
		t.Error("behind merlon the stored payload ran")
	}
	if !p.has("#greeting.ran") {
		t.Error("behind merlon the bank's own script with the nonce did not run")
	}
}

// The browser's own reports of the failed attacks are on the dashboard, and what the attacker wrote is only text there.
func TestDashboardShowsTheAttacks(t *testing.T) {
	noLeaks(t)
	b := startDemo(t)
	chromium := startBrowser(t, browser.Options{})
	p := openTab(t, chromium)
	b.login(p)
	p.visit(demo.ReflectedURL(b.protected))
	p.visit(b.attacker + "/frame/1/account")
	p.frames(1)

	d := openTab(t, chromium)
	d.visit(b.dashboard + "/")
	d.fill("input[name=token]", b.token)
	d.press("form button")
	text := ""
	for !strings.Contains(text, "script-src-elem") || !strings.Contains(text, "frame-ancestors") {
		d.visit(b.dashboard + "/issues") // fails the test when d's time is over
		text = d.text("document.body.innerText")
	}
	for _, want := range []string{"script-src-elem", "/search", "frame-ancestors", "Framing attempt", b.attacker} {
		if !strings.Contains(text, want) {
			t.Errorf("the dashboard lacks %q:\n%s", want, text)
		}
	}
	if !strings.Contains(d.text("document.documentElement.outerHTML"), "getElementById") {
		t.Error("the sample of the attacker's script is not on the dashboard")
	}
	if d.has("#"+demo.DefacedID) || d.text("document.title") == demo.DefacedTitle {
		t.Error("the attacker's script ran on the dashboard")
	}
	for _, e := range d.Console() {
		if e.Source == "security" || e.Source == "exception" {
			t.Errorf("the dashboard's console: %s", e.Text)
		}
	}
	if cookies := p.text("document.cookie"); strings.Contains(cookies, "dashboard") {
		t.Errorf("the dashboard's session reaches the attacker: %s", cookies)
	}
}
