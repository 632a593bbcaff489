package dash_test

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
)

func TestVisible(t *testing.T) {
	tests := map[string]string{
		"":                               "",
		"alert(1) <b>&":                  "alert(1) <b>&",
		"naïve Ωмега 漢字 عربى 🙂":          "naïve Ωмега 漢字 عربى 🙂",
		"a\u202egnp.exe":                 `a\u202egnp.exe`,
		"\u2066x\u2069\u200f\u061c":      `\u2066x\u2069\u200f\u061c`,
		"pay\u200bpal\ufeff\u2060":       `pay\u200bpal\ufeff\u2060`,
		"\u00ad\u034f\u115f\u3164\ufe0f": `\u00ad\u034f\u115f\u3164\ufe0f`,
		"\u2800":                         `\u2800`,
		"a\u00a0b\u3000c\u2028d":         `a\u00a0b\u3000c\u2028d`,
		"a\tb\r\nc\x00\x1b[31m\x7f":      `a\u0009b\u000d\u000ac\u0000\u001b[31m\u007f`,
		"\U000e0041\U000e0100":           `\U000e0041\U000e0100`,
		"\xff\xc0\x80":                   `\xff\xc0\x80`,
		"\ufffd":                         "\ufffd",
	}
	for in, want := range tests {
		if got := dash.Visible(in); got != want {
			t.Errorf("Visible(%+q) = %+q, want %+q", in, got, want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	for _, s := range []string{"", "a\u202eb", "\xff", "\u2800", strings.Repeat("é", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := dash.Visible(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) }) {
			t.Errorf("Visible(%q) = %+q holds something that does not show", s, got)
		}
		if again := dash.Visible(got); again != got {
			t.Errorf("Visible(%q) = %q, and again %q", s, got, again)
		}
		v := dash.Cut(s)
		if all := v.Short + v.Full; v.Full == "" && all != got || v.Full != "" && (v.Full != got || utf8.RuneCountInString(v.Short) != 91) {
			t.Errorf("Cut(%q) = %q", s, v)
		}
	})
}

func TestCut(t *testing.T) {
	at, over := strings.Repeat("é", 90), strings.Repeat("é", 91)
	if v := dash.Cut(at); v.Short != at || v.Full != "" {
		t.Errorf("Cut of 90 characters = %q, want them whole", v)
	}
	if v := dash.Cut(over); v.Short != at+"…" || v.Full != over {
		t.Errorf("Cut of 91 characters = %q, want 90 and the whole", v)
	}
}

func TestProse(t *testing.T) {
	got := dash.Prose("a `b` c`d`")
	if len(got) != 4 || got[0].Code || !got[1].Code || got[1].Text != "b" || got[2].Text != " c" || !got[3].Code {
		t.Errorf("Prose = %+v", got)
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1 000", 1234567: "1 234 567", -1000: "-1 000"} {
		if got := strings.ReplaceAll(dash.Number(n), "\u202f", " "); got != want {
			t.Errorf("Number(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 3, 24, 12, 0, 0, 0, time.UTC)
	for age, want := range map[time.Duration]string{
		-time.Hour: "just now", 0: "just now", 59 * time.Second: "just now", time.Minute: "1 min ago", 59 * time.Minute: "59 min ago",
		time.Hour: "1 h ago", 47 * time.Hour: "47 h ago", 48 * time.Hour: "2 days ago", 24 * 400 * time.Hour: "400 days ago",
	} {
		if got := dash.Ago(now, now.Add(-age)); got != want {
			t.Errorf("Ago(%v) = %q, want %q", age, got, want)
		}
	}
}
