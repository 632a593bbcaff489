package dash_test

import (
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

func TestAdvice(t *testing.T) {
	tests := []struct{ directive, class, blocked, want string }{
		{"script-src-elem", "inline", "inline", "An inline script without the nonce"},
		{"script-src", "inline", "/search:12", "An inline script without the nonce"},
		{"script-src-attr", "inline", "", "An inline event handler"},
		{"style-src-attr", "inline", "", "An inline style"},
		{"style-src-elem", "origin", "https://fonts.example", "A style sheet from another address"},
		{"script-src", "eval", "/app.js", "Text run as code"},
		{"script-src", "wasm-eval", "/app.js", "WebAssembly"},
		{"script-src-elem", "self", "self", "A script of your own without the nonce"},
		{"script-src-elem", "scheme", "data:", "A script from a data: or blob: address"},
		{"script-src-elem", "origin", "https://cdn.example", "A script from another site"},
		{"script-src-elem", "scheme", "chrome-extension:", "A browser extension"},
		{"script-src-elem", "origin", "moz-extension://1234", "A browser extension"},
		{"img-src", "origin", "https://images.example", "An image from another site"},
		{"img-src", "scheme", "data:", "An image from a data: or blob: address"},
		{"font-src", "scheme", "data:", "A font from another address"},
		{"connect-src", "origin", "wss://stats.example", "A connection to another address"},
		{"frame-src", "origin", "https://video.example", "A frame with another page"},
		{"child-src", "origin", "https://video.example", "A frame with another page"},
		{"worker-src", "scheme", "blob:", "A worker"},
		{"object-src", "self", "self", "A plugin"},
		{"frame-ancestors", "frame-ancestors", "https://attacker.example", "Framing attempt"},
		{"frame-ancestors", "frame-ancestors", "", "Framing attempt"},
		{"frame-ancestors", "frame-ancestors", "self", "A frame of your own site"},
		{"form-action", "origin", "https://pay.example", "A form that posts elsewhere"},
		{"base-uri", "self", "self", "A base element"},
		{"require-trusted-types-for", "trusted-types", "Element innerHTML in /app.js", "Text written straight into the page by a script"},
		{"default-src", "origin", "https://prefetch.example", "Something from an address that is not allowed"},
		{"img-src", "origin", store.FoldedBlocked, "All that has no issue of its own"},
		{"other", "other", "", "Something the policy does not allow"},
		{"", "", "", "Something the policy does not allow"},
	}
	for _, tt := range tests {
		if got := dash.Headline(store.Issue{Directive: tt.directive, Class: tt.class, Blocked: tt.blocked}); got != tt.want {
			t.Errorf("%s, %s, %q: %q, want %q", tt.directive, tt.class, tt.blocked, got, tt.want)
		}
	}
}
