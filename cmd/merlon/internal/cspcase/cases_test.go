package cspcase_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/cspcase"
	"github.com/merlon-sec/merlon/csp"
)

type conformance struct {
	ID, Kind   string
	Divergent  bool
	Expect     map[string]any
	SpecExpect map[string]any `json:"spec_expect"`
	Measured   map[string]any
}

func readCases(t *testing.T) []json.RawMessage {
	t.Helper()
	data, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// answered gives the case and the answer as JSON would carry it.
func answered(t *testing.T, m csp.Mode, raw json.RawMessage) (c conformance, got map[string]any) {
	t.Helper()
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	_, answer, err := cspcase.Run(m, raw)
	if err != nil {
		t.Errorf("%s: %v", c.ID, err)
		return c, nil
	}
	data, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	return c, got
}

func TestSpecification(t *testing.T) {
	passed, all := map[string]int{}, map[string]int{}
	for _, raw := range readCases(t) {
		c, got := answered(t, csp.Spec, raw)
		want := c.Expect
		if c.Divergent {
			want = c.SpecExpect
		}
		if got == nil || want == nil {
			continue
		}
		all[c.Kind]++
		if why := differs(want, got, ""); why != "" {
			t.Errorf("%s (%s): %s\n%s", c.ID, c.Kind, why, raw)
			continue
		}
		passed[c.Kind]++
	}
	t.Logf("passed %v of %v", passed, all)
}

func TestBrowsers(t *testing.T) {
	for m, name := range map[csp.Mode]string{csp.Chromium: "chromium", csp.Firefox: "firefox", csp.WebKit: "webkit"} {
		passed, all := 0, 0
		for _, raw := range readCases(t) {
			c, got := answered(t, m, raw)
			want, ok := c.Measured[name].(string)
			if got == nil || !ok {
				continue
			}
			have := fmt.Sprint(got["result"])
			if b, ok := got["matches"].(bool); ok {
				have = map[bool]string{true: "allowed", false: "blocked"}[b]
			}
			all++
			if have != want {
				t.Errorf("%s in %s: %s, want %s\n%s", c.ID, name, have, want, raw)
				continue
			}
			passed++
		}
		t.Logf("%s: %d of %d", name, passed, all)
	}
}

// differs compares partially: members that want lacks do not count, arrays count whole.
func differs(want, got any, path string) string {
	switch want := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: got %v, want %v", path, got, want)
		}
		for k, v := range want {
			if _, there := g[k]; !there && v != nil {
				return fmt.Sprintf("%s.%s is missing, want %v", path, k, v)
			}
			if why := differs(v, g[k], path+"."+k); why != "" {
				return why
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(want) {
			return fmt.Sprintf("%s: got %v, want %v", path, got, want)
		}
		for i := range want {
			if why := differs(want[i], g[i], fmt.Sprintf("%s[%d]", path, i)); why != "" {
				return why
			}
		}
		return ""
	case string:
		if g, ok := got.(string); ok && strings.EqualFold(g, want) && (strings.HasSuffix(path, ".host") || strings.HasSuffix(path, ".scheme")) {
			return ""
		}
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("%s: got %v, want %v", path, got, want)
	}
	return ""
}
