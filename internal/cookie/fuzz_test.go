package cookie_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/internal/cookie"
)

func FuzzApply(f *testing.F) {
	for _, tc := range lines {
		f.Add(tc.line, !tc.plain, tc.rule.Secure, tc.rule.HTTPOnly, tc.rule.Partitioned, uint8(1))
	}
	f.Fuzz(func(t *testing.T, line string, https, secure, httpOnly, partitioned bool, sameSite uint8) {
		rule := cookie.Rule{Secure: secure, HTTPOnly: httpOnly, Partitioned: partitioned, SameSite: []string{"", "Lax", "Strict", "None"}[sameSite%4]}
		out, problem := rule.Apply(line, https)
		if twice, again := rule.Apply(out, https); twice != out || again != problem {
			t.Errorf("%+v.Apply(%q, %t) = %q, %q; applied again %q, %q", rule, line, https, out, problem, twice, again)
		}
		before, after := attributes(line), attributes(out)
		if !strings.HasPrefix(out, line) {
			t.Errorf("%+v.Apply(%q, %t) = %q, which does not begin with the line", rule, line, https, out)
		}
		for key, value := range before {
			if after[key] != value && (key != "samesite" || known(value)) {
				t.Errorf("%+v.Apply(%q, %t) = %q, where %s is %q", rule, line, https, out, key, after[key])
			}
		}
		if problem == "" {
			complain(t, rule, https, before, after)
		}
	})
}

// complain fails if the attributes of a cookie that browsers accept are not those that the rule asks for.
func complain(t *testing.T, rule cookie.Rule, https bool, before, after map[string]string) {
	_, hadSecure := before["secure"]
	_, isSecure := after["secure"]
	_, isHTTPOnly := after["httponly"]
	_, isPartitioned := after["partitioned"]
	switch {
	case rule.Secure && https && !isSecure, !https && isSecure && !hadSecure:
		t.Errorf("%+v over HTTPS %t: Secure is %t", rule, https, isSecure)
	case rule.HTTPOnly && !isHTTPOnly:
		t.Errorf("%+v: HttpOnly is not there", rule)
	case rule.Partitioned && isPartitioned != isSecure, isPartitioned && !isSecure:
		t.Errorf("%+v: Partitioned is %t and Secure %t", rule, isPartitioned, isSecure)
	case after["samesite"] == "none" && !isSecure:
		t.Errorf("%+v: SameSite=None without Secure", rule)
	case rule.SameSite != "" && !known(after["samesite"]) && (rule.SameSite != "None" || isSecure):
		t.Errorf("%+v: SameSite is %q", rule, after["samesite"])
	}
}

// attributes reads a line as browsers do, by another way than the package: the last value of each attribute.
func attributes(line string) map[string]string {
	all := make(map[string]string)
	for _, part := range strings.Split(lower(line), ";")[1:] {
		key, value, _ := strings.Cut(part, "=")
		if value = strings.TrimFunc(value, isSpace); len(value) <= 1024 {
			all[strings.TrimFunc(key, isSpace)] = value
		}
	}
	return all
}

// lower leaves all bytes but ASCII letters as they are.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }

func known(sameSite string) bool { return slices.Contains([]string{"lax", "strict", "none"}, sameSite) }
