package store

// The classes of issues: which thing [Issue.Blocked] is. It is what the change to the policy would name.
const (
	ClassOrigin         = "origin"          // a URL of another origin: the origin
	ClassSelf           = "self"            // a URL of the document's own origin; with the path's template where the policy has paths
	ClassScheme         = "scheme"          // data:, blob:, an extension: the scheme
	ClassInline         = "inline"          // script, style, handler: the sample, else where it is
	ClassEval           = "eval"            // eval and its kin: the script that calls it
	ClassWasmEval       = "wasm-eval"       // the same, and another keyword
	ClassTrustedTypes   = "trusted-types"   // the sink or policy, and the script
	ClassFrameAncestors = "frame-ancestors" // the origin of the page that framed the document, "" if not known
	ClassOther          = "other"           // what blocked-uri says is none of these

	// Of reports that are not about a CSP.
	ClassOpener       = "opener"       // of Cross-Origin-Opener-Policy: the property and the other page's origin
	ClassFeature      = "feature"      // of Permissions-Policy and Document-Policy: the feature
	ClassDeprecation  = "deprecation"  // the feature that goes away
	ClassIntervention = "intervention" // what the browser did not do
	ClassCrash        = "crash"        // the reason
	ClassNetwork      = "network"      // the error and the origin
	ClassHash         = "hash"         // the script
)
