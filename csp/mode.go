package csp

// Mode says whose reading of a policy decides: the text of the specification or what a browser was measured to do.
type Mode uint8

// The modes. Strictest blocks what any of the specification and the browsers blocks, Laxest only what all of them block.
const (
	Spec Mode = iota
	Chromium
	Firefox
	WebKit
	Strictest
	Laxest
)

var modeNames = [...]string{"spec", "chromium", "firefox", "webkit", "strictest", "laxest"}

// String returns the mode's name in lower case.
func (m Mode) String() string { return modeNames[m] }

// reading is the mode itself, or the text's for modes that combine several.
func (m Mode) reading() Mode {
	if m > WebKit {
		return Spec
	}
	return m
}

// ParseMode returns the mode with that name.
func ParseMode(name string) (Mode, bool) {
	for m, n := range modeNames {
		if n == name {
			return Mode(m), true
		}
	}
	return 0, false
}

// quirks are the places where browsers depart from the text, measured in Chromium 156, Firefox 153 and WebKitGTK 2.50.
// False is what the text says.
type quirks struct {
	// All three.
	webSocketsAsTheyAre bool // connect-src sees ws: and wss: URLs, and only ws:, wss:, * and 'self' cover them
	addressesMatch      bool // host sources match IPv4 addresses as text
	port80Upgrades      bool // :80 covers port 443 of https
	slashDecodes        bool // paths are decoded before they are split
	selfWithoutBlob     bool // 'self' does not cover blob: URLs
	queryIgnored        bool // a source with a query or fragment counts without it
	sandboxUnion        bool // several sandbox directives restrict together
	workersTrusted      bool // 'strict-dynamic' lets workers through worker-src
	hashFoldsURL        bool // hashes in base64url match integrity metadata
	loopbackStays       bool // upgrade-insecure-requests leaves loopback alone
	baseReported        bool // violations of base-uri name the URL
	samplesNavigation   bool // violations of javascript: URLs have a sample

	// One or two.
	wsNotHTTP          bool // ws: and wss: sources do not cover http and https
	portNotUpgraded    bool // a source http://a:8080 does not cover https://a:8080
	portOfSourceScheme bool // a source without a port stands for the default of its own or the page's scheme, whatever the URL's is; 80 covers 443
	port80Covers443    bool // :80 covers http on port 443
	starPortFails      bool // *:80 and *:* without a scheme match nothing
	starWithPathFails  bool // http://*/path is invalid, unless it has a port
	finalDotFails      bool // a host with a final dot is invalid
	leadingZeroFails   bool // so is a port with a leading zero
	badPercentFails    bool // and a path with a percent sign that escapes nothing
	latin1Paths        bool // path bytes that are not UTF-8 count as Latin-1
	starCoversFTP      bool
	starCoversData     bool // in img-src, and in media-src with blob:
	dynamicDefault     bool // 'strict-dynamic' in default-src voids 'unsafe-inline' for styles too, and hosts for all
	dynamicImages      bool
	paddingOptional    bool // inline hashes match without padding
	oneAlphabet        bool // inline hashes mixing both base64 alphabets fail
	nonceTrimmed       bool // white space around the nonce attribute does not count
	skippedHolds       bool // a directive that is skipped for its bytes keeps its name taken
	controlDrops       bool // a control character drops the directive
	controlHolds       bool // and keeps its name taken
	metaCommaSplits    bool // a comma in a meta element separates policies
	framePathIgnored   bool // frame-ancestors ignores paths
	opaqueMatchesStar  bool // frame-ancestors * covers opaque ancestors
	redirectedForms    bool // form-action looks at the first URL, and not where redirects lead
	fencedFrames       bool // they have a directive, and are no mere fetches
	ftpPortFails       bool
}

// knows returns the directive that governs here what this one governs where it is known.
func (q *quirks) knows(directive string) string {
	if directive == "fenced-frame-src" && !q.fencedFrames {
		return "connect-src"
	}
	return directive
}

// quirksOf has a row for each mode that evaluates; Strictest and Laxest combine them.
var quirksOf = func() [4]quirks {
	all := quirks{webSocketsAsTheyAre: true, addressesMatch: true, port80Upgrades: true, slashDecodes: true, selfWithoutBlob: true,
		queryIgnored: true, sandboxUnion: true, workersTrusted: true, hashFoldsURL: true, loopbackStays: true, samplesNavigation: true, baseReported: true, controlDrops: true}
	c, f, w := all, all, all
	c.wsNotHTTP, c.portNotUpgraded, c.latin1Paths = true, true, true
	c.fencedFrames, c.dynamicDefault, c.paddingOptional, c.nonceTrimmed, c.skippedHolds, c.controlHolds, c.metaCommaSplits = true, true, true, true, true, true, true
	f.wsNotHTTP, f.portOfSourceScheme, f.port80Covers443, f.starWithPathFails = true, true, true, true
	f.finalDotFails, f.leadingZeroFails, f.badPercentFails, f.starCoversFTP, f.framePathIgnored = true, true, true, true, true
	f.opaqueMatchesStar, f.redirectedForms, f.ftpPortFails = true, true, true
	w.port80Covers443, w.starPortFails, w.starCoversData, w.dynamicDefault, w.dynamicImages = true, true, true, true, true
	w.paddingOptional, w.oneAlphabet, w.nonceTrimmed, w.metaCommaSplits = true, true, true, true
	return [4]quirks{Chromium: c, Firefox: f, WebKit: w}
}()
