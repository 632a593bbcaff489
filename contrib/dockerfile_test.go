//go:build linux

// Package contrib_test holds what stands here to what it says, as far as that goes without a service manager and a daemon.
package contrib_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A step is one instruction of a Dockerfile.
type step struct{ word, rest string }

// readStages returns the steps of each stage, each beginning with its FROM.
func readStages(t *testing.T) [][]step {
	t.Helper()
	data, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	var stages [][]step
	for line := range strings.Lines(string(data)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case word == "" || strings.HasPrefix(word, "#"):
			continue
		case word == "FROM":
			stages = append(stages, nil)
		case len(stages) == 0:
			t.Fatalf("%s stands before the first FROM", word)
		}
		stages[len(stages)-1] = append(stages[len(stages)-1], step{word, rest})
	}
	return stages
}

// values returns what follows the word, in the order of the stage.
func values(stage []step, word string) (found []string) {
	for _, s := range stage {
		if s.word == word {
			found = append(found, s.rest)
		}
	}
	return found
}

func TestDockerfile(t *testing.T) {
	stages := readStages(t)
	if len(stages) != 2 {
		t.Fatalf("%d stages, want a build and what comes of it", len(stages))
	}
	work, err := os.ReadFile("../go.work")
	if err != nil {
		skip(t, "this is no checkout of the repository")
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(work)
	if want := fmt.Sprintf("golang:%s AS build", version[1]); stages[0][0].rest != want {
		t.Errorf("the build is FROM %s, want %s, as go.work says", stages[0][0].rest, want)
	}
	image := stages[1]
	if image[0].rest != "scratch" {
		t.Errorf("the image is FROM %s, want scratch", image[0].rest)
	}
	if user := values(image, "USER"); len(user) != 1 || !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user[0]) {
		t.Errorf("USER %q, want one that is not root, as numbers: an image from scratch knows no names", user)
	}
	if len(values(image, "RUN")) != 0 {
		t.Error("RUN in an image without a shell")
	}
}

// The build's commands give a program that needs nothing else, and that serves as another user, in a root that it cannot write.
func TestImageServes(t *testing.T) {
	if os.Getenv("MERLON_TEST_ALL") != "1" {
		t.Skip("builds the program again: runs in scripts/test --all")
	}
	stages := readStages(t)
	out := build(t, stages[0])
	wantStatic(t, filepath.Join(out, "merlon"))
	root := assemble(t, stages[1], out)

	var log bytes.Buffer
	stdout, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	cmd := exec.Command("/merlon", "gateway", "--upstream", "http://127.0.0.1:9", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", "/data")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = "/", []string{}, write, &log
	cmd.SysProcAttr = confined(root)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	greeting := readUntil(t, stdout, "the next one:")
	admin := regexp.MustCompile(`http://localhost:\d+`).FindString(greeting)
	if admin == "" {
		t.Fatalf("the gateway did not start:\n%s%s", greeting, &log)
	}
	res, err := http.Get(admin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("readyz: %d", res.StatusCode)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &log)
	}
}

// build runs the stage's commands, with /out elsewhere, and returns where.
func build(t *testing.T, stage []step) string {
	t.Helper()
	out := t.TempDir()
	for _, s := range stage {
		if s.word != "RUN" {
			continue
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(s.rest, "/out", out))
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "GOWORK=")
		for _, env := range values(stage, "ENV") {
			cmd.Env = append(cmd.Env, strings.Fields(env)...)
		}
		cmd.Env = append(cmd.Env, "GOFLAGS=-trimpath -buildvcs=false") // the checkout of a test may be another user's
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("RUN %s: %v\n%s", s.rest, err, text)
		}
	}
	return out
}

func wantStatic(t *testing.T, program string) {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the program wants a loader")
		}
	}
	if libraries, _ := f.ImportedLibraries(); len(libraries) > 0 {
		t.Errorf("the program wants %q", libraries)
	}
}

// assemble makes the image's root of what its stage copies from the build. Nobody may write it but below what has an owner.
func assemble(t *testing.T, stage []step, out string) string {
	t.Helper()
	root := t.TempDir()
	for _, line := range values(stage, "COPY") {
		words := strings.Fields(line)
		from, to := words[len(words)-2], filepath.Join(root, words[len(words)-1])
		if !strings.HasPrefix(from, "/out/") {
			continue // of the build's image
		}
		from = filepath.Join(out, strings.TrimPrefix(from, "/out/"))
		if info, err := os.Stat(from); err != nil {
			t.Fatal(err)
		} else if info.IsDir() {
			if err := os.Mkdir(to, info.Mode().Perm()); err != nil {
				t.Fatal(err)
			}
		} else if err := os.Link(from, to); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, "--chown=65532:65532") && os.Geteuid() == 0 {
			if err := os.Chown(to, 65532, 65532); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, dir := range []string{filepath.Dir(out), out, filepath.Dir(root), root} {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(dir, 0o755) })
	}
	return root
}

// confined runs a program with root as its root, as the image's user: in a user namespace of its own, where this is not root.
func confined(root string) *syscall.SysProcAttr {
	if os.Geteuid() == 0 {
		return &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	}
	return &syscall.SysProcAttr{Chroot: root, Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 65532, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 65532, HostID: os.Getgid(), Size: 1}}}
}

// readUntil reads up to the text, or the end.
func readUntil(t *testing.T, f *os.File, text string) string {
	t.Helper()
	if err := f.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for buf := make([]byte, 1024); !strings.Contains(got.String(), text); {
		n, err := f.Read(buf)
		got.Write(buf[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v after\n%s", err, &got)
		}
	}
	return got.String()
}

func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("MERLON_TEST_REQUIRE") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}
