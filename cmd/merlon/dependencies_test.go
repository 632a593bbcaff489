package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const dependenciesPage = "../../docs/DEPENDENCIES.md"

// The three tables of the page, by their headings.
const (
	direct   = "Linked, and why"
	indirect = "Linked, because those need them"
	testOnly = "In tests only"
)

// A dependency is one line of the page.
type dependency struct{ Section, Licence string }

// TestDependenciesPage compares the page with the modules that are in the program or its tests on any of the systems
// that we build for, and with the licence that each of them carries.
func TestDependenciesPage(t *testing.T) {
	page, err := os.ReadFile(dependenciesPage)
	if errors.Is(err, os.ErrNotExist) && os.Getenv("MERLON_TEST_REQUIRE") == "" {
		t.Skip("this is no checkout of the repository: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseDependencies(string(page))
	if err != nil {
		t.Fatalf("%s: %v", dependenciesPage, err)
	}
	if diff := cmp.Diff(usedModules(t), got); diff != "" {
		t.Errorf("%s differs from what is used (-used +page):\n%s", dependenciesPage, diff)
	}
}

// Each line of a table is | module | licence | reason |, the reason being for what we chose ourselves.
var tableLine = regexp.MustCompile("^\\| `([^`]+)` \\| ([^|]+) \\|(?: ([^|]+) \\|)?$")

func parseDependencies(page string) (map[string]dependency, error) {
	found := map[string]dependency{}
	section := ""
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			section = heading
			continue
		}
		cells := tableLine.FindStringSubmatch(line)
		if cells == nil {
			continue
		}
		module, licence, reason := cells[1], cells[2], cells[3]
		if section != indirect && reason == "" {
			return nil, errors.New(module + " has no reason")
		}
		found[module] = dependency{section, licence}
	}
	return found, nil
}

// A module is what the test needs of an object that go list -json prints.
type module struct {
	Path, Dir string
	Indirect  bool
	Main      bool
	Replace   *struct{}
}

func usedModules(t *testing.T) map[string]dependency {
	t.Helper()
	linked, all := map[string]module{}, map[string]module{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		t.Setenv("GOOS", system)
		maps.Copy(linked, modulesOf(t, "."))
		maps.Copy(all, modulesOf(t, "-test", "./..."))
	}
	used := map[string]dependency{}
	for path, m := range all {
		section := testOnly
		if _, ok := linked[path]; ok {
			section = direct
			if m.Indirect {
				section = indirect
			}
		}
		licence, err := licenceOf(m.Dir)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		used[path] = dependency{section, licence}
	}
	return used
}

// modulesOf lists the modules of other people whose packages the go command would compile.
func modulesOf(t *testing.T, args ...string) map[string]module {
	t.Helper()
	args = append([]string{"list", "-deps", "-json=Module"}, args...)
	cmd := exec.CommandContext(t.Context(), "go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	found := map[string]module{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var pkg struct{ Module *module }
		if err := decoder.Decode(&pkg); err != nil {
			t.Fatalf("what %s printed: %v", cmd, err)
		}
		if m := pkg.Module; m != nil && !m.Main && m.Replace == nil {
			found[m.Path] = *m
		}
	}
	return found
}

// The licences that a program under Apache-2.0 may be linked with, each with sentences of its text that no other has.
var licences = []struct {
	name      string
	sentences []string
}{
	{"Apache-2.0", []string{"Apache License Version 2.0"}},
	{"MPL-2.0", []string{"Mozilla Public License Version 2.0"}},
	{"MIT", []string{"Permission is hereby granted, free of charge, to any person obtaining a copy", "The above copyright notice and this permission notice shall be included"}},
	{"ISC", []string{"Permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted"}},
	{"BSD-3-Clause", []string{"Redistributions of source code must retain the above copyright notice", "Neither the name"}},
	{"BSD-2-Clause", []string{"Redistributions of source code must retain the above copyright notice"}},
}

// licenceOf names the licence in the root directory of a module.
func licenceOf(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return "", err
	}
	isLicence := regexp.MustCompile(`(?i)^(licen[cs]e|copying)(\.txt|\.md)?$`)
	files = slices.DeleteFunc(files, func(file string) bool { return !isLicence.MatchString(filepath.Base(file)) })
	if len(files) != 1 {
		return "", errors.New("want one licence file, found " + strings.Join(files, ", "))
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return "", err
	}
	name := recognise(string(text))
	if name == "" {
		return "", errors.New("no licence that we know in " + files[0])
	}
	return name, nil
}

func recognise(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	for _, l := range licences {
		if !slices.ContainsFunc(l.sentences, func(s string) bool { return !strings.Contains(text, s) }) {
			return l.name
		}
	}
	return ""
}

func TestRecognise(t *testing.T) {
	const redistribution = "Redistributions of source code must retain the above\n   copyright notice, this list"
	for text, want := range map[string]string{
		"Apache License\n  Version 2.0, January 2004": "Apache-2.0",
		redistribution: "BSD-2-Clause",
		redistribution + "\n* Neither the name of Google Inc.":                   "BSD-3-Clause",
		"GNU GENERAL PUBLIC LICENSE\nVersion 3":                                  "",
		"Permission is hereby granted, free of charge, to nobody in particular.": "",
	} {
		if got := recognise(text); got != want {
			t.Errorf("recognise(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestParseDependencies(t *testing.T) {
	got, err := parseDependencies("## " + direct + "\n| module | licence | why |\n| `a.example/a` | MIT | parses |\n## " +
		indirect + "\n| `b.example/b` | ISC |\n")
	want := map[string]dependency{"a.example/a": {direct, "MIT"}, "b.example/b": {indirect, "ISC"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("parseDependencies: error %v (-want +got):\n%s", err, diff)
	}
	if _, err := parseDependencies("## " + direct + "\n| `a.example/a` | MIT |\n"); err == nil {
		t.Error("parseDependencies of a direct dependency without a reason: no error, want one")
	}
}
