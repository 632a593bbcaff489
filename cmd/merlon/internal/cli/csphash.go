package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/net/html"

	"github.com/merlon-sec/merlon/csp"
)

func newCSPHash() *cobra.Command {
	var algorithm string
	cmd := &cobra.Command{
		Use:   "hash FILE...",
		Short: "Print hash sources for the inline scripts, styles and handlers of HTML files",
		Long: `hash reads HTML files (- for standard input) and prints a source for each inline
script, style, event handler, style attribute and javascript: URL, with the place
that it comes from. Handlers, attributes and URLs need 'unsafe-hashes' as well.`,
		Example: "  merlon csp hash public/*.html",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if csp.Hash(algorithm, "") == "" {
				return usagef("--algorithm %s: write sha256, sha384 or sha512", algorithm)
			}
			for _, name := range args {
				if err := hashFile(cmd.OutOrStdout(), cmd.InOrStdin(), name, algorithm); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&algorithm, "algorithm", "sha256", "sha256, sha384 or sha512")
	return cmd
}

// maxPageBytes bounds a page that is hashed.
const maxPageBytes = 64 << 20

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
	root, err := html.Parse(io.LimitReader(in, maxPageBytes))
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			hashElement(out, name, n, algorithm)
		}
	}
	return nil
}

func hashElement(out io.Writer, file string, n *html.Node, algorithm string) {
	print := func(directive, what, content string) {
		fmt.Fprintf(out, "%s '%s-%s' # %s: %s\n", directive, algorithm, csp.Hash(algorithm, content), file, what)
	}
	if external := attribute(n, "src") != ""; n.Data == "script" && !external && n.FirstChild != nil {
		print("script-src-elem", "<script>", text(n))
	}
	if n.Data == "style" && n.FirstChild != nil {
		print("style-src-elem", "<style>", text(n))
	}
	for _, a := range n.Attr {
		switch {
		case strings.HasPrefix(a.Key, "on"):
			print("script-src-attr 'unsafe-hashes'", "<"+n.Data+" "+a.Key+">", a.Val)
		case a.Key == "style":
			print("style-src-attr 'unsafe-hashes'", "<"+n.Data+" style>", a.Val)
		case (a.Key == "href" || a.Key == "action" || a.Key == "formaction" || a.Key == "src") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:"):
			print("script-src-elem 'unsafe-hashes'", "<"+n.Data+" "+a.Key+">", strings.TrimSpace(a.Val))
		}
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(c.Data)
	}
	return b.String()
}
