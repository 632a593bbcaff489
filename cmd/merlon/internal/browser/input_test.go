package browser_test

import (
	"strings"
	"testing"
)

const form = `<form action=/done><input name=who value=old><textarea name=text></textarea><input readonly id=ro>
	<div style="height: 3000px"></div><button>Send</button></form>
	<button id=under>Under</button><div id=glass style="position: fixed; inset: 0; z-index: 1; display: none"></div><i id=empty></i>
	<script>let log = ''; document.forms[0].oninput = e => log += e.target.name + e.isTrusted + ' ';
	document.forms[0].onsubmit = e => { if (!e.submitter || !navigator.userActivation.isActive) e.preventDefault(); }</script>`

func TestForm(t *testing.T) {
	srv := serve(t, map[string]reply{"/": {html: form}, "/done": {}})
	p, ctx := show(t, srv.URL), within(t)
	for selector, text := range map[string]string{"[name=who]": `Zoë "<b>" ` + "\U0001f600", "textarea": "two\nlines"} {
		if err := p.Fill(ctx, selector, text); err != nil {
			t.Fatal(err)
		}
		if got := eval[string](t, p, "document.querySelector('"+selector+"').value"); got != text {
			t.Errorf("Fill(%q, %q): the field has %q", selector, text, got)
		}
	}
	if got := eval[string](t, p, "log"); !strings.Contains(got, "whotrue") || !strings.Contains(got, "texttrue") {
		t.Errorf("input events: %q; want trusted ones of both fields", got)
	}
	if err := p.Fill(ctx, "textarea", ""); err != nil || eval[string](t, p, "document.querySelector('textarea').value") != "" {
		t.Errorf("Fill with nothing: %v; the field is not empty", err)
	}
	if err := p.WaitLoad(ctx, func() error { return p.ClickOn(ctx, "form button") }); err != nil {
		t.Fatal(err)
	}
	if got := eval[string](t, p, "location.pathname + new URLSearchParams(location.search).get('who')"); got != `/doneZoë "<b>" `+"\U0001f600" {
		t.Errorf("the form went to %q", got)
	}
}

func TestElementErrors(t *testing.T) {
	srv := serve(t, map[string]reply{"/": {html: form}})
	p, ctx := show(t, srv.URL), within(t)
	if err := p.ClickOn(ctx, "#under"); err != nil {
		t.Errorf("ClickOn before it is covered: %v", err)
	}
	eval[any](t, p, "document.querySelector('#glass').style.display = 'block'")
	for want, err := range map[string]error{
		`covered by <div id="glass"`: p.ClickOn(ctx, "#under"),
		"no size":                    p.ClickOn(ctx, "#empty"),
		"no such element":            p.ClickOn(ctx, "#none"),
		"not a valid selector":       p.ClickOn(ctx, "[["),
		"read-only":                  p.Fill(ctx, "#ro", "x"),
		"does not take the focus":    p.Fill(ctx, "#empty", "x"),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want an error with %q", err, want)
		}
	}
}
