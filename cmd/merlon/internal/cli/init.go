package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/starter"
)

type initFlags struct {
	from, output, upstream string
	force                  bool
}

func newInit() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init [--from URL|settings.py|nginx.conf]",
		Short: "Write a first policy file, with what each line means",
		Long: `init writes a policy file that the gateway starts with: the compat preset is
enforced, and a strict policy is on trial. With --from it says what is said now:

  a URL         by the headers of a live site, which is fetched once
  settings.py   by a Django settings file, with django-csp's; read, not run
  nginx.conf    by the servers, locations and add_header lines of nginx

What cannot be kept stands there as a comment that says why, and what a person
must decide is marked CHECK. The file always passes merlon config check.`,
		Example: `  merlon init
  merlon init --from https://shop.example --upstream http://127.0.0.1:8000
  merlon init --from shop/settings.py --output -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&f.from, "from", "", "a URL, a Django settings file or an nginx configuration")
	cmd.Flags().StringVar(&f.output, "output", "merlon.yaml", "file to write; - prints it")
	cmd.Flags().StringVar(&f.upstream, "upstream", "", "address of the application (default "+starter.DefaultUpstream+", to be checked)")
	cmd.Flags().BoolVar(&f.force, "force", false, "write over a file that is there")
	return cmd
}

func (f initFlags) run(ctx context.Context, out, messages io.Writer) error {
	if f.upstream != "" {
		if _, err := policyfile.ParseUpstream(f.upstream); err != nil {
			return usagef("--upstream: %w", err)
		}
	}
	if err := f.mayWrite(); err != nil {
		return err
	}
	result, err := f.make(ctx, messages)
	if err != nil {
		return err
	}
	if f.output == "-" {
		if _, err := out.Write(result.Text); err != nil {
			return err
		}
	} else if err := f.write(result.Text); err != nil {
		return err
	}
	f.tell(messages, result)
	return nil
}

// name is what messages call the file.
func (f initFlags) name() string {
	if f.output == "-" {
		return "merlon.yaml"
	}
	return f.output
}

// mayWrite refuses before anything is fetched; write makes sure again.
func (f initFlags) mayWrite() error {
	if f.output == "" {
		return usagef("--output: name a file, or - to print")
	}
	if _, err := os.Lstat(f.output); f.output != "-" && !f.force && err == nil {
		return f.exists()
	}
	return nil
}

func (f initFlags) exists() error {
	return usagef("%s is there already (write over it with --force, or name another file with --output)", f.output)
}

func (f initFlags) make(ctx context.Context, messages io.Writer) (*starter.Result, error) {
	o := starter.Options{Upstream: f.upstream, Output: f.name()}
	switch {
	case f.from == "":
		return starter.Fresh(o)
	case strings.Contains(f.from, "://"):
		from, err := starter.ParseURL(f.from)
		if err != nil {
			return nil, usagef("--from: %w", err)
		}
		page, err := starter.Fetch(ctx, from)
		if err != nil {
			return nil, err
		}
		for _, step := range page.Steps() {
			fmt.Fprintln(messages, step)
		}
		return starter.FromPage(o, page)
	}
	result, err := starter.FromFile(o, f.from)
	if err != nil {
		return nil, usagef("--from: %w", err)
	}
	return result, nil
}

// write puts the whole file there or nothing.
func (f initFlags) write(text []byte) error {
	wrap := func(err error) error { return fmt.Errorf("writing %s: %w", f.output, err) }
	if f.force {
		return f.replace(text, wrap)
	}
	file, err := os.OpenFile(f.output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist):
		return f.exists()
	case err != nil:
		return wrap(err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return wrap(errors.Join(err, os.Remove(f.output)))
	}
	return nil
}

// replace writes beside the file first, so that what is there stays if the disk is full.
func (f initFlags) replace(text []byte, wrap func(error) error) error {
	temp, err := os.CreateTemp(filepath.Dir(f.output), ".merlon-init-*")
	if err != nil {
		return wrap(err)
	}
	_, err = temp.Write(text)
	if err = errors.Join(err, temp.Chmod(0o644), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), f.output)
	}
	if err != nil {
		return wrap(errors.Join(err, os.Remove(temp.Name())))
	}
	return nil
}

// tell says what was taken over, what is to be decided, and what comes next.
func (f initFlags) tell(out io.Writer, r *starter.Result) {
	name := f.name()
	if f.output != "-" {
		fmt.Fprintf(out, "%s is written\n", name)
	}
	if len(r.Taken) > 0 {
		printWrapped(out, "  taken over: ", strings.Join(r.Taken, ", "))
	}
	if len(r.Decisions) > 0 {
		fmt.Fprintf(out, "\nTo decide: %d (marked CHECK)\n", len(r.Decisions))
		for _, d := range r.Decisions[:min(maxListed, len(r.Decisions))] {
			place := fmt.Sprintf("%s:%d: ", name, d.Line)
			printWrapped(out, "  - ", place+brief(d.Text))
		}
		if more := len(r.Decisions) - maxListed; more > 0 {
			fmt.Fprintf(out, "  and %d more in the file\n", more)
		}
	}
	fmt.Fprintf(out, "\nNext:\n  merlon config check %s\n  merlon gateway --config %s\n", name, name)
}

// maxListed bounds the decisions that are listed on the terminal.
const maxListed = 30

// maxBrief bounds a decision in the list on the terminal; the file has the whole of it.
const maxBrief = 160

func brief(text string) string {
	if first, _, more := strings.Cut(text, ". "); more {
		text = first + "."
	}
	if len(text) > maxBrief {
		text = text[:strings.LastIndexByte(text[:maxBrief], ' ')+1] + "..."
	}
	return text
}
