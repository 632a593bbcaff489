package collect

import "github.com/merlon-sec/merlon/report"

// extensionScheme is the rule that says a browser extension was at work, and so taints the other reports of the same document.
const extensionScheme = "extension-scheme"

// Rules returns merlon's noise rules. Each names what it is known from; what sites really use, and what an attack looks like, is in none of
// them: no content delivery network, no localhost, no data: or blob:, no inline code without its sample.
func Rules() []Rule {
	return []Rule{
		{ID: extensionScheme, Version: "1", From: "Sentry Relay; Nelmio security bundle; bugzilla 866522, 1445643", Since: "2026-11",
			Reason:  "A browser extension did it: it loads its own files into the page, and no change to the site helps.",
			Schemes: []string{"chrome-extension", "moz-extension", "safari-extension", "safari-web-extension", "ms-browser-extension", "webkit-masked-url"}},
		{ID: "browser-internal", Version: "1", From: "Sentry; Nelmio security bundle", Since: "2026-11",
			Reason:  "Something of the browser itself was blocked: its own pages, or an add-on of an old Firefox.",
			Blocked: []string{"chrome:", "resource:", "jar:", "opera:", "chromewebdata:"}},
		{ID: "view-source", Version: "1", From: "bugzilla 1873553", Since: "2026-11",
			Reason: "Somebody looked at the source of the page, and the browser's view of it reports.", Schemes: []string{"view-source"}},
		{ID: "in-app-scheme", Version: "1", From: "go-csp-collector; Nelmio security bundle", Since: "2026-11",
			Reason: "An app that shows the page in a window of its own talks to it by addresses of its own.",
			Schemes: []string{"chromenull", "chromeinvoke", "chromeinvokeimmediate", "webviewprogress", "webviewprogressproxy", "wvjbscheme", "gsa", "android-webview",
				"bdvideo", "nativebaiduhd", "sinaweibo", "com.lge.browser", "uc.gre"}},
		{ID: "maxthon", Version: "1", From: "Nelmio security bundle", Since: "2026-11",
			Reason: "The Maxthon browser adds its own code to pages.", Schemes: []string{"mx", "mxjscall", "mxaddon-pkg"}},
		{ID: "windows-app", Version: "1", From: "go-csp-collector", Since: "2026-11",
			Reason: "Windows adds files of an app or of Internet Explorer to the page.", Schemes: []string{"ms-appx", "ms-appx-web", "res"}},
		{ID: "toolbar-scheme", Version: "1", From: "Nelmio security bundle; go-csp-collector", Since: "2026-11",
			Reason: "A toolbar or a security program on the visitor's machine adds its own code.", Schemes: []string{"mbinit", "symres", "tmtbff", "sraf"}},
		{ID: "base-about", Version: "1", From: "bugzilla 1263286", Since: "2026-11",
			Reason: "Firefox before 49 reports about:blank as a base URL, which no page has set.", Directives: []string{"base-uri"}, Schemes: []string{"about"}},

		{ID: "antivirus-host", Version: "1", From: "Nelmio security bundle; report-uri-bugs 8, 45", Since: "2026-11",
			Reason: "A virus scanner or security program on the visitor's machine adds its own script to pages.",
			Blocked: []string{"*.kaspersky-labs.com", "gc.kis.v2.scr.kaspersky-labs.com", "ff.kis.v2.scr.kaspersky-labs.com",
				"injections.adguard.com", "local.adguard.org"}},
		{ID: "rapport", Version: "1", From: "report-uri-bugs 45", Since: "2026-11",
			Reason: "Trusteer Rapport, a banks' security program, talks to itself through the page.", Schemes: []string{"nikkomsgchannel"}},
		{ID: "filtering-proxy", Version: "1", From: "report-uri-bugs 8; Nelmio security bundle", Since: "2026-11",
			Reason: "A filtering proxy between the visitor and the internet sends its block page in place of what the site asked for.",
			Blocked: []string{"gateway.zscaler.net", "gateway.zscalertwo.net", "easyid.scansafe.net", "alert.scansafe.net", "block.opendns.com",
				"10.*:15871", "172.*:15871", "192.168.*:15871", "air-proxy-*.corp.*"}},
		{ID: "adware-host", Version: "1", From: "Nelmio security bundle; wtf-is-this-csp-report", Since: "2026-11",
			Reason: "Adware on the visitor's machine puts advertisements into pages.",
			Blocked: []string{"*.superfish.com", "*.metrext.com", "*.tlscdn.com", "davebestdeals.com", "*.davebestdeals.com", "eshopcomp.com", "*.eshopcomp.com",
				"myshopcouponmac.com", "*.myshopcouponmac.com", "ciuvo.com", "*.ciuvo.com", "*resultshub-a.akamaihd.net", "*savingsslider-a.akamaihd.net",
				"cdncache*-a.akamaihd.net"}},
		{ID: "adware-path", Version: "1", From: "wtf-is-this-csp-report", Since: "2026-11",
			Reason:  "Adware of the Revizer family: its hosts change, the address it asks for does not.",
			Blocked: []string{"*/optout/get?jsonp=__twb_cb_*", "*/metric/?mid=*&wid=*"}},
		{ID: "adware-script", Version: "1", From: "wtf-is-this-csp-report", Since: "2026-11",
			Reason:  "A script of adware, kept in the open cloud, did it.",
			Sources: []string{"s3.amazonaws.com/js-cache/*.js", "s3.amazonaws.com/jscache/*.js", "s3.amazonaws.com/js-static/*.js"}},
		{ID: "extension-host", Version: "1", From: "DebugBear, 1,009 popular extensions; Nelmio security bundle", Since: "2026-11",
			Reason: "A browser extension loads fonts, styles and scripts from its maker's servers.",
			Blocked: []string{"cdn.joinhoney.com", "*.grammarly.io", "getpocket.com/b/r4.js",
				"www.gstatic.com/images/branding/product/2x/translate_24dp.png"}},
		{ID: "carrier-host", Version: "1", From: "Nelmio security bundle", Since: "2026-11",
			Reason: "A phone's browser adds code of its maker.", Blocked: []string{"uc.gre/pass", "adblockers.opera-mini.net"}},
		{ID: "in-app-browser", Version: "1", From: "bikeindex 3700", Since: "2026-11",
			Reason:  "The browser inside of a social network's app adds the network's own script to pages.",
			Agents:  []string{"FB_IAB/", "FBAN/", "FBAV/", "Instagram ", "Line/"},
			Blocked: []string{"connect.facebook.net/*/iab.*", "connect.facebook.net/*/pcm.js*"}},
		{ID: "crawler", Version: "1", From: "crawlers' own documentation", Since: "2026-11",
			Reason: "A search engine's crawler. It reports what visitors would, and if no visitor does, it is about the crawler.",
			Types:  []string{report.TypeViolation},
			Agents: []string{"Googlebot", "bingbot", "YandexBot", "Baiduspider", "DuckDuckBot", "AhrefsBot", "SemrushBot", "PetalBot", "Bytespider", "GPTBot"}},

		{ID: "extension-sample", Version: "1", From: "Nelmio security bundle; wtf-is-this-csp-report; sentry 31508", Since: "2026-11",
			Reason: "The code is that of a known browser extension, which puts it into pages.",
			Samples: []string{
				"(function injected(eventName, injectedIn", "installGlobalHook(window)", "window.__REACT_DEVTOOLS", ";(function detect (win) {", "e={Vue:null",
				"window.klTabId_kis", "var lastpass_iter", "(function (NAVIGATOR, OBJECT) {", "(function (ERROR) {", "(function(vimiumOnClickAttributeName",
				".vimvixen-console-frame", "// This signals the axe-core test s", ".tota11y-dark-color-scheme", "AG_onLoad",
				"try{(function overrideDefaultMethods(r,", ".cip-genpw-icon", "#s3gt_translate_tooltip_mini", ".autocardanywhere-popup",
				"window.loop11ExtTerritory", ":root audio[data-po76pdm]", "background-image: url(moz-extension:", "onclick attribute on MENUITEM element"}},
		{ID: "firefox-undefined", Version: "1", From: "report-uri-bugs 81", Since: "2026-11",
			Reason: "Firefox itself runs this in pages; nobody has found out what for.", Samples: []string{";undefined"}},

		{ID: "network-success", Version: "1", From: "Network Error Logging", Since: "2026-11",
			Reason: "A request that went well: the policy asks for a share of those too.", Types: []string{report.TypeNetworkError}, Blocked: []string{"ok"}},
		{ID: "hash-inventory", Version: "1", From: "CSP Level 3", Since: "2026-11",
			Reason: "No problem: a policy with 'report-sha256' asked what its scripts are, and this is the answer.", Types: []string{report.TypeHash}},
	}
}
