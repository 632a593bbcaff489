// Package scripts_test holds scripts/release to what it is for: that both modules can be installed by their version.
package scripts_test

import (
	"path/filepath"
	"strings"
	"testing"
)

const (
	library = "github.com/merlon-sec/merlon"
	tool    = library + "/cmd/merlon"
	version = "v0.0.1-test.1"
)

// A program as a user of the library would begin it.
const consumer = `package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/merlon-sec/merlon"
)

func main() {
	guard, err := merlon.New(merlon.Strict())
	if err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	guard.Handler(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	fmt.Println(w.Header().Get("X-Frame-Options"))
}
`

func TestRelease(t *testing.T) {
	repo := copyOfRepository(t)
	head := repo.git("rev-parse", "HEAD")

	out := repo.mustRun("scripts/release", version)
	if want := "git push --atomic origin " + version + " cmd/merlon/" + version; !strings.Contains(out, want) {
		t.Errorf("scripts/release %s printed\n%s\nwant %q in it", version, out, want)
	}
	checkTags(t, repo, head)

	users := repo.publish()
	users.mustRun("go", "install", tool+"@"+version)
	if help := users.mustRun(filepath.Join(users.dir, "bin", "merlon"), "--help"); !strings.Contains(help, "merlon") {
		t.Errorf("the installed merlon --help printed\n%s\nwant the name of the program in it", help)
	}

	users.write("main.go", consumer)
	users.mustRun("go", "mod", "init", "consumer.example")
	users.mustRun("go", "get", library+"@"+version)
	if got, want := users.mustRun("go", "run", "."), "DENY\n"; got != want {
		t.Errorf("a program that uses the library printed %q, want %q", got, want)
	}
	if got, want := users.mustRun("go", "list", "-m", "all"), "consumer.example\n"+library+" "+version+"\n"; got != want {
		t.Errorf("go list -m all of a program that uses the library:\n%s\nwant no other module:\n%s", got, want)
	}
}

// checkTags looks at what scripts/release left in the repository: two tags, and nothing else.
func checkTags(t *testing.T, repo place, head string) {
	t.Helper()
	if got := repo.git("rev-parse", "HEAD"); got != head {
		t.Errorf("HEAD is now %s, want %s as before", got, head)
	}
	if got := repo.git("status", "--porcelain"); got != "" {
		t.Errorf("the work tree has changes:\n%s", got)
	}
	if got := repo.git("rev-parse", version+"^{commit}"); got != head {
		t.Errorf("%s is %s, want HEAD, %s", version, got, head)
	}
	if got := repo.git("rev-parse", "cmd/merlon/"+version+"^"); got != head {
		t.Errorf("the parent of cmd/merlon/%s is %s, want HEAD, %s", version, got, head)
	}
	changed := repo.git("diff", "--name-only", head, "cmd/merlon/"+version)
	if want := "cmd/merlon/go.mod\ncmd/merlon/go.sum"; changed != want {
		t.Errorf("the tool's commit changes\n%s\nwant\n%s", changed, want)
	}
	mod := repo.git("show", "cmd/merlon/"+version+":cmd/merlon/go.mod")
	if strings.Contains(mod, "replace") || !strings.Contains(mod, library+" "+version+"\n") {
		t.Errorf("go.mod of cmd/merlon/%s:\n%s\nwant the library required at the version, and no replace", version, mod)
	}
}

func TestReleaseDryRun(t *testing.T) {
	repo := copyOfRepository(t)
	out := repo.mustRun("scripts/release", "--dry-run", version)
	if want := "cmd/merlon: release " + version; !strings.Contains(out, want) {
		t.Errorf("scripts/release --dry-run printed\n%s\nwant %q in it", out, want)
	}
	if tags := repo.git("tag"); tags != "" {
		t.Errorf("scripts/release --dry-run left the tags\n%s", tags)
	}
}

func TestReleaseRefuses(t *testing.T) {
	repo := copyOfRepository(t)
	repo.git("tag", "v0.1.0")
	repo.git("tag", "cmd/merlon/v0.2.0")
	for _, tc := range []struct{ args, want string }{
		{"", "usage:"},
		{"v0.3.0 v0.4.0", "usage:"},
		{"0.3.0", "is not a version"},
		{"v0.3", "is not a version"},
		{"v0.03.0", "is not a version"},
		{"v0.3.0-rc.01", "is not a version"},
		{"v0.3.0+build", "is not a version"},
		{"v2.0.0", "is not a version"},
		{"v0.1.0", "the tag v0.1.0 exists"},
		{"v0.2.0", "the tag cmd/merlon/v0.2.0 exists"},
	} {
		checkRefusal(t, repo, tc.args, tc.want)
	}
	repo.write("new.txt", "not committed")
	checkRefusal(t, repo, "v0.3.0", "the work tree has changes")
	if got, want := repo.git("tag"), "cmd/merlon/v0.2.0\nv0.1.0"; got != want {
		t.Errorf("the tags after all refusals:\n%s\nwant\n%s", got, want)
	}
}

func checkRefusal(t *testing.T, repo place, args, want string) {
	t.Helper()
	out, err := repo.run("scripts/release", strings.Fields(args)...)
	if err == nil || !strings.Contains(out, want) {
		t.Errorf("scripts/release %s: error %v, printed\n%s\nwant an error and %q", args, err, out, want)
	}
}
