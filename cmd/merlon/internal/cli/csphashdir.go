package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/inline"
)

// fromDir makes the manifest of the HTML files below a directory, which are what somebody builds and serves.
func (f hashFlags) fromDir(cmd *cobra.Command, dir string) error {
	if !strings.HasPrefix(f.prefix, "/") {
		return usagef("--prefix %s: a path begins with /", f.prefix)
	}
	before, err := f.before()
	if err != nil {
		return err
	}
	m := inline.Manifest{Pages: map[string]inline.Page{}}
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isHTML(name) {
			return err
		}
		code, err := parseFile(name)
		if err != nil {
			return err
		}
		f.tellUncovered(cmd.ErrOrStderr(), name, code)
		relative, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		page := inline.NewPage(code, f.unsafe)
		for _, p := range pathsOf(path.Join(f.prefix, filepath.ToSlash(relative))) {
			m.Pages[p] = page
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("hashing %s: %w", dir, err)
	}
	if len(m.Pages) == 0 {
		return fmt.Errorf("%s has no HTML files", dir)
	}
	if err := m.Write(f.output); err != nil {
		return err
	}
	printDifferences(cmd.OutOrStdout(), inline.Differences(before, m), nil)
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %d paths\n", f.output, len(m.Pages))
	return nil
}

func isHTML(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".html" || ext == ".htm"
}

// pathsOf are the paths under which servers give a file: its own, for index.html the directory's, and the one without
// the extension. What is listed and not served does no harm.
func pathsOf(file string) []string {
	out := []string{file}
	bare := strings.TrimSuffix(file, path.Ext(file))
	if dir, ok := strings.CutSuffix(bare, "/index"); ok {
		return append(out, dir+"/")
	}
	return append(out, bare)
}

func parseFile(name string) ([]inline.Code, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	code, err := inline.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return code, nil
}
