package cli

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon"
)

// width is that of the narrowest terminal that people use.
const width = 80

func printResponse(out io.Writer, method, target string, e merlon.Explanation) {
	fmt.Fprintf(out, "%s %s: %d %s\n", method, target, e.Status, http.StatusText(e.Status))
	for i, s := range e.Steps {
		fmt.Fprintln(out)
		printWrapped(out, fmt.Sprintf("%2d  ", i+1), s.Name)
		if s.Cause != "" {
			printWrapped(out, "    by       ", s.Cause)
		}
		for _, name := range s.Changed() {
			for _, v := range s.Before[name] {
				if !slices.Contains(s.After[name], v) {
					printWrapped(out, "    -        ", name+": "+v)
				}
			}
			for _, v := range s.After[name] {
				if !slices.Contains(s.Before[name], v) {
					printWrapped(out, "    +        ", name+": "+v)
				}
			}
		}
		if s.Browser != "" {
			printWrapped(out, "    browser  ", s.Browser)
		}
	}
}

// printWrapped prints text behind a label, its further lines as deep as the first.
func printWrapped(out io.Writer, label, text string) {
	line := label
	for i, word := range strings.Fields(text) {
		if i > 0 && len(line)+1+len(word) > width {
			fmt.Fprintln(out, line)
			line = strings.Repeat(" ", len(label)) + word
			continue
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(out, line)
}

func responseJSON(method, target string, e merlon.Explanation) any {
	type step struct {
		Name    string      `json:"name"`
		Cause   string      `json:"cause"`
		Changed []string    `json:"changed"`
		Before  http.Header `json:"before"`
		After   http.Header `json:"after"`
		Browser string      `json:"browser"`
	}
	steps := []step{}
	for _, s := range e.Steps {
		before := s.Before
		if before == nil {
			before = http.Header{}
		}
		steps = append(steps, step{s.Name, s.Cause, append([]string{}, s.Changed()...), before, s.After, s.Browser})
	}
	return map[string]any{"schema": "merlon/explain", "version": 1, "method": method, "url": target, "status": e.Status, "header": e.Header, "steps": steps}
}
