package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Click clicks with the left button at a point of the viewport, in CSS pixels. The click
// is trusted (isTrusted), and lands in whatever is on top there, a child frame included.
func (p *Page) Click(ctx context.Context, x, y float64) error {
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		params := map[string]any{"type": kind, "x": x, "y": y}
		if kind != "mouseMoved" {
			params["button"], params["clickCount"] = "left", 1
		}
		if err := p.call(ctx, "Input.dispatchMouseEvent", params, nil); err != nil {
			return err
		}
	}
	return nil
}

// ClickOn scrolls the first element that matches the CSS selector into view and clicks on
// the middle of its first box. It is an error when there is no such element, when it has
// no size, or when another element covers it there.
func (p *Page) ClickOn(ctx context.Context, selector string) error {
	var at struct {
		X, Y float64
	}
	if err := p.element(ctx, selector, clickScript, &at); err != nil {
		return fmt.Errorf("clicking on %q: %w", selector, err)
	}
	if err := p.Click(ctx, at.X, at.Y); err != nil {
		return fmt.Errorf("clicking on %q: %w", selector, err)
	}
	return nil
}

// Fill replaces the text of the first field that matches the CSS selector by trusted
// typing: the field gets the focus and its input event, as from an input method.
func (p *Page) Fill(ctx context.Context, selector, text string) error {
	if err := p.element(ctx, selector, focusScript, nil); err != nil {
		return fmt.Errorf("filling %q: %w", selector, err)
	}
	if err := p.insert(ctx, text); err != nil {
		return fmt.Errorf("filling %q: %w", selector, err)
	}
	return nil
}

// insert puts text in the place of the selection. Inserting nothing would leave it.
func (p *Page) insert(ctx context.Context, text string) error {
	if text != "" {
		return p.call(ctx, "Input.insertText", map[string]any{"text": text}, nil)
	}
	for _, kind := range []string{"keyDown", "keyUp"} {
		key := map[string]any{"type": kind, "key": "Delete", "code": "Delete", "windowsVirtualKeyCode": 46}
		if err := p.call(ctx, "Input.dispatchKeyEvent", key, nil); err != nil {
			return err
		}
	}
	return nil
}

// The functions take an element and return a string, which is what is wrong with it, or a value.
const (
	clickScript = `el => {
		el.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
		const box = el.getClientRects()[0];
		if (!box || !box.width || !box.height) return 'it has no size';
		const at = {x: box.x + box.width / 2, y: box.y + box.height / 2};
		const hit = el.getRootNode().elementFromPoint(at.x, at.y);
		if (!hit) return 'it is outside the viewport';
		if (!el.contains(hit)) return 'it is covered by ' + hit.cloneNode().outerHTML.slice(0, 120);
		return at;
	}`
	focusScript = `el => {
		el.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
		if (el.readOnly) return 'it is read-only';
		el.focus();
		if (el.getRootNode().activeElement !== el) return 'it does not take the focus';
		if (el.select) el.select(); else getSelection().selectAllChildren(el);
		return null;
	}`
)

// element gives the first element that matches selector to a JavaScript function, and
// decodes what it returns into out. A string is an error.
func (p *Page) element(ctx context.Context, selector, function string, out any) error {
	quoted, err := json.Marshal(selector)
	if err != nil {
		return err
	}
	script := fmt.Sprintf("(() => { const el = document.querySelector(%s); return el ? (%s)(el) : 'there is no such element'; })()", quoted, function)
	var got json.RawMessage
	if err := p.Eval(ctx, script, &got); err != nil {
		return err
	}
	var wrong string
	if json.Unmarshal(got, &wrong) == nil && wrong != "" {
		return errors.New(wrong)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(got, out)
}
