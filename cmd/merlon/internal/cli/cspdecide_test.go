package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/cli"
)

// The run survives lines that are too long, a mark in front, empty lines and a last line without an end.
func TestDecideReadsAnyLines(t *testing.T) {
	const first, last = `{"id":"1","kind":"source-match","source_list":"*","url":"https://a.example"}`, `{"id":"2","kind":"source-match","source_list":"b","url":"https://a.example"}`
	long := `{"id":"long","kind":"parse","expression":"` + strings.Repeat("a", 9<<20) + `"}`
	file := filepath.Join(t.TempDir(), "cases")
	if err := os.WriteFile(file, []byte("\ufeff"+first+"\r\n"+long+"\n \n"+strings.Repeat("x", 8<<20)+"\n"+last), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := cli.Run(t.Context(), []string{"csp", "decide", file}, &stdout, &stderr); code != 0 || stderr.Len() > 0 {
		t.Errorf("ends with %d: %s", code, stderr.String())
	}
	want := `{"id":"1","got":{"matches":true}}
{"id":"","error":"the line is longer than 8388608 bytes"}
{"id":"","error":"the line is longer than 8388608 bytes"}
{"id":"2","got":{"matches":false}}
`
	if stdout.String() != want {
		t.Errorf("answers\n%.1000s\nwant\n%s", stdout.String(), want)
	}
}
