package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/inline"
	"github.com/merlon-sec/merlon/csp"
)

type hashFlags struct {
	algorithm, output, prefix string
	accept, unsafe            bool
}

func newCSPHash() *cobra.Command {
	var f hashFlags
	cmd := &cobra.Command{
		Use:   "hash (FILE... | (DIR | URL...) --output MANIFEST)",
		Short: "Hash what stands in HTML pages, for policies without nonces",
		Long: `hash reads HTML files (- for standard input) and prints a source for each inline
script, style, event handler, style attribute and javascript: URL, with the
place that it comes from. Handlers, attributes and URLs need 'unsafe-hashes' as
well.

With --output it makes a manifest for the gateway (nonce: {hash: MANIFEST}): the
hashes of each page's scripts and styles, and those in the integrity attributes
of its external scripts. DIR is what your build made; its pages replace all that
were in the manifest. URLs are pages of a live site, which can contain a stored
attack: hash shows what differs from the manifest, and writes it with --accept
only.

Exit code 1: something differs and was not accepted.`,
		Example: `  merlon csp hash public/*.html
  merlon csp hash public --output hashes.json
  merlon csp hash https://shop.example/ https://shop.example/about \
    --output hashes.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if csp.Hash(f.algorithm, "") == "" {
				return usagef("--algorithm %s: write sha256, sha384 or sha512", f.algorithm)
			}
			return f.run(cmd, args)
		},
	}
	cmd.Flags().StringVar(&f.algorithm, "algorithm", "sha256", "of what is printed: sha256, sha384 or sha512")
	cmd.Flags().StringVar(&f.output, "output", "", "manifest to write")
	cmd.Flags().StringVar(&f.prefix, "prefix", "/", "path under which DIR is served")
	cmd.Flags().BoolVar(&f.accept, "accept", false, "write what differs in pages of a live site")
	cmd.Flags().BoolVar(&f.unsafe, "unsafe-hashes", false, "include event handlers, javascript: URLs and style attributes, which an attacker may then reuse elsewhere in the page")
	return cmd
}

func (f hashFlags) run(cmd *cobra.Command, args []string) error {
	live, dir := 0, false
	for _, arg := range args {
		if isURL(arg) {
			live++
		} else if info, err := os.Stat(arg); err == nil && info.IsDir() {
			dir = true
		}
	}
	switch {
	case live > 0 && live < len(args), dir && len(args) > 1:
		return usagef("name files, or one directory, or URLs: a manifest is made of one kind")
	case (live > 0 || dir) && f.output == "":
		return usagef("--output is missing: the manifest for nonce: {hash: MANIFEST}")
	case live > 0:
		return f.fromSite(cmd, args)
	case dir:
		return f.fromDir(cmd, args[0])
	case f.output != "" || f.accept || f.unsafe:
		return usagef("a manifest is made of a directory or of URLs; of files hash prints what it finds")
	}
	for _, name := range args {
		if err := hashFile(cmd.OutOrStdout(), cmd.InOrStdin(), name, f.algorithm); err != nil {
			return err
		}
	}
	return nil
}

func isURL(arg string) bool {
	return strings.HasPrefix(arg, "http://") || strings.HasPrefix(arg, "https://")
}

func hashFile(out io.Writer, stdin io.Reader, name, algorithm string) error {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("reading a page: %w", err)
		}
		defer file.Close()
		in = file
	}
	code, err := inline.Parse(in)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	for _, c := range code {
		if directive := directives[c.Kind]; directive != "" {
			fmt.Fprintf(out, "%s '%s-%s' # %s: %s\n", directive, algorithm, csp.Hash(algorithm, c.Text), name, c.Where)
		}
	}
	return nil
}

// directives are those that govern inline code. The integrity of an external script is a hash already.
var directives = map[inline.Kind]string{
	inline.Script: "script-src-elem", inline.Data: "script-src-elem", inline.Style: "style-src-elem",
	inline.Handler: "script-src-attr 'unsafe-hashes'", inline.StyleAttr: "style-src-attr 'unsafe-hashes'", inline.URL: "script-src-elem 'unsafe-hashes'",
}

// before is the manifest that is there, empty where none is.
func (f hashFlags) before() (inline.Manifest, error) {
	m, err := inline.Read(f.output)
	if errors.Is(err, os.ErrNotExist) {
		return inline.Manifest{}, nil
	}
	return m, err
}

// tellUncovered says what a page has that its hashes do not cover.
func (f hashFlags) tellUncovered(w io.Writer, name string, code []inline.Code) {
	counts := map[inline.Kind]int{}
	for _, c := range code {
		counts[c.Kind]++
	}
	if n := counts[inline.Handler] + counts[inline.StyleAttr] + counts[inline.URL]; n > 0 && !f.unsafe {
		fmt.Fprintf(w, "merlon: %s: no hash for its event handlers, javascript: URLs and style attributes (%d): move them into scripts and style sheets (--unsafe-hashes includes them)\n", name, n)
	}
}
