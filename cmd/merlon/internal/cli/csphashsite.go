package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/inline"
	"github.com/merlon-sec/merlon/csp"
)

const fetchTimeout = 30 * time.Second

// fromSite compares pages of a live site with the manifest. What they have today may be what an attacker stored yesterday, so
// a person looks at it first.
func (f hashFlags) fromSite(cmd *cobra.Command, urls []string) error {
	before, err := f.before()
	if err != nil {
		return err
	}
	after := inline.Manifest{Pages: maps.Clone(before.Pages)}
	if after.Pages == nil {
		after.Pages = map[string]inline.Page{}
	}
	texts, seen := map[string]string{}, map[string]bool{}
	for _, target := range urls {
		path, code, err := f.fetchTwice(cmd.Context(), target)
		if err != nil {
			return fmt.Errorf("hashing %s: %w", target, err)
		}
		if seen[path] {
			return usagef("two of the URLs have the path %s, and a manifest is for one site", path)
		}
		seen[path] = true
		f.tellUncovered(cmd.ErrOrStderr(), target, code)
		after.Pages[path] = inline.NewPage(code, f.unsafe)
		for _, c := range code {
			texts["sha256-"+csp.Hash("sha256", c.Text)] = c.Where + " " + c.Text
		}
	}
	return f.settle(cmd.OutOrStdout(), before, after, texts)
}

// settle writes what differs if somebody accepts it.
func (f hashFlags) settle(out io.Writer, before, after inline.Manifest, texts map[string]string) error {
	if err := after.Check(); err != nil {
		return err
	}
	differences := inline.Differences(before, after)
	printDifferences(out, differences, texts)
	switch {
	case len(differences) == 0 && len(before.Pages) == len(after.Pages):
		fmt.Fprintf(out, "%s: nothing differs\n", f.output)
		return nil
	case !f.accept:
		fmt.Fprintf(out, "%s is as it was: read the code of what is new, and run this again with --accept if all of it is yours\n", f.output)
		return errFindings
	}
	fmt.Fprintf(out, "%s: written\n", f.output)
	return after.Write(f.output)
}

// fetchTwice gets a page, and once more: code that is another each time has no hash.
func (f hashFlags) fetchTwice(ctx context.Context, target string) (path string, code []inline.Code, err error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", nil, err
	}
	if code, err = fetchPage(ctx, target); err != nil {
		return "", nil, err
	}
	again, err := fetchPage(ctx, target)
	if err != nil {
		return "", nil, err
	}
	if !reflect.DeepEqual(inline.NewPage(code, f.unsafe), inline.NewPage(again, f.unsafe)) {
		return "", nil, errors.New("the page has other code each time, which hashes cannot cover: give that code a nonce")
	}
	return cmp.Or(u.Path, "/"), code, nil
}

func fetchPage(ctx context.Context, target string) ([]inline.Code, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/html")
	client := http.Client{Timeout: fetchTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode/100 == 3:
		return nil, fmt.Errorf("it redirects to %q: name the page itself", res.Header.Get("Location"))
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answers %s", res.Status)
	case kind != "text/html":
		return nil, fmt.Errorf("it is %q and no HTML", kind)
	}
	return inline.Parse(res.Body)
}

// shownCode is how much of a piece of code is shown: enough to know it again, and to look the rest up in the page.
const shownCode = 1000

// printDifferences lists hashes with the code that they stand for. Quoting keeps what a page says from speaking to the terminal.
func printDifferences(out io.Writer, differences []inline.Difference, texts map[string]string) {
	for _, d := range differences {
		sign := "+"
		if d.Gone {
			sign = "-"
		}
		fmt.Fprintf(out, "%s %q %s %s\n", sign, d.Path, d.Kind, d.Hash)
		if text := texts[d.Hash]; text != "" && !d.Gone {
			shown := text[:min(len(text), shownCode)]
			fmt.Fprintf(out, "    %q\n", shown)
			if more := len(text) - len(shown); more > 0 {
				fmt.Fprintf(out, "    and %d bytes more\n", more)
			}
		}
	}
}
