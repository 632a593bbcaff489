package report_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/report"
)

const goodCounts = `{"schema":"merlon/documents","version":1,"id":"ABCDEFGHIJKLMNOPQRSTUVWXYZ","documents":[{"route":"/cart","policy":"0123456789abcdef","count":3},{"route":"*","policy":"","count":1}]}`

func TestDecodeCounts(t *testing.T) {
	c, err := report.DecodeCounts([]byte(goodCounts))
	if err != nil || len(c.Documents) != 2 || c.Documents[0] != (report.Documents{Route: "/cart", Policy: "0123456789abcdef", Count: 3}) {
		t.Errorf("%+v, %v", c, err)
	}
	for _, tc := range []struct {
		name, from, to string
		is             error
		want           string
	}{
		{"no JSON", goodCounts[:50], "", report.ErrNotCounts, ""},
		{"another schema", "merlon/documents", "merlon/keys", report.ErrNotCounts, "merlon/keys"},
		{"a later version", `"version":1`, `"version":2`, report.ErrNotCounts, "version 2"},
		{"a short id", "ABCDEFGHIJKLM", "", report.ErrNotCounts, "13 characters"},
		{"a long id", "ABCDEFGHIJKLM", strings.Repeat("A", 100), report.ErrNotCounts, "113 characters"},
		{"no route", "/cart", "cart", report.ErrNotCounts, "cart"},
		{"a route with a blank", "/cart", "/c art", report.ErrNotCounts, "c art"},
		{"a route with a line", "/cart", `/c\nart`, report.ErrNotCounts, "no route"},
		{"a route that is too long", "/cart", "/" + strings.Repeat("c", 256), report.ErrNotCounts, "no route"},
		{"a long hash", "0123456789abcdef", strings.Repeat("0", 65), report.ErrNotCounts, "no hash"},
		{"nothing", `"count":3`, `"count":0`, report.ErrNotCounts, "no count"},
		{"less", `"count":3`, `"count":-3`, report.ErrNotCounts, "no count"},
		{"more than there can be", `"count":3`, `"count":1099511627777`, report.ErrNotCounts, "no count"},
		{"a number that is none", `"count":3`, `"count":1e30`, report.ErrNotCounts, ""},
		{"too many", `{"route":"*"`, strings.Repeat(`{"route":"/","policy":"p","count":1},`, 1001) + `{"route":"*"`, report.ErrTooMany, ""},
		{"too large", `"/cart"`, `"` + strings.Repeat("/", report.MaxCountsBytes) + `"`, report.ErrTooLarge, ""},
	} {
		text := tc.from
		if tc.to != "" || strings.Contains(tc.name, "id") {
			text = strings.Replace(goodCounts, tc.from, tc.to, 1)
		}
		if _, err := report.DecodeCounts([]byte(text)); !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v; want %v with %q", tc.name, err, tc.is, tc.want)
		}
	}
}

// What is read can be written and read again, and is bounded.
func FuzzDecodeCounts(f *testing.F) {
	f.Add([]byte(goodCounts))
	f.Add([]byte(`{"schema":"merlon/documents","version":1,"id":"ABCDEFGHIJKLMNOP","documents":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := report.DecodeCounts(data)
		if err != nil {
			return
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) <= report.MaxCountsBytes {
			if _, err := report.DecodeCounts(again); err != nil {
				t.Errorf("%s is read, and %s is not: %v", data, again, err)
			}
		}
		for _, d := range c.Documents {
			if strings.ContainsFunc(d.Route+d.Policy, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%+v has characters that are none", d)
			}
		}
	})
}

// Whatever paths a site has, its counts can be pushed: a push that is never taken would hold up all others.
func FuzzTally(f *testing.F) {
	for _, path := range []string{"/", "/a b/ü", "/%zz", "//x", "/&<>\"'\\", "*", "a", "/\x00\x7f", "/;jsessionid=1", "/[x]|^`"} {
		f.Add(path, path, "policy")
	}
	f.Fuzz(func(t *testing.T, path, raw, policy string) {
		var tally report.Tally
		tally.Add(&url.URL{Path: path, RawPath: raw}, policy, 200)
		body, err := json.Marshal(report.Counts{Schema: report.CountsSchema, Version: report.CountsVersion, ID: "ABCDEFGHIJKLMNOP", Documents: tally.Take(noon)})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := report.DecodeCounts(body); err != nil || len(c.Documents) != 1 {
			t.Errorf("path %q, raw %q, policy %q: %s: %v", path, raw, policy, body, err)
		}
	})
}
