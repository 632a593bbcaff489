package dash

import (
	"cmp"
	"strings"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// badge is a short label and what it means.
type badge struct{ Class, Text, Help string }

// Badges say how far an issue is to be believed. The first one is its verdict.
func (i issueView) Badges() []badge {
	badges := []badge{verdictBadge(i.Verdict, i.Rule, i.Reason)}
	switch {
	case !i.Confirmed():
		badges = append(badges, badge{"doubt", "unconfirmed", "Seen by one client alone so far: one person's browser, or somebody who makes reports up."})
	case i.Attested == 0:
		badges = append(badges, badge{"doubt", "unattested", "No report named a nonce of this site. Who forges reports need not fetch a page for them."})
	}
	return badges
}

// verdictBadge is the badge of a verdict that has this reason; "": one in general words.
func verdictBadge(v store.Verdict, rule, reason string) badge {
	says := func(general string) string { return visible(cmp.Or(reason, general)) }
	switch v {
	case store.Noise:
		name, _, _ := strings.Cut(rule, "@")
		return badge{"noise", strings.TrimSuffix("noise: "+visible(name), ": "), strings.TrimSuffix(says("A rule knows this: it does not come from your site."), ".") + ". Nothing is deleted for it."}
	case store.SelfContradicting:
		return badge{"contradicting", "self-contradicting", says("The policy in the report allows what it says was blocked: a redirect, a second policy, or a forged report.")}
	case store.Actionable:
		return badge{"actionable", "actionable", "No rule explains it away: your pages or somebody else's input caused it."}
	default:
		return badge{"doubt", visible(string(v)), ""}
	}
}

// stateChoice is a state that people can give to an issue.
type stateChoice struct {
	Value store.State
	Name  string
	Help  string
}

func stateChoices() []stateChoice {
	return []stateChoice{
		{store.New, "New", "Nobody has looked at it yet."},
		{store.Acknowledged, "Acknowledged", "Somebody looks into it."},
		{store.Accepted, "Accepted risk", "It stays as it is, and that is decided."},
		{store.Ignored, "Ignored", "Out of the lists: until a day, or for good."},
	}
}

func stateName(s store.State) string { return choiceOf(s).Name }

func stateHelp(s store.State) string { return choiceOf(s).Help }

func choiceOf(s store.State) stateChoice {
	for _, c := range stateChoices() {
		if c.Value == s {
			return c
		}
	}
	return stateChoice{Value: s, Name: visible(string(s))}
}

// ClassWords says what kind of thing was blocked.
func (i issueView) ClassWords() string {
	switch i.Class {
	case store.ClassOrigin:
		return "another origin"
	case store.ClassSelf:
		return "this site's own address"
	case store.ClassScheme:
		return "any address with this scheme"
	case store.ClassInline:
		return "code or style inside the page"
	case store.ClassEval:
		return "text run as code"
	case store.ClassWasmEval:
		return "WebAssembly"
	case store.ClassTrustedTypes:
		return "the function, and the script that called it"
	case store.ClassFrameAncestors:
		return i.framer()
	case store.ClassOpener:
		return "the property, and the other page"
	case store.ClassFeature:
		return "the feature"
	case store.ClassDeprecation, store.ClassIntervention:
		return "what the browser calls it"
	case store.ClassCrash, store.ClassNetwork:
		return "the reason"
	case store.ClassHash:
		return "the script"
	case store.ClassOther:
		return "nothing that merlon knows"
	default:
		return visible(i.Class)
	}
}

func (i issueView) framer() string {
	switch i.Blocked {
	case "":
		return "the browsers did not say who framed the page"
	case "self":
		return "framed by a page of this site"
	default:
		return "the origin of the page that framed yours"
	}
}
