package dash_test

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
)

// screens are what the pages must look right on.
var screens = []struct {
	name   string
	screen browser.Screen
	pages  int // how many of them, from the first
}{
	{"wide", browser.Screen{Width: 1400, Height: 900}, 7},
	{"wide-dark", browser.Screen{Width: 1400, Height: 900, Dark: true}, 7},
	{"narrow", browser.Screen{Width: 320, Height: 700}, 7},
	{"narrow-dark", browser.Screen{Width: 320, Height: 700, Dark: true}, 3},
	{"paper", browser.Screen{Width: 900, Height: 900, Print: true}, 3},
}

// looked are the pages, the richest first.
var looked = []struct{ name, target string }{
	{"overview", "/"}, {"issues", "/issues"}, {"issue", "/issues/1"},
	{"framed", "/issues/4"}, {"none", "/issues?text=nothing"}, {"drops", "/drops"}, {"missing", "/none"},
}

// tooWide lists what makes the page scroll to the side.
const tooWide = `(() => { const w = document.documentElement.clientWidth;
	return document.documentElement.scrollWidth <= w ? [] : [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > w + 1)
		.map(e => e.tagName + "." + (e.getAttribute("class") || "") + " " + Math.round(e.getBoundingClientRect().right)).slice(0, 8) })()`

// faint lists texts whose contrast to their ground is below 4.5 (WCAG 2.2 AA).
const faint = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgb = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data] };
	const light = c => { const [r, g, b] = c.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
	const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c } return [255, 255, 255, 255] };
	const found = new Set();
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility() || e.closest("svg")) continue;
		const a = light(rgb(getComputedStyle(e).color)), b = light(ground(e));
		const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		if (ratio < 4.5) found.add(e.tagName + "." + e.className + " " + ratio.toFixed(2));
	}
	return [...found];
})()`

// nameless lists form fields without a label, and drawings without a name.
const nameless = `[...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, svg, a")]
	.filter(e => !e.closest("[aria-hidden=true]") && !(e.labels && e.labels.length) && !e.getAttribute("aria-label") && !e.textContent.trim()).map(e => e.outerHTML.slice(0, 80))`

// Every page, on every screen: nothing is cut off, too faint or without a name, and the browser has nothing to complain of.
// With MERLON_SHOTS=DIR the pictures are kept there.
func TestPagesInABrowser(t *testing.T) {
	r := newRig(t)
	r.realistic()
	p := r.openTab()
	ctx := t.Context()
	for _, s := range screens {
		p.must(p.Show(ctx, s.screen))
		for _, page := range looked[:s.pages] {
			p.visit(page.target)
			where := page.name + " on " + s.name
			for what, expression := range map[string]string{"sticks out": tooWide, "is too faint": faint, "has no name": nameless} {
				if found := eval[[]string](p, expression); len(found) > 0 {
					t.Errorf("%s: %q %s", where, found, what)
				}
			}
			p.picture(page.name+"-"+s.name, s.screen)
		}
	}
	p.quiet()
}

// picture takes the whole page, and fails if there is nothing on it.
func (p tab) picture(name string, s browser.Screen) {
	p.t.Helper()
	whole := s
	whole.Height = min(max(s.Height, eval[int](p, "document.documentElement.scrollHeight")), 8000)
	p.must(p.Show(p.t.Context(), whole))
	shot, err := p.Screenshot(p.t.Context())
	p.must(err)
	p.must(p.Show(p.t.Context(), s))
	picture, err := png.Decode(bytes.NewReader(shot))
	p.must(err)
	colors := map[string]bool{}
	for x := range picture.Bounds().Dx() {
		colors[fmt.Sprint(picture.At(x, 20))] = true
	}
	if len(colors) < 3 {
		p.t.Errorf("%s: the top of the page is blank", name)
	}
	if dir := os.Getenv("MERLON_SHOTS"); dir != "" {
		p.must(os.WriteFile(filepath.Join(dir, name+".png"), shot, 0o644))
	}
}
