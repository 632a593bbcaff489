package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/cspcase"
	"github.com/merlon-sec/merlon/csp"
)

func newCSPDecide() *cobra.Command {
	var mode string
	cmd := &cobra.Command{
		Use:   "decide [FILE]",
		Short: "Answer cases in JSON lines, from a file or standard input",
		Long: `decide reads one case in JSON a line and writes one answer in JSON a line:
{"id": ..., "got": {...}}, or {"id": ..., "error": ...} for a line that is no
case; the run goes on. So anybody can hold the engine against cases of his own,
in any language. docs/csp-cases.md describes the cases.`,
		Example: `  printf %s '{"id":"1","kind":"request","policy":"img-src a.example",' \
    '"url":"https://b.example/x.png","destination":"image"}' | merlon csp decide`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := parseMode(mode)
			if err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if len(args) == 1 && args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return usagef("reading cases: %w", err)
				}
				defer file.Close()
				in = file
			}
			return decide(cmd.Context(), in, cmd.OutOrStdout(), m)
		},
	}
	modeFlag(cmd, &mode, csp.Spec)
	return cmd
}

// maxCaseBytes bounds a line of cases: a URL and a policy of their own bounds, and room. Longer ones are answered with an error.
const maxCaseBytes = 8 << 20

type answer struct {
	ID    string         `json:"id"`
	Got   map[string]any `json:"got,omitempty"`
	Error string         `json:"error,omitempty"`
}

func decide(ctx context.Context, in io.Reader, out io.Writer, m csp.Mode) error {
	w := bufio.NewWriter(out)
	defer w.Flush()
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	lines := bufio.NewReader(in)
	skipByteOrderMark(lines)
	for ctx.Err() == nil {
		line, err := readLine(lines, maxCaseBytes)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, bufio.ErrTooLong):
			err = enc.Encode(answer{Error: fmt.Sprintf("the line is longer than %d bytes", maxCaseBytes)})
		case err == nil && len(bytes.TrimSpace(line)) > 0:
			err = enc.Encode(answerTo(line, m))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func answerTo(line []byte, m csp.Mode) answer {
	id, got, err := cspcase.Run(m, line)
	if err != nil {
		return answer{ID: id, Error: err.Error()}
	}
	return answer{ID: id, Got: got}
}

// skipByteOrderMark skips what some editors put in front of text.
func skipByteOrderMark(r *bufio.Reader) {
	const mark = "\ufeff"
	if begin, _ := r.Peek(len(mark)); string(begin) == mark {
		r.Discard(len(mark))
	}
}

// readLine returns the next line, and bufio.ErrTooLong after one of more than limit bytes, which it skips. The last line needs
// no end; after it comes io.EOF.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := r.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > limit; !tooLong {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case tooLong && (err == nil || errors.Is(err, io.EOF)):
			return nil, bufio.ErrTooLong
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		}
		return line, err
	}
}
