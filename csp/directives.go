package csp

// kind says what a directive's value may hold.
type kind int

const (
	sources      kind = iota + 1 // a source list
	noValue                      // nothing
	sandboxFlags                 // tokens of the sandbox attribute
	uris                         // report-uri
	token                        // report-to
	ttSinks                      // require-trusted-types-for
	ttPolicies                   // trusted-types
	webrtc                       // 'allow' or 'block'
)

// kinds has every directive that current browsers know.
var kinds = map[string]kind{
	"default-src": sources, "script-src": sources, "script-src-elem": sources, "script-src-attr": sources,
	"style-src": sources, "style-src-elem": sources, "style-src-attr": sources, "img-src": sources, "font-src": sources,
	"connect-src": sources, "media-src": sources, "object-src": sources, "frame-src": sources, "child-src": sources,
	"worker-src": sources, "manifest-src": sources, "fenced-frame-src": sources,
	"base-uri": sources, "form-action": sources, "frame-ancestors": sources,
	"sandbox": sandboxFlags, "upgrade-insecure-requests": noValue, "block-all-mixed-content": noValue,
	"report-uri": uris, "report-to": token, "webrtc": webrtc,
	"require-trusted-types-for": ttSinks, "trusted-types": ttPolicies,
}

// fallbacks holds for each fetch directive the ones that stand in for it, nearest first.
var fallbacks = map[string][]string{
	"script-src-elem": {"script-src", "default-src"}, "script-src-attr": {"script-src", "default-src"},
	"style-src-elem": {"style-src", "default-src"}, "style-src-attr": {"style-src", "default-src"},
	"worker-src": {"child-src", "script-src", "default-src"}, "frame-src": {"child-src", "default-src"},
	"fenced-frame-src": {"frame-src", "child-src", "default-src"},
	"script-src":       {"default-src"}, "style-src": {"default-src"}, "img-src": {"default-src"},
	"font-src": {"default-src"}, "connect-src": {"default-src"}, "media-src": {"default-src"},
	"object-src": {"default-src"}, "child-src": {"default-src"}, "manifest-src": {"default-src"},
}

var keywords = map[string]bool{
	"'none'": true, "'self'": true, "'unsafe-inline'": true, "'unsafe-eval'": true, "'unsafe-hashes'": true,
	"'strict-dynamic'": true, "'report-sample'": true, "'wasm-unsafe-eval'": true, "'trusted-types-eval'": true,
	"'report-sha256'": true, "'report-sha384'": true, "'report-sha512'": true, "'inline-speculation-rules'": true,
	"'unsafe-allow-redirects'": true, "'unsafe-webtransport-hashes'": true,
}

var sandboxTokens = map[string]bool{
	"allow-downloads": true, "allow-forms": true, "allow-modals": true, "allow-orientation-lock": true,
	"allow-pointer-lock": true, "allow-popups": true, "allow-popups-to-escape-sandbox": true, "allow-presentation": true,
	"allow-same-origin": true, "allow-scripts": true, "allow-storage-access-by-user-activation": true,
	"allow-top-navigation": true, "allow-top-navigation-by-user-activation": true,
	"allow-top-navigation-to-custom-protocols": true,
}
