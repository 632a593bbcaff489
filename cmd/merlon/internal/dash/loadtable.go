package dash

import "github.com/merlon-sec/merlon/cmd/merlon/internal/store"

// loadRules explain what a page tried to load, by directive; then, for other directives, by class.
func loadRules() rulebook {
	return rulebook{{
		directives: []string{"script-src"},
		classes:    []string{store.ClassSelf},
		advice: advice{
			Headline: "A script of your own without the nonce",
			Refused:  "load a script file of this site",
			Means:    "The policy trusts scripts by nonce and not by address, so a `<script src>` without the nonce does not run, whoever wrote it.",
			Do:       []string{"Print the nonce on the element. What that script loads in turn is trusted through `'strict-dynamic'`."},
		},
	}, {
		directives: []string{"script-src"},
		classes:    []string{store.ClassScheme},
		advice: advice{
			Headline: "A script from a data: or blob: address",
			Refused:  "load a script from an address that holds its own content",
			Means:    "Some libraries make scripts this way. So do attacks, because it needs no server.",
			Do:       []string{"Find the library and let it load a file. Do not allow `data:` for scripts: it allows any script."},
		},
	}, {
		directives: []string{"script-src"},
		advice: advice{
			Headline: "A script from another site",
			Refused:  "load a script from another site",
			Means: "A vendor's script (statistics, payment, chat) that lacks the nonce, a script that a vendor's script began to load, " +
				"or a script that somebody injected. A script can do everything in the page that its user can.",
			Do: []string{
				"If you put it there, print the nonce on its element, and keep its address out of the policy.",
				"If you do not know it, treat it as an incident: open the page in the list below and find what put it there.",
				"Never allow an address because it appears here. Anybody can send reports.",
			},
		},
	}, {
		directives: []string{"style-src"},
		advice: load("A style sheet from another address", "load a style sheet",
			"Fonts and widgets often bring a style sheet from their own server. Injected styles can read parts of a page.", "style-src"),
	}, {
		directives: []string{"img-src"}, classes: []string{store.ClassScheme},
		advice: load("An image from a data: or blob: address", "show an image that is written into its own address",
			"Small icons and previews of uploads come this way. Extensions do it as well. The risk is small.", "img-src"),
	}, {
		directives: []string{"img-src"},
		advice: load("An image from another site", "load an image",
			"Avatars, a content network, a counting pixel, or a picture in a text that a visitor wrote. "+
				"An injected image can also carry data out of the page in its address.", "img-src"),
	}, {
		directives: []string{"font-src"},
		advice: load("A font from another address", "load a font",
			"A font service of yours, or very often an extension that brings its own font.", "font-src"),
	}, {
		directives: []string{"connect-src"},
		advice: load("A connection to another address", "let a script connect to another address",
			"A script of the page called an API, a statistics service or a WebSocket. Injected code sends what it stole this way.", "connect-src"),
	}, {
		directives: []string{"frame-src", "child-src", "fenced-frame-src"},
		advice: load("A frame with another page", "show another page in a frame",
			"A video, a map, a payment field. An injected frame can imitate your log-in.", "frame-src"),
	}, {
		directives: []string{"media-src"},
		advice:     load("Sound or video from another address", "load sound or video", "A player takes its files from another server.", "media-src"),
	}, {
		directives: []string{"object-src"},
		advice: advice{
			Headline: "A plugin", Refused: "load an `<object>` or `<embed>`",
			Means: "Old pages embed documents this way. Attacks do it to get around the rules for scripts.",
			Do:    []string{"Use a link, an image or a frame instead, and leave object-src at `'none'`."},
		},
	}, {
		directives: []string{"worker-src"},
		advice: load("A worker", "start a background script",
			"Some libraries start workers, often from a `blob:` address.", "worker-src"),
	}, {
		directives: []string{"manifest-src"},
		advice:     load("A web app manifest", "load the web app manifest", "The page links a manifest from another address.", "manifest-src"),
	}, {
		classes: []string{store.ClassOrigin, store.ClassSelf, store.ClassScheme},
		advice: advice{
			Headline: "Something from an address that is not allowed",
			Refused:  "load something from this address",
			Means:    "The address is not in the list of this directive, nor in the one that it falls back to.",
			Do: []string{"Find the element on one of the pages below. If it belongs there, allow its origin in this directive, " +
				"on that route, with a reason."},
		},
	}}
}

// load is the advice for what may be allowed by its address when the site needs it.
func load(headline, refused, means, directive string) advice {
	return advice{Headline: headline, Refused: refused, Means: means, Do: []string{
		"If the page needs it, allow its origin on the routes that do: `allow: " + directive + " https://...` with a reason.",
		"If you do not know it, find the element on one of the pages below first. Anybody can send reports, so an address in this list proves nothing.",
	}}
}
