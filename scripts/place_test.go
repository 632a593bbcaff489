package scripts_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A place is a directory, with the environment that programs get there.
type place struct {
	t   *testing.T
	dir string
	env []string
}

// copyOfRepository commits what is in the work tree now, committed or not, to a new repository.
func copyOfRepository(t *testing.T) place {
	t.Helper()
	for _, program := range []string{"bash", "git"} {
		if _, err := exec.LookPath(program); err != nil {
			skip(t, program+" is missing")
		}
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		skip(t, "this is no checkout of the repository")
	}
	source := place{t: t, dir: root, env: os.Environ()}
	copied := place{t: t, dir: t.TempDir(), env: append(os.Environ(),
		// The user's configuration may sign commits, or run hooks.
		"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@merlon.example",
		"GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@merlon.example",
	)}
	files := source.git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for name := range strings.SplitSeq(strings.Trim(files, "\x00"), "\x00") {
		copyFile(t, filepath.Join(root, name), filepath.Join(copied.dir, name))
	}
	copied.git("init", "--quiet", "--initial-branch=main")
	copied.git("add", "--all")
	copied.git("commit", "--quiet", "--message", "all: what the work tree holds")
	return copied
}

// skip fails the test instead where scripts/test runs it.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("MERLON_TEST_REQUIRE") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if os.IsNotExist(err) {
		return // removed in the work tree, and not committed yet
	}
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, info.Mode().Perm()); err != nil {
		t.Fatal(err)
	}
}

// publish makes a module proxy, a directory of files, that serves the tagged modules of the repository p,
// and returns the place of a user who reaches no other network.
func (p place) publish() place {
	p.t.Helper()
	// The test may be the first to need what the tool is built from.
	p.mustRun("go", "-C", "cmd/merlon", "list", "-deps", ".")
	downloads := filepath.Join("cache", "download")
	known := filepath.Join(p.goEnv("GOMODCACHE"), downloads)

	// What the go command keeps of a download is laid out as a proxy serves it.
	publisher := place{t: p.t, dir: p.t.TempDir(), env: slices.Concat(p.env, []string{
		"GOMODCACHE=" + filepath.Join(p.t.TempDir(), "published"), "GOFLAGS=-modcacherw", "GOWORK=off",
		"GONOPROXY=" + library, "GONOSUMDB=" + library,
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://" + p.dir + ".insteadOf", "GIT_CONFIG_VALUE_0=https://" + library,
	})}
	publisher.mustRun("go", "mod", "download", library+"@"+version, tool+"@"+version)
	proxy := filepath.Join(publisher.goEnv("GOMODCACHE"), downloads)

	dir := p.t.TempDir()
	return place{t: p.t, dir: dir, env: slices.Concat(p.env, []string{
		"GOPROXY=file://" + proxy + ",file://" + known,
		// The checksum database is the network too; scripts/release has compared with go.sum what is used here.
		"GOSUMDB=off", "GOWORK=off",
		"GOMODCACHE=" + filepath.Join(p.t.TempDir(), "users"), "GOBIN=" + filepath.Join(dir, "bin"),
		// -trimpath makes a build of the same modules a cached one, wherever they are.
		"GOFLAGS=-modcacherw -trimpath",
	})}
}

func (p place) goEnv(name string) string {
	p.t.Helper()
	return strings.TrimSpace(p.mustRun("go", "env", name))
}

func (p place) git(args ...string) string {
	p.t.Helper()
	return strings.TrimSpace(p.mustRun("git", args...))
}

// mustRun returns what the program printed on its standard output.
func (p place) mustRun(name string, args ...string) string {
	p.t.Helper()
	var stderr bytes.Buffer
	cmd := p.command(name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("%s: %v\n%s%s", cmd, err, out, &stderr)
	}
	return string(out)
}

// run returns what the program printed on both outputs.
func (p place) run(name string, args ...string) (string, error) {
	out, err := p.command(name, args...).CombinedOutput()
	return string(out), err
}

// command takes a name with a slash from the directory, as a shell there does.
func (p place) command(name string, args ...string) *exec.Cmd {
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		name = filepath.Join(p.dir, name)
	}
	cmd := exec.CommandContext(p.t.Context(), name, args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	return cmd
}

func (p place) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}
