package dash

// The types of reports that are not violations of a Content Security Policy, as browsers spell them.
const (
	typeHash         = "csp-hash"
	typeCOOP         = "coop"
	typeCOEP         = "coep"
	typePermissions  = "permissions-policy-violation"
	typePotential    = "potential-permissions-policy-violation"
	typeDocument     = "document-policy-violation"
	typeDeprecation  = "deprecation"
	typeIntervention = "intervention"
	typeCrash        = "crash"
	typeIntegrity    = "integrity-violation"
	typeNetwork      = "network-error"
)

// reportTypes are those that issues can have.
func reportTypes() []string {
	return []string{"csp-violation", typeCOOP, typeCOEP, typePermissions, typePotential, typeDocument, typeIntegrity, typeHash,
		typeDeprecation, typeIntervention, typeCrash, typeNetwork, "other"}
}

// otherTypes explain reports that are not violations of a Content Security Policy.
func otherTypes() rulebook {
	return rulebook{{
		types: []string{typeCOOP},
		advice: advice{
			Headline: "Windows kept apart",
			Refused:  "let two windows of different sites reach each other",
			Means: "Cross-Origin-Opener-Policy takes a page out of the group of windows that opened it. Log-in and payment windows that call " +
				"`window.opener` notice.",
			Do: []string{"If a pop-up of yours or a partner's has to talk to the page, set `same-origin-allow-popups` on the route that opens it.",
				"If nothing of yours opens windows, change nothing."},
		},
	}, {
		types: []string{typeCOEP},
		advice: advice{
			Headline: "Something that may not be embedded",
			Refused:  "embed something whose server did not allow it",
			Means:    "Cross-Origin-Embedder-Policy wants every resource to agree to be embedded, by Cross-Origin-Resource-Policy or CORS.",
			Do:       []string{"Send `Cross-Origin-Resource-Policy: cross-origin` from the server of the resource, or load it with `crossorigin`."},
		},
	}, {
		types: []string{typePermissions, typePotential},
		advice: advice{
			Headline: "A browser feature that is switched off",
			Refused:  "let the page use this feature",
			Means:    "Permissions-Policy switches the feature off, on this page or in one of its frames. A vendor's script often tries features it does not need.",
			Do:       []string{"If the page needs it, allow it on that route. Otherwise nothing."},
		},
	}, {
		types: []string{typeDocument},
		advice: advice{
			Headline: "A page that breaks its Document-Policy",
			Refused:  "let the page do what its Document-Policy rules out",
			Means:    "Document-Policy bounds what a page may cost: large images, synchronous scripts and the like.",
			Do:       []string{"Change the element, or the policy on that route."},
		},
	}, {
		types: []string{typeIntegrity},
		advice: advice{
			Headline: "A file without its hash",
			Refused:  "load a file whose element has no `integrity`",
			Means:    "Integrity-Policy wants a hash on every script or style sheet, so that its server cannot change it unseen.",
			Do: []string{"Print `integrity` and `crossorigin` on the element.",
				"If you do not know the file, treat it as an incident: find what put it into the page."},
		},
	}, {
		types: []string{typeHash},
		advice: advice{
			Headline: "The hash of a script that ran",
			Said:     "The browser loaded a script and tells its hash.",
			Means:    "The policy asks for it (`'report-sha256'`). Nothing was blocked.",
			Do:       []string{"Use it to write the list of scripts of this page."},
		},
	}, {
		types: []string{typeDeprecation},
		advice: advice{
			Headline: "Something that browsers will remove",
			Said:     "A page uses a feature that browsers are about to take away.",
			Means:    "It works today. The samples below name the script, and often the day.",
			Do:       []string{"If the script is yours, replace the feature. If it is a library's, look for a newer version."},
		},
	}, {
		types: []string{typeIntervention},
		advice: advice{
			Headline: "Something that the browser did not do for the visitor's sake",
			Said:     "The browser decided against something that a page asked for.",
			Means:    "For example it did not play a sound before the first click, or left out a slow script.",
			Do:       []string{"Read the message in the samples below. Often nothing has to change."},
		},
	}, {
		types: []string{typeCrash},
		advice: advice{
			Headline: "A page that crashed",
			Said:     "The page's process ended: out of memory, or it did not answer any more.",
			Means:    "Single ones are a visitor's device. Many of one page are the page's.",
			Do:       []string{"If one page stands out in the list below, look at its memory and at loops in its scripts."},
		},
	}, {
		types: []string{typeNetwork},
		advice: advice{
			Headline: "Requests that failed on the way",
			Said:     "Browsers could not get an answer from the site, or got an error.",
			Means:    "Network Error Logging tells what the server cannot see: DNS, connections, TLS.",
			Do:       []string{"Compare the time with your own outages and certificates. A few from everywhere are the visitors' networks."},
		},
	}}
}
