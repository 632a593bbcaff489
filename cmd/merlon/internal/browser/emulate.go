package browser

import (
	"context"
	"errors"
)

// Screen is what a page believes to be shown on.
type Screen struct {
	Width, Height int  // of the viewport; 0 leaves both as they are
	Dark          bool // whether its user prefers dark colors
	Print         bool // whether it is on paper
}

// Show tells the page about its screen.
func (p *Page) Show(ctx context.Context, s Screen) error {
	scheme, media := "light", ""
	if s.Dark {
		scheme = "dark"
	}
	if s.Print {
		media = "print"
	}
	err := p.call(ctx, "Emulation.setEmulatedMedia", map[string]any{
		"media": media, "features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	if s.Width == 0 {
		return err
	}
	return errors.Join(err, p.call(ctx, "Emulation.setDeviceMetricsOverride", map[string]any{
		"width": s.Width, "height": s.Height, "deviceScaleFactor": 1, "mobile": false}, nil))
}
