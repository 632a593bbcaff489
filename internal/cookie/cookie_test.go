package cookie_test

import (
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/internal/cookie"
)

var (
	usual = cookie.Rule{Secure: true, HTTPOnly: true, SameSite: "Lax"}
	none  = cookie.Rule{Secure: true, SameSite: "None", Partitioned: true}
)

var lines = []struct {
	rule  cookie.Rule
	plain bool // over HTTP
	line  string
	added string // to the end of the line
}{
	{usual, false, "sid=1", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, true, "sid=1", "; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=1; Path=/; Secure; HttpOnly; SameSite=Lax", ""},
	{usual, false, "sid=1;secure;HTTPONLY;samesite=lax", ""},
	{usual, false, "sid=1; \t Secure \t ; HttpOnly = ; SameSite \t=\t LAX \t", ""},
	{usual, false, "sid=1; Secure=false; HttpOnly=0; SameSite=Lax", ""}, // browsers do not look at the value
	{cookie.Rule{}, false, "sid=1", ""},

	// What looks like an attribute and is none.
	{usual, false, "secure=1", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "httponly", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "secure; httponly", "; Secure; SameSite=Lax"},
	{usual, false, "SameSite=Strict", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=secure, httponly; Path=/secure", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, `sid="a; Secure`, "; HttpOnly; SameSite=Lax"},
	{usual, false, `sid="a; Secure"; Path="/; HttpOnly"`, "; Secure; HttpOnly; SameSite=Lax"}, // Secure" is none
	{usual, false, "sid=a=b==; Path=/?Secure", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT, Secure", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=1; Insecure; HttpOnlyX; XSameSite=Lax", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=1; \u017fecure; HttpOnly; \u017fameSite=Lax", "; Secure; SameSite=Lax"},
	{usual, false, "sid=1; Secure=" + strings.Repeat("x", 1025), "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=1; Secure=" + strings.Repeat("x", 1024), "; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=1;", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=1;;; ;HttpOnly;", "; Secure; SameSite=Lax"},

	// The handler's own SameSite stays, if browsers know it.
	{usual, false, "sid=1; SameSite=Strict", "; Secure; HttpOnly"},
	{usual, false, "sid=1; SameSite=None; Secure", "; HttpOnly"},
	{cookie.Rule{SameSite: "Strict"}, false, "sid=1; SameSite=Lax", ""},
	{cookie.Rule{SameSite: "None"}, false, "sid=1; Secure; SameSite=Strict", ""},
	{usual, false, "sid=1; SameSite", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=1; SameSite=", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, `sid=1; SameSite="Strict"`, "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=1; SameSite=Strict; SameSite=bogus", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=1; SameSite=bogus; SameSite=Strict", "; Secure; HttpOnly"},
	{usual, false, "sid=1; SameSite=Strict\r\n", "; Secure; HttpOnly"}, // sent as two spaces

	// None and Partitioned want Secure.
	{none, false, "sid=1", "; Secure; SameSite=None; Partitioned"},
	{none, true, "sid=1", ""},
	{none, true, "sid=1; Secure", "; SameSite=None; Partitioned"},
	{none, false, "sid=1; SameSite=Lax; partitioned", "; Secure"},
	{cookie.Rule{SameSite: "None", Partitioned: true}, false, "sid=1", ""},

	// Browsers refuse these without Secure, so that it is added to them in any case.
	{cookie.Rule{HTTPOnly: true}, false, "__Secure-sid=1", "; Secure; HttpOnly"},
	{cookie.Rule{HTTPOnly: true}, true, "__Secure-sid=1", "; HttpOnly"},
	{cookie.Rule{SameSite: "None"}, false, "__HOST-sid=1; Path=/", "; Secure; SameSite=None"},
	{cookie.Rule{HTTPOnly: true}, false, "__Host-Http-sid=1; Path=/", "; Secure; HttpOnly"},
	{cookie.Rule{HTTPOnly: true}, false, "__http-sid=1", "; Secure; HttpOnly"},
	{cookie.Rule{HTTPOnly: true}, false, "x__Host-sid=1", "; HttpOnly"},
	{cookie.Rule{HTTPOnly: true}, false, "__\u017fecure-sid=1", "; HttpOnly"},

	// Only and Except.
	{cookie.Rule{HTTPOnly: true, Only: []string{"a", "b"}}, false, "b=1", "; HttpOnly"},
	{cookie.Rule{HTTPOnly: true, Only: []string{"a", "b"}}, false, "B=1", ""},
	{cookie.Rule{HTTPOnly: true, Only: []string{"a", "b"}}, false, "c=1", ""},
	{cookie.Rule{HTTPOnly: true, Only: []string{"a"}}, false, " \ta\t =1", "; HttpOnly"},
	{cookie.Rule{HTTPOnly: true, Except: []string{"a"}}, false, "a=1", ""},
	{cookie.Rule{HTTPOnly: true, Except: []string{"a"}}, false, "A=1", "; HttpOnly"},
	{cookie.Rule{HTTPOnly: true, Except: []string{"a"}}, false, "a", "; HttpOnly"}, // the value of a cookie without a name
	{cookie.Rule{HTTPOnly: true, Except: []string{"__Host-a"}}, false, "__Host-a=1", ""},
	{usual, false, "", ""},
	{usual, false, " = ; Path=/", ""},
	{usual, false, "=v", "; Secure; HttpOnly; SameSite=Lax"},
	{usual, false, "sid=", "; Secure; HttpOnly; SameSite=Lax"},
}

func TestApply(t *testing.T) {
	for _, tc := range lines {
		got, _ := tc.rule.Apply(tc.line, !tc.plain)
		if want := tc.line + tc.added; got != want {
			t.Errorf("%+v.Apply(%.80q, %t) = %.160q, want %.160q", tc.rule, tc.line, !tc.plain, got, want)
		}
	}
}

func TestProblems(t *testing.T) {
	full := strings.Repeat("v", 4096-len("sid"))
	for _, tc := range []struct {
		rule  cookie.Rule
		plain bool
		line  string
		want  string // part of the problem, "" for none
	}{
		{usual, false, "sid=1", ""},
		{usual, true, "sid=1", ""},
		{usual, false, "__Secure-sid=1", ""},
		{usual, true, "__Secure-sid=1", `cookie "__Secure-sid": browsers refuse a name with this prefix without Secure`},
		{usual, true, "__SECURE-sid=1", "without Secure"},
		{usual, true, "__\u017fecure-sid=1", ""},
		{usual, true, "__Secure=1", ""},
		{cookie.Rule{Except: []string{"__Secure-sid"}}, false, "__Secure-sid=1", "without Secure"},
		{usual, false, "__Host-sid=1; Path=/", ""},
		{usual, true, "__Host-sid=1; Path=/", "without Secure"},
		{usual, false, "__Host-sid=1", "without Path=/"},
		{usual, false, "__Host-sid=1; Path=", "without Path=/"},
		{usual, false, "__Host-sid=1; Path=/app", "without Path=/"},
		{usual, false, "__Host-sid=1; Path=/; Path=/app", "without Path=/"},
		{usual, false, "__Host-sid=1; Path=/app; Path=/", ""},
		{usual, false, `__Host-sid=1; Path="/"`, "without Path=/"},
		{usual, false, "__host-sid=1; path=/; domain=a.example", "has a Domain"},
		{usual, false, "__Host-sid=1; Path=/; Domain=a.example; Domain=", ""},
		{cookie.Rule{}, false, "__Http-sid=1", "without HttpOnly"},
		{cookie.Rule{}, false, "__Http-sid=1; HttpOnly", ""},
		{cookie.Rule{}, true, "__Http-sid=1; HttpOnly", "without Secure"},
		{usual, false, "__Http-sid=1; Domain=a.example", ""},
		{cookie.Rule{}, false, "__Host-Http-sid=1; Path=/", "without HttpOnly"},
		{usual, false, "__Host-Http-sid=1; Path=/", ""},
		{usual, false, "__host-http-sid=1; HttpOnly", "without Path=/"},
		{cookie.Rule{}, false, "sid=1; SameSite=None", "SameSite=None without Secure"},
		{usual, false, "sid=1; SameSite=none", ""},
		{usual, true, "sid=1; SameSite=none", "SameSite=None without Secure"},
		{usual, true, "sid=1; SameSite=none; SameSite=Lax", ""},
		{usual, true, "sid=1; Partitioned", "Partitioned without Secure"},
		{usual, true, "sid=1; Partitioned; Secure", ""},
		{usual, false, "sid=" + full, ""},
		{usual, false, "sid=" + full + "; Path=/" + full, ""},
		{usual, false, "sid=" + full + "v", "over 4096 bytes"},
		{usual, false, "sid=a\tb", ""},
		{usual, false, "sid=a\x00b", "control characters"},
		{usual, false, "sid=1; Path=/\r\nX: y", "control characters"},
		{usual, false, "sid=1; Path=/\x7f", "control characters"},
		{usual, false, "sid=\u0080ü", ""},
		{usual, false, "", "without name and value"},
		{usual, false, " = ; Secure", "without name and value"},
		{usual, false, "=v", ""},
		{usual, false, "sid=", ""},
		{usual, false, "=__Host-sid=1; Path=/", "without a name"},
		{usual, false, "__secure-sid; Path=/", "without a name"},
		{usual, false, "sid=__Host-", ""},
	} {
		_, got := tc.rule.Apply(tc.line, !tc.plain)
		if got == "" != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%+v.Apply(%.80q, %t): problem %q, want %q", tc.rule, tc.line, !tc.plain, got, tc.want)
		}
	}
}

func TestProblemKeepsTheValueSecret(t *testing.T) {
	for _, line := range []string{"__Host-sid=s3cret", "__Host-s3cret", "=__Host-s3cret", "sid=s3cret\x00"} {
		if _, got := usual.Apply(line, true); got == "" || strings.Contains(got, "s3cret") {
			t.Errorf("Apply(%q): problem %q, want one without the value", line, got)
		}
	}
	if _, got := usual.Apply(strings.Repeat("n", 5000)+"=1", true); got == "" || len(got) > 200 {
		t.Errorf("Apply of a long name: a problem of %d bytes, want 1 to 200", len(got))
	}
}

func TestApplyAllocates(t *testing.T) {
	for _, tc := range []struct {
		rule cookie.Rule
		line string
		want float64
	}{
		{usual, "sid=1; Path=/; Secure; HttpOnly; SameSite=Lax; Expires=Wed, 21 Oct 2026 07:28:00 GMT", 0},
		{cookie.Rule{Secure: true, Only: []string{"a"}}, "sid=0123456789abcdef0123456789abcdef; Path=/", 0},
		{usual, "sid=0123456789abcdef0123456789abcdef; Path=/", 1},
	} {
		got := testing.AllocsPerRun(100, func() { tc.rule.Apply(tc.line, true) })
		if got != tc.want {
			t.Errorf("%+v.Apply(%q) allocates %v times, want %v", tc.rule, tc.line, got, tc.want)
		}
	}
}
