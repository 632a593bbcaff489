package cli_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/browser"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
)

// A framework has an application in testdata with two pages that say in the same way whether their own script ran, and print
// the parameter q as it came. One page prints the nonce of the request, the other the placeholder.
type framework struct {
	name                 string
	start                func(*testing.T) string
	forward, placeholder string // the paths of the two
}

func frameworks() []framework {
	return []framework{
		{"django", func(t *testing.T) string { return startPython(t, "django", t.TempDir()) }, "/forward", "/placeholder"},
		{"flask", func(t *testing.T) string { return startPython(t, "flask") }, "/forward", "/placeholder"},
		{"fastapi", startFastAPI, "/forward", "/placeholder"},
		{"express", startExpress, "/forward", "/placeholder"},
		{"php", startPHP, "/forward.php", "/placeholder.php"},
	}
}

func startFastAPI(t *testing.T) string {
	t.Helper()
	return startApp(t, exec.Command(need.Python(t, "fastapi", "uvicorn", "jinja2"), "testdata/fastapi/site.py"))
}

func startExpress(t *testing.T) string {
	t.Helper()
	return startApp(t, need.Node(t, "testdata/express/site.js", "express", "ejs"))
}

func startPHP(t *testing.T) string {
	t.Helper()
	return startApp(t, exec.Command(need.Program(t, "php-cli", "php"), "-S", "127.0.0.1:0", "-t", "testdata/php"))
}

// noncePolicy enforces strict with a way to hand out nonces.
const noncePolicy = "version: 1\nupstream: UPSTREAM\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndata: DATA\npreset: strict\nnonce: "

// In both modes the script that the template gave a nonce runs, without a complaint of the browser's, and injected ones do not.
func TestFrameworksPrintTheNonce(t *testing.T) {
	noLeaks(t)
	chromium := startBrowser(t, browser.Options{})
	for _, f := range frameworks() {
		t.Run(f.name, func(t *testing.T) {
			app := f.start(t)
			p := openTab(t, chromium)
			for _, path := range []string{f.forward, f.placeholder} {
				checkBare(p, app+path)
			}
			_, forward := startGateway(t, noncePolicy+"forward\n", app, t.TempDir())
			checkNonce(p, forward+f.forward)
			_, placeholder := startGateway(t, noncePolicy+"{placeholder_file: "+placeholderFile(t)+"}\n", app, t.TempDir())
			checkNonce(p, placeholder+f.placeholder)
		})
	}
}

// injection is what an attacker has the victim's browser ask for. Each part that runs leaves a word.
var injection = "?q=" + url.QueryEscape(`<script>document.title += " script"</script>`+
	`<script nonce="">document.title += " empty"</script><img src="/none" onerror="document.title += ' handler'">`)

// checkBare wants the injection to work without a gateway, or the test would show nothing.
func checkBare(p tab, page string) {
	p.t.Helper()
	p.visit(page + injection)
	if got := p.text("document.title"); got != "t script empty handler" {
		p.t.Errorf("%s without a gateway: the title is %q, so the injection does not work", page, got)
	}
}

func checkNonce(p tab, page string) {
	p.t.Helper()
	seen := map[string]bool{}
	for _, query := range []string{"", "", injection} {
		p.Forget()
		p.visit(page + query)
		if got := p.text("document.getElementById('out').textContent + ', ' + document.title"); got != "ran, t" {
			p.t.Errorf("%s: the page says %q, want %q", page+query, got, "ran, t")
		}
		nonce := p.text("[...document.scripts].map(s => s.nonce).join('')") // an attribute of a page with a policy is hidden from its own scripts
		if len(nonce) != 32 || seen[nonce] || strings.Contains(p.text("document.documentElement.outerHTML"), placeholder) {
			p.t.Errorf("%s: the nonce %q is none, or came before, or the placeholder is seen", page+query, nonce)
		}
		seen[nonce] = true
		complaints := 0
		for _, e := range p.Console() {
			if e.Source == "security" {
				complaints++
			}
		}
		if want := strings.Count(query, "document.title"); complaints != want {
			p.t.Errorf("%s: %d complaints of the browser, want %d: %v", page+query, complaints, want, p.Console())
		}
	}
}

// docs is where the documentation is.
const docs = "../../../../docs/"

var (
	// A code block with the file above it that holds the very text.
	heldBlock  = regexp.MustCompile("(?m)^<!-- (testdata/\\S+) -->\n```\\w+\n((?s:.*?))^```$")
	codeBlock  = regexp.MustCompile("(?m)^```(\\w+)\n((?s:.*?))^```$")
	emptyLines = regexp.MustCompile(`\n{2,}`)
)

// What frameworks.md shows is what the applications here do: each block names its file, but for what is said to be untested.
func TestDocumentedSnippets(t *testing.T) {
	page := read(t, docs+"frameworks.md")
	tested, untested, _ := strings.Cut(page, "\n## Rails")
	held := heldBlock.FindAllStringSubmatch(tested, -1)
	for _, m := range held {
		if !strings.Contains(emptyLines.ReplaceAllString(read(t, m[1]), "\n"), emptyLines.ReplaceAllString(m[2], "\n")) {
			t.Errorf("%s does not contain what frameworks.md says of it:\n%s", m[1], m[2])
		}
	}
	blocks := 0
	for _, m := range codeBlock.FindAllStringSubmatch(tested, -1) {
		if m[1] != "yaml" && m[1] != "sh" {
			blocks++
		}
	}
	if blocks != len(held) || blocks < 10 {
		t.Errorf("frameworks.md has %d snippets before Rails, and %d that name their file", blocks, len(held))
	}
	if !strings.Contains(untested, "not tested") {
		t.Error("frameworks.md does not say that Rails is not tested")
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}
