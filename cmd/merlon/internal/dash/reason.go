package dash

// reason says in words why reports were dropped and whether somebody must act. Backticks mark code.
type reason struct {
	Headline string
	Means    string
	Do       string
}

// reasonFor explains a reason by the name under which collect counts it, the most frequent one in practice first.
func reasonFor(name string) reason {
	switch name {
	case "foreign":
		return reason{"About a page of another site",
			"The report names a page that is not on one of the site's hosts. " +
				"Any page on the web can name your report address in its own policy.",
			"If the page is yours, add its host to `hosts` of the site in the policy file. Otherwise nothing."}
	case "not-json":
		return reason{"Not JSON", "No browser sends that. It was a bot, a test by hand, or a proxy that changes bodies.",
			"Nothing, if it is a trickle. If it is most of what arrives, look at what stands between the browsers and merlon."}
	case "not-a-report":
		return reason{"JSON, but no report", "It is JSON of a shape that no browser sends, or a report without the directive.",
			"Nothing, unless a program of yours sends it."}
	case "too-large":
		return reason{"Too large", "The body was longer than what a browser sends.", "Nothing. It is a flood or a test."}
	case "too-many":
		return reason{"Too many reports at once", "Browsers send at most a hundred in one body. Nothing of this one was read.",
			"Nothing. It is a flood or a test."}
	case "too-deep":
		return reason{"Nested too deeply", "The JSON has more levels or members than a report has.", "Nothing. It is a flood or a test."}
	case "incomplete":
		return reason{"Broken off", "The sender went away before the whole body was here. Browsers that are closed do that.",
			"If it happens often, look for a proxy with a short time limit."}
	case "client-budget":
		return reason{"More than a client may send", "One network of clients sent more reports than its share. The rest of that time is not read: a body counts as one.",
			"Nothing, if it is one network. If all visitors come through one proxy, tell merlon which proxies to trust."}
	case "repeated":
		return reason{"Sent again", "The browser did not get the answer and sent the batch once more. It was stored the first time, and counts once.",
			"Nothing. If it is much, look for a proxy that cuts answers off."}
	case "preflight":
		return reason{"A question of another site's page",
			"A browser asked whether a page of another site may report here. It may not, so its report was never sent.",
			"If the site is yours, add its host to `hosts` of the site in the policy file. Otherwise nothing."}
	case "canary":
		return reason{"A canary that is none",
			"The report says that it is of a canary, the harmless violation that merlon puts into pages to see whether reports arrive. It is of none that merlon made.",
			"Nothing. If it is much, somebody makes reports up."}
	case "method":
		return reason{"Not a POST", "Somebody opened the report address in a browser, or a scanner found it.", "Nothing."}
	default:
		return reason{"Another reason", "This page has no words for it.",
			"Nothing at once: what was dropped was answered, so that no browser sends it again."}
	}
}
