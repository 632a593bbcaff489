package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/cspcase"
	"github.com/merlon-sec/merlon/csp"
)

// explainFlags are the question: a URL, or one of the flags that ask about something else.
type explainFlags struct {
	mode, self, format string

	as, nonce, integrity string
	byScript             bool
	redirects            int

	inline, content         string
	eval, wasm, webrtc      bool
	trustedPolicy, sink     string
	framedBy, xFrameOptions []string
	policy, url             string
}

func newCSPExplain() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain POLICY [URL]",
		Short: "Say whether a policy lets a page do something, and why",
		Long: `explain asks about one thing: a URL that the page loads (or submits a form to,
with --as form, or sets as its base, with --as base), or inline code, eval,
WebAssembly, Trusted Types, WebRTC, or the pages that frame it. It names the
directive that decides, the source that lets it through or why each does not,
and the browsers that decide otherwise. A comma in POLICY separates policies, as
in a header.`,
		Example: `  merlon csp explain "default-src 'self'; img-src https:" \
    http://cdn.example/logo.png --as image
  merlon csp explain "script-src 'nonce-abc' 'strict-dynamic'" \
    https://cdn.example/lib.js --as script --nonce abc
  merlon csp explain "script-src 'self'" --inline handler --content "go()"
  merlon csp explain "default-src 'self'" --eval
  merlon csp explain "frame-ancestors 'self'" \
    --framed-by https://partner.example --x-frame-options DENY`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.policy = args[0]
			if len(args) == 2 {
				f.url = args[1]
			}
			return f.run(cmd.OutOrStdout())
		},
	}
	modeFlag(cmd, &f.mode, csp.Strictest)
	flags := cmd.Flags()
	flags.StringVar(&f.self, "self", "https://example.com", "URL or origin of the page")
	flags.StringVar(&f.as, "as", "", "what the URL is for: script, style, image, font, iframe, worker, ..., form, base;\nempty for fetch() and WebSockets")
	flags.StringVar(&f.nonce, "nonce", "", "nonce of the element")
	flags.StringVar(&f.integrity, "integrity", "", "integrity of the element")
	flags.BoolVar(&f.byScript, "by-script", false, "a script has made the element")
	flags.IntVar(&f.redirects, "redirects", 0, "how many redirects led to the URL")
	flags.StringVar(&f.inline, "inline", "", "inline code: script, style, handler, style-attribute or javascript-url")
	flags.StringVar(&f.content, "content", "", "the inline code, or the text that reaches eval or a sink")
	flags.BoolVar(&f.eval, "eval", false, "code made from a string")
	flags.BoolVar(&f.wasm, "wasm", false, "WebAssembly")
	flags.BoolVar(&f.webrtc, "webrtc", false, "a WebRTC connection")
	flags.StringVar(&f.trustedPolicy, "trusted-types-policy", "", "making the Trusted Types policy of this `name`")
	flags.StringVar(&f.sink, "sink", "", "a plain string in this `sink`, such as \"Element innerHTML\"")
	flags.StringArrayVar(&f.framedBy, "framed-by", nil, "`origin` of a page that frames the page; repeat for its own ancestors, parent first")
	flags.StringArrayVar(&f.xFrameOptions, "x-frame-options", nil, "a line of X-Frame-Options that goes with the policy")
	formatFlag(cmd, &f.format)
	return cmd
}

// purposes are the destinations of the Fetch standard, and two uses of URLs that are no fetch.
var purposes = []string{"audio", "audioworklet", "base", "embed", "fencedframe", "font", "form", "frame", "iframe", "image", "json", "manifest", "object",
	"paintworklet", "report", "script", "serviceworker", "sharedworker", "style", "track", "video", "webidentity", "worker", "xslt"}

var inlineTypes = map[string]csp.Inline{
	"script":          {Type: csp.InlineScript, Element: "script"},
	"style":           {Type: csp.InlineStyle, Element: "style"},
	"handler":         {Type: csp.InlineScriptAttribute},
	"style-attribute": {Type: csp.InlineStyleAttribute},
	"javascript-url":  {Type: csp.InlineNavigation},
}

func (f explainFlags) run(out io.Writer) error {
	m, err := parseMode(f.mode)
	if err == nil {
		err = checkFormat(f.format)
	}
	if err != nil {
		return err
	}
	self, err := cspcase.ParseURL(f.self)
	if err != nil {
		return usagef("--self %s: %w", f.self, err)
	}
	what, e, err := f.ask(m, self, csp.NewList(csp.Delivered{Value: f.policy}))
	if err != nil {
		return err
	}
	if f.format == "json" {
		err = writeJSON(out, explanationJSON(what, m, self, e))
	} else {
		printExplanation(out, what, self, e)
	}
	if err == nil && e.Blocked {
		return errFindings
	}
	return err
}

// ask asks the one question that the flags hold, and returns it in words as well.
func (f explainFlags) ask(m csp.Mode, self csp.URL, l *csp.List) (what string, e csp.Explanation, err error) {
	asked := 0
	question := func(given bool, words string, explain func() csp.Explanation) {
		if given {
			asked++
			what, e = words, explain()
		}
	}
	question(f.eval, "eval", func() csp.Explanation { return l.ExplainEval(m, f.content, csp.PlainString) })
	question(f.wasm, "WebAssembly", func() csp.Explanation { return l.ExplainWasm(m) })
	question(f.webrtc, "WebRTC", func() csp.Explanation { return l.ExplainWebRTC(m) })
	question(f.trustedPolicy != "", "the Trusted Types policy "+f.trustedPolicy, func() csp.Explanation { return l.ExplainTrustedTypesPolicy(m, f.trustedPolicy, nil) })
	question(f.sink != "", "a string in "+f.sink, func() csp.Explanation { return l.ExplainTrustedTypesSink(m, f.sink, f.content) })
	in, known := inlineTypes[f.inline]
	in.Content, in.Nonce, in.ParserInserted = f.content, f.nonce, !f.byScript
	question(known, "inline "+f.inline, func() csp.Explanation { return l.ExplainInline(m, &in) })
	var ancestors []csp.Origin
	for _, a := range f.framedBy {
		u, err := cspcase.ParseURL(a)
		if err != nil && a != "null" { // whose origin is opaque, as that of no URL is
			return "", e, usagef("--framed-by %s: write an origin, such as https://partner.example, or null: %w", a, err)
		}
		ancestors = append(ancestors, u.Origin())
	}
	question(len(ancestors) > 0, "framing by "+strings.Join(f.framedBy, " in "), func() csp.Explanation { return l.ExplainFrame(m, self, ancestors, f.xFrameOptions) })
	if f.url != "" {
		u, err := cspcase.ParseURL(f.url)
		if err != nil {
			return "", e, usagef("%s: %w", f.url, err)
		}
		question(true, u.String(), func() csp.Explanation { return f.askURL(m, self.Origin(), l, &u) })
	}
	switch {
	case f.inline != "" && !known:
		err = usagef("--inline %s: write script, style, handler, style-attribute or javascript-url", f.inline)
	case f.as != "" && !slices.Contains(purposes, f.as):
		err = usagef("--as %s: write one of %s", f.as, strings.Join(purposes, " "))
	case asked != 1:
		err = usagef("ask about one thing: a URL, --inline, --eval, --wasm, --webrtc, --trusted-types-policy, --sink or --framed-by")
	}
	return what, e, err
}

func (f explainFlags) askURL(m csp.Mode, self csp.Origin, l *csp.List, u *csp.URL) csp.Explanation {
	switch f.as {
	case "base":
		return l.ExplainBase(m, self, u)
	case "form":
		return l.ExplainSubmitForm(m, self, u, f.redirects)
	}
	return l.ExplainRequest(m, self, &csp.Request{URL: *u, Destination: f.as, Nonce: f.nonce, Integrity: f.integrity, ParserInserted: !f.byScript, Redirects: f.redirects})
}

func verdict(blocked bool) string {
	if blocked {
		return "blocked"
	}
	return "allowed"
}

func printExplanation(out io.Writer, what string, self csp.URL, e csp.Explanation) {
	fmt.Fprintf(out, "%s: %s for the page %s\n", what, verdict(e.Blocked), self)
	for _, p := range e.Policies {
		indent := "  "
		if len(e.Policies) > 1 {
			fmt.Fprintf(out, "  %s\n", p.Policy)
			indent = "    "
		}
		printPolicy(out, indent, p)
	}
	for _, b := range e.Differ {
		fmt.Fprintf(out, "%s decides otherwise.\n", b)
	}
}

func printPolicy(out io.Writer, indent string, p csp.PolicyExplanation) {
	line := func(format string, args ...any) { fmt.Fprintf(out, indent+format+"\n", args...) }
	switch {
	case p.By == "" && p.Directive == "":
		line("no directive governs this")
	case p.By == "" && len(p.Reasons) == 0:
		line("no directive governs %s", p.Directive)
	case p.By != "" && len(p.Missing) > 0:
		line("%s decides, because there is no %s", p.By, strings.Join(p.Missing, " and no "))
	case p.By != "":
		line("%s decides", p.By)
	}
	for _, r := range p.Reasons {
		line("  %-24s %s", r.Word, r.Why)
	}
	switch {
	case p.Matched != "":
		line("  %s lets it through", p.Matched)
	case p.By != "" && p.Allowed:
		line("  it does not look at this")
	case p.By != "" && len(p.Reasons) == 0:
		line("  it has no sources")
	}
}

func explanationJSON(what string, m csp.Mode, self csp.URL, e csp.Explanation) any {
	type reason struct {
		Word string `json:"word"`
		Why  string `json:"why"`
	}
	type policy struct {
		Policy      string   `json:"policy"`
		Disposition string   `json:"disposition"`
		Directive   string   `json:"directive"`
		Missing     []string `json:"missing"`
		By          string   `json:"by"`
		Allowed     bool     `json:"allowed"`
		Matched     string   `json:"matched"`
		Reasons     []reason `json:"reasons"`
	}
	policies, differ := []policy{}, []string{}
	for _, p := range e.Policies {
		reasons := []reason{}
		for _, r := range p.Reasons {
			reasons = append(reasons, reason(r))
		}
		policies = append(policies, policy{p.Policy, p.Disposition.String(), p.Directive, append([]string{}, p.Missing...), p.By, p.Allowed, p.Matched, reasons})
	}
	for _, b := range e.Differ {
		differ = append(differ, b.String())
	}
	return map[string]any{"schema": "merlon/csp-explain", "version": 1, "question": what, "mode": m.String(), "decided_as": e.Mode.String(),
		"page": self.String(), "result": verdict(e.Blocked), "policies": policies, "differ": differ}
}
