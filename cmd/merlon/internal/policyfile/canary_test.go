package policyfile_test

import (
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

func TestCanary(t *testing.T) {
	for _, c := range []struct {
		keys string
		want float64
		err  string
	}{
		{"preset: strict", 0, ""},
		{"canary: off", 0, ""},
		{"canary: 0.001", 0.001, ""},
		{"canary: 1", 1, ""},
		{"canary: 0.1%", 0.001, ""},
		{"canary: 0", 0, "m:3:1: canary"},
		{"canary: -1", 0, "no share"},
		{"canary: 1.5", 0, "write 0.001"},
		{"canary: 200%", 0, "no share"},
		{"canary: NaN", 0, "no share"},
		{"canary: some", 0, "no share"},
		{"canary: [1]", 0, "no share"},
		{"canary: 1\nreports: https://collector.example/r", 0, "reports go elsewhere"},
		{"canary: 1\nreports: off", 0, "reports go elsewhere"},
	} {
		f, err := policyfile.Parse("m", []byte("version: 1\nupstream: http://127.0.0.1:8000\n"+c.keys))
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", c.keys, err, c.err)
			}
		case err != nil:
			t.Errorf("%s: %v", c.keys, err)
		case f.Sites[0].Canary != c.want:
			t.Errorf("%s: %v, want %v", c.keys, f.Sites[0].Canary, c.want)
		}
	}
}
