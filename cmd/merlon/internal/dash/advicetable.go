package dash

import "github.com/merlon-sec/merlon/cmd/merlon/internal/store"

func otherwise() adviceRule {
	return adviceRule{advice: advice{
		Headline: "Something the policy does not allow",
		Refused:  "do something that this directive does not allow",
		Means:    "The browser applied this directive of your policy. merlon has no explanation for this case yet.",
		Do:       []string{"Open one of the pages below with the browser's console: it names the element and the line."},
	}}
}

func folded() advice {
	return advice{
		Headline: "All that has no issue of its own",
		Refused:  "do many different things that this directive does not allow",
		Means: "What was erased, or not seen for long, is counted here, and so is what came when the site had as many issues as the database keeps. " +
			"A site seldom has that many of its own: then somebody may be sending made-up reports.",
		Do: []string{"Look at the issues that are listed. The counts stay exact, whatever is folded into this one."},
	}
}

func particularRules() rulebook {
	return rulebook{{
		blocked: []string{"chrome-extension", "moz-extension", "safari-extension", "safari-web-extension", "ms-browser-extension", "webkit-masked-url"},
		advice: advice{
			Headline: "A browser extension",
			Refused:  "load something that belongs to a browser extension",
			Means:    "An extension in somebody's browser changed the page, and your policy stopped a part of that. Your site did not ask for it.",
			Do:       []string{"Nothing. Do not allow extension addresses: they differ from person to person."},
		},
	}, {
		directives: []string{"frame-ancestors"},
		blocked:    []string{"self"},
		advice: advice{
			Headline: "A frame of your own site",
			Refused:  "show your page inside a frame of another page of your site",
			Means:    "A page of the site shows another one in a frame, and the policy forbids that. This is seldom an attack.",
			Do:       []string{"Allow it for that one route: `frame: self`, with the reason beside it. Or show the content without a frame."},
		},
	}, {
		directives: []string{"frame-ancestors"},
		advice: advice{
			Headline: "Framing attempt",
			Refused:  "show your page inside a frame of another page",
			Means: "Another page put yours into a frame. Clickjacking starts like this: your page lies invisible over theirs, and a click " +
				"meant for theirs lands on yours. A partner, a portal or your own site under another name looks the same. Browsers tell little " +
				"about who framed, and Chromium names only the site that was framed: the page / may stand for any page.",
			Do: []string{
				"If nobody should frame this page, the protection did its work: change nothing.",
				"If a partner may frame it, say so for that one route: `frame: {by: [https://partner.example]}` with the reason beside it.",
			},
		},
	}, {
		directives: []string{"base-uri"},
		advice: advice{
			Headline: "A base element",
			Refused:  "let a `<base>` element change where the page's relative addresses point",
			Means:    "Sites seldom use `<base>`. Injected into a page it sends every relative script address to another server.",
			Do: []string{
				"If your template has the element, write the addresses out instead and remove it.",
				"If it does not, text from outside became markup on that page: look at what the page prints unescaped.",
			},
		},
	}, {
		directives: []string{"form-action"},
		advice: advice{
			Headline: "A form that posts elsewhere",
			Refused:  "send a form to an address that the policy does not name",
			Means: "The form's target is not on the list, or the server redirected the form there after it was sent (log-in and payment " +
				"services do that). An injected form that collects passwords looks the same.",
			Do: []string{
				"If it is your payment or log-in service, allow that origin for form-action on the route with the form, with a reason.",
				"If you do not know the target, look at the page in the list below before anything else.",
			},
		},
	}, {
		directives: []string{"require-trusted-types-for", "trusted-types"},
		advice: advice{
			Headline: "Text written straight into the page by a script",
			Refused:  "let a script pass plain text to a function that turns text into markup or code",
			Means: "A script uses `innerHTML`, `document.write` or the like with a string. " +
				"Where such a string holds a visitor's text, it is how cross-site scripting happens in the browser itself.",
			Do: []string{
				"Use `textContent`, or build elements. Where markup is needed, clean it in one Trusted Types policy.",
				"A library that does this often has a newer version that does not.",
			},
		},
	}}
}

func inlineRules() rulebook {
	return rulebook{{
		directives: []string{"script-src-attr"},
		classes:    []string{store.ClassInline},
		advice: advice{
			Headline: "An inline event handler",
			Refused:  "run code from an attribute such as `onclick`",
			Means:    "Somewhere an element carries its code in an attribute. A nonce cannot allow that, and injected text uses just such attributes.",
			Do: []string{
				"If the sample is yours, move the code to a script and attach it with `addEventListener`.",
				"If it is not, a visitor's text became markup on that page. The browser stopped it; the page still prints it unescaped, so fix that.",
			},
		},
	}, {
		directives: []string{"script-src", "default-src"},
		classes:    []string{store.ClassInline},
		advice: advice{
			Headline: "An inline script without the nonce",
			Refused:  "run a script that stands in the page itself",
			Means: "Three things look like this: a script of your own template that does not carry the nonce, text of a visitor that became " +
				"a script (cross-site scripting), or an extension that added its own.",
			Do: []string{
				"Compare the sample with your templates. If it is yours, print the nonce on it: `<script nonce=\"...\">`.",
				"If it is not yours, open the page in the list below and look at how it prints input. The browser stopped the script; the hole is still there.",
				"A few reports spread over many pages point to an extension: change nothing.",
			},
		},
	}, {
		directives: []string{"style-src", "default-src"},
		classes:    []string{store.ClassInline},
		advice: advice{
			Headline: "An inline style",
			Refused:  "apply a style that stands in the page itself",
			Means:    "A `style` attribute or a `<style>` element without the nonce. Many libraries set styles this way; extensions too.",
			Do: []string{
				"Move it to a style sheet, or print the nonce on the `<style>` element.",
				"A script may still set `element.style.color`: that is not an inline style.",
			},
		},
	}, {
		classes: []string{store.ClassWasmEval},
		advice: advice{
			Headline: "WebAssembly",
			Refused:  "compile WebAssembly",
			Means:    "A script of the page brings a WebAssembly module, and the policy does not allow compiling it.",
			Do:       []string{"If you use it, allow `'wasm-unsafe-eval'` on the routes that need it. It does not allow `eval`."},
		},
	}, {
		classes: []string{store.ClassEval},
		advice: advice{
			Headline: "Text run as code",
			Refused:  "run text as code with `eval`, `new Function` or a timer",
			Means:    "Most often a template or chart library that compiles in the browser, or a development build.",
			Do: []string{
				"Use the library's build without `eval` (often called runtime or CSP build), or compile templates beforehand.",
				"Leave `'unsafe-eval'` out: with it, injected text can become code again.",
			},
		},
	}}
}
