package merlon_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/merlon-sec/merlon"

// mayImport says which of our packages each of our packages may import. Names are relative to the module path, and
// those of the tool's internal packages to tool/; a name that ends in * stands for all that begin so.
// Data goes one way: a package may know some that stand above it in this table, never one below.
var mayImport = map[string][]string{
	"cfgerrors":  nil,
	"internal/*": nil,
	"csp":        {"cfgerrors", "internal/*"},
	"report":     {"csp", "internal/*"},
	"merlon":     {"csp", "cfgerrors", "internal/*"},
	"audit":      {"merlon", "csp", "cfgerrors", "internal/*"},
	"merlontest": {"merlon", "audit", "csp", "internal/*"},
	"scripts":    nil,
	"contrib":    nil,

	"tool/cspcase":    nil,
	"tool/certs":      nil,
	"tool/keys":       nil,
	"tool/inline":     nil,
	"tool/hostport":   nil,
	"tool/rewrite":    nil,
	"tool/notify":     nil,
	"tool/policyfile": {"tool/inline", "tool/hostport", "tool/rewrite", "tool/notify"},
	"tool/starter":    {"tool/policyfile"},
	"tool/coding":     nil,
	"tool/access":     nil,
	"tool/metrics":    {"tool/access"},
	"tool/gateway":    {"tool/rewrite", "tool/coding", "tool/inline", "tool/hostport", "tool/access", "tool/transport"},
	"tool/faults":     {"tool/cli"},
	"tool/transport":  nil,
	"tool/demo":       nil,
	"tool/scan":       nil,
	"tool/browser":    nil,
	"tool/need":       {"tool/browser"},
	"tool/wait":       nil,
	"tool/frame":      {"tool/browser"},
	"tool/learn":      {"tool/browser"},
	"tool/store":      nil,
	"tool/collect":    {"tool/store", "tool/hostport"},
	"tool/alert":      {"tool/store", "tool/notify"},
	"tool/upkeep":     {"tool/collect", "tool/store"},
	"tool/rollout":    {"tool/store"},
	"tool/dash":       {"tool/store"},
	"tool/control":    {"tool/store"},
	"tool/cli":        {"tool/*"},
	"tool":            {"tool/cli"},
}

// public is what every package of the tool may import: never the library's internal packages,
// because a released tool is built with a library of another version.
var public = []string{"merlon", "csp", "report", "audit", "merlontest", "cfgerrors"}

// rootTests is what tests of the library may import besides: examples show how packages work together.
var rootTests = map[string][]string{"report": {"merlon"}}

// toolTests is what tests of the tool may import besides.
var toolTests = []string{"tool/browser", "tool/need", "tool/wait"}

// A listedPackage is what the test needs of an object that go list -json prints.
type listedPackage struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImports(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		t.Setenv("GOOS", system)
		for _, pkg := range listWorkspace(t) {
			for _, mistake := range misplacedImports(pkg) {
				t.Errorf("on %s: %s", system, mistake)
			}
		}
	}
}

func TestRootModuleHasNoDependencies(t *testing.T) {
	t.Setenv("GOWORK", "off")
	got := goOutput(t, "list", "-m", "all")
	if want := modulePath + "\n"; string(got) != want {
		t.Errorf("GOWORK=off go list -m all =\n%s\nwant only\n%s", got, want)
	}
	if _, err := os.Stat("go.sum"); err == nil {
		t.Error("the root module has a go.sum, want none: it has no dependencies, its tests included")
	}
}

// What a goroutine of the library did would outlive the request, and nobody could wait for it.
func TestLibraryStartsNoGoroutines(t *testing.T) {
	for _, pattern := range []string{"*.go", "cfgerrors/*.go", "csp/*.go", "report/*.go", "internal/*/*.go", "merlontest/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if _, starts := n.(*ast.GoStmt); starts {
					t.Errorf("%s starts a goroutine", name)
				}
				return true
			})
		}
	}
}

// The table would be worth nothing if it let these pass.
func TestMisplacedImports(t *testing.T) {
	tool := modulePath + "/cmd/merlon/internal/"
	for _, tc := range []struct {
		pkg  listedPackage
		want string
	}{
		{listedPackage{ImportPath: modulePath, Imports: []string{"net/http", modulePath + "/csp"}}, ""},
		{listedPackage{ImportPath: modulePath, XTestImports: []string{modulePath}}, ""},
		{listedPackage{ImportPath: modulePath + "/csp", Imports: []string{modulePath}}, "csp may not import merlon"},
		{listedPackage{ImportPath: modulePath + "/csp", TestImports: []string{modulePath}}, "csp may not import merlon"},
		{listedPackage{ImportPath: modulePath, Imports: []string{"golang.org/x/net/html"}}, "merlon may not import golang.org/x/net/html"},
		{listedPackage{ImportPath: modulePath + "/report", XTestImports: []string{modulePath}}, ""},
		{listedPackage{ImportPath: modulePath + "/report", Imports: []string{modulePath}}, "report may not import merlon"},
		{listedPackage{ImportPath: modulePath + "/internal/a", Imports: []string{modulePath + "/internal/b"}}, "internal/a may not import internal/b"},
		{listedPackage{ImportPath: modulePath + "/extra"}, "extra is not in the table"},
		{listedPackage{ImportPath: tool + "gateway", Imports: []string{modulePath, "golang.org/x/net/html"}}, ""},
		{listedPackage{ImportPath: tool + "gateway", Imports: []string{modulePath + "/internal/origin"}}, "tool/gateway may not import internal/origin"},
		{listedPackage{ImportPath: tool + "gateway", Imports: []string{tool + "store"}}, "tool/gateway may not import tool/store"},
		{listedPackage{ImportPath: tool + "gateway", Imports: []string{tool + "need"}}, "tool/gateway may not import tool/need"},
		{listedPackage{ImportPath: tool + "gateway", XTestImports: []string{tool + "need"}}, ""},
		{listedPackage{ImportPath: tool + "dash", Imports: []string{tool + "store"}}, ""},
		{listedPackage{ImportPath: tool + "extra"}, "tool/extra is not in the table"},
		{listedPackage{ImportPath: modulePath + "/cmd/merlon", Imports: []string{modulePath}}, "tool may not import merlon"},
	} {
		if got := strings.Join(misplacedImports(tc.pkg), "; "); got != tc.want {
			t.Errorf("misplacedImports(%+v) = %q, want %q", tc.pkg, got, tc.want)
		}
	}
}

// misplacedImports lists the imports of pkg, those of its tests included, that the tables do not allow.
func misplacedImports(pkg listedPackage) []string {
	name := shortName(pkg.ImportPath)
	allowed, ok := allowedImports(name)
	if !ok {
		return []string{name + " is not in the table"}
	}
	inTests := append(slices.Concat(allowed, rootTests[name]), name)
	if isTool(name) {
		inTests = append(inTests, toolTests...)
	}
	return slices.Concat(
		misplaced(name, pkg.Imports, allowed),
		misplaced(name, pkg.TestImports, inTests),
		misplaced(name, pkg.XTestImports, inTests),
	)
}

func misplaced(name string, imports, allowed []string) []string {
	var mistakes []string
	for _, path := range imports {
		imported := shortName(path)
		mayUse := func(pattern string) bool { return matches(pattern, imported) }
		switch {
		case isStandard(path):
		case !isOurs(path) && isTool(name):
		case isOurs(path) && slices.ContainsFunc(allowed, mayUse):
		default:
			mistakes = append(mistakes, name+" may not import "+imported)
		}
	}
	return mistakes
}

func allowedImports(name string) ([]string, bool) {
	for pattern, allowed := range mayImport {
		if matches(pattern, name) {
			if strings.HasPrefix(name, "tool/") {
				allowed = slices.Concat(allowed, public)
			}
			return allowed, true
		}
	}
	return nil, false
}

func matches(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return name == pattern
}

func isStandard(path string) bool {
	host, _, _ := strings.Cut(path, "/")
	return !strings.Contains(host, ".")
}

func isOurs(path string) bool { return path == modulePath || strings.HasPrefix(path, modulePath+"/") }

func isTool(name string) bool { return name == "tool" || strings.HasPrefix(name, "tool/") }

// shortName is the table's name for an import path of ours, and any other path itself.
func shortName(path string) string {
	name := strings.TrimPrefix(path, modulePath+"/")
	switch internal, ok := strings.CutPrefix(name, "cmd/merlon/internal/"); {
	case path == modulePath:
		return "merlon"
	case name == "cmd/merlon":
		return "tool"
	case ok:
		return "tool/" + internal
	default:
		return name
	}
}

func listWorkspace(t *testing.T) []listedPackage {
	t.Helper()
	out := goOutput(t, "list", "-json=ImportPath,Imports,TestImports,XTestImports", "work")
	var packages []listedPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var pkg listedPackage
		if err := decoder.Decode(&pkg); err != nil {
			t.Fatalf("what go list printed: %v", err)
		}
		packages = append(packages, pkg)
	}
	if len(packages) < 2 {
		t.Fatalf("go list work named %d packages, want those of two modules", len(packages))
	}
	return packages
}

// goOutput runs the go command in a checkout of the repository; the tests of a module that was downloaded skip.
func goOutput(t *testing.T, args ...string) []byte {
	t.Helper()
	if _, err := os.Stat("cmd/merlon/go.mod"); err != nil {
		if os.Getenv("MERLON_TEST_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skip("this is no checkout of the repository: ", err)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	return out
}
