package collect

import "strings"

// agent is what a User-Agent says, as far as it is kept: never the text itself.
type agent struct {
	browser string // family and major version, "Firefox 153"
	words   uint64 // which words of the noise rules are in it, a bit each
}

// maxAgent is how much of a User-Agent is looked at, in bytes.
const maxAgent = 512

// agent returns what the header says. It is the same few for most of a site's reports.
func (h *hosts) agent(header string) agent {
	header = header[:min(len(header), maxAgent)]
	if a, ok := h.agents.get(header); ok {
		return a
	}
	a := agent{browserOf(header), h.noise.wordsIn(header)}
	h.agents.put(header, a)
	return a
}

// browserToken is a word of User-Agent headers and the family of browsers that puts it there.
type browserToken struct{ word, family string }

// browserTokens lists the families from the particular to the general: all but Firefox call themselves Safari as well, and Edge, Opera and others
// call themselves Chrome.
func browserTokens() []browserToken {
	return []browserToken{
		{"Googlebot", "bot"}, {"bingbot", "bot"}, {"YandexBot", "bot"}, {"Baiduspider", "bot"}, {"DuckDuckBot", "bot"}, {"Applebot", "bot"},
		{"AhrefsBot", "bot"}, {"SemrushBot", "bot"}, {"PetalBot", "bot"}, {"Bytespider", "bot"}, {"GPTBot", "bot"}, {"ClaudeBot", "bot"},
		{"facebookexternalhit", "bot"}, {"AdsBot", "bot"}, {"Storebot", "bot"}, {"Mediapartners", "bot"},
		{"FBAV/", "Facebook"}, {"FBAN/", "Facebook"}, {"FB_IAB/", "Facebook"}, {"Instagram ", "Instagram"}, {"Line/", "Line"}, {"GSA/", "Google app"},
		{"MicroMessenger/", "WeChat"},
		{"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"Edg/", "Edge"}, {"Edge/", "Edge"}, {"OPiOS/", "Opera"}, {"OPT/", "Opera"}, {"OPR/", "Opera"},
		{"Opera Mini/", "Opera Mini"}, {"Opera/", "Opera"},
		{"SamsungBrowser/", "Samsung"}, {"UCBrowser/", "UC Browser"}, {"YaBrowser/", "Yandex"}, {"Vivaldi/", "Vivaldi"}, {"MiuiBrowser/", "MIUI"},
		{"HuaweiBrowser/", "Huawei"}, {"Silk/", "Silk"}, {"DuckDuckGo/", "DuckDuckGo"}, {"Electron/", "Electron"},
		{"FxiOS/", "Firefox"}, {"Focus/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"}, {"HeadlessChrome/", "Headless Chrome"},
		{"Chromium/", "Chrome"}, {"Chrome/", "Chrome"}, {"MSIE ", "Internet Explorer"}, {"Trident/", "Internet Explorer"},
	}
}

// browserOf returns family and major version. Families come from a closed list, with "other" for the rest; "" if nothing was said.
func browserOf(header string) string {
	if header == "" {
		return ""
	}
	for _, t := range browserTokens() {
		_, rest, ok := strings.Cut(header, t.word)
		switch {
		case !ok:
		case t.family == "bot":
			return t.family
		case t.family == "Chrome" && strings.Contains(header, "; wv)"):
			return withVersion("Android WebView", rest)
		default:
			return withVersion(t.family, rest)
		}
	}
	return safariOf(header)
}

// safariOf tells WebKit's own browser, which has its version at another word, from an application that shows pages with WebKit.
func safariOf(header string) string {
	_, rest, version := strings.Cut(header, "Version/")
	switch {
	case strings.Contains(header, "Safari/") && version:
		return withVersion("Safari", rest)
	case strings.Contains(header, "AppleWebKit/") && !strings.Contains(header, "Safari/"):
		return "WebKit WebView"
	}
	return "other"
}

// withVersion adds the number at the beginning of rest, if there is one that a browser can have.
func withVersion(family, rest string) string {
	n := 0
	for n < len(rest) && '0' <= rest[n] && rest[n] <= '9' {
		n++
	}
	if n == 0 || n > 3 {
		return family
	}
	return family + " " + rest[:n]
}
