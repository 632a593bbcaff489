package notify_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
)

func TestDefang(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"https://evil.example", "hxxps://evil[.]example"},
		{"HTTP://Evil.Example:8443", "hxxp://Evil[.]Example[:]8443"},
		{"http.example", "hxxp[.]example"},
		{"wss://evil.example", "wss[:]//evil[.]example"},
		{"javascript:alert(1)", "javascript[:]alert%281%29"},
		{"mailto:a@evil.example", "mailto[:]a%40evil[.]example"},
		{"<!channel> <@U012> <http://evil.example|click>", "%3C%21channel%3E %3C%40U012%3E %3Chxxp://evil[.]example%7Cclick%3E"},
		{"@everyone #general ~town", "%40everyone %23general %7Etown"},
		{"*bold* _it_ `code` ~~gone~~", "%2Abold%2A %5Fit%5F %60code%60 %7E%7Egone%7E%7E"},
		{"[text](https://evil.example)", "[text]%28hxxps://evil[.]example%29"},
		{":smile: ::1", "[:]smile[:] [:][:]1"},
		{"a\r\nBcc: x\x00\x1b[31m", "aBcc[:] x[31m"},
		{"ht\u200btps://ev\u202eil.example\u2028\u00a0", "hxxps://evil[.]example"},
		{"http\u200b\u200b://x", "hxxp://x"},
		{"evil。example ｅ", "evil%E3%80%82example %EF%BD%85"},
		{"\xff\xfea\ufffd", "a"},
		{"/checkout/*/pay", "/checkout/%2A/pay"},
		{"", ""},
	} {
		if got := notify.Defang(tc.in, notify.MaxName); got != tc.want {
			t.Errorf("Defang(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
	if got := notify.Defang(strings.Repeat("@", 100), 10); got != "%40%40%40..." {
		t.Errorf("cut off: %q", got)
	}
}

// acted are what chat and mail clients act on: links, bare hosts, addresses, mentions, channels, emojis, markup.
var acted = map[string]*regexp.Regexp{
	"a link":         regexp.MustCompile(`(?i)https?:|ftp:|mailto:|tel:|javascript:|data:|\bwww\.`),
	"another scheme": regexp.MustCompile(`(?i)[a-wyz][a-z0-9+.-]*[a-oq-rt-z0-9+.-]://`), // neither hxxp nor hxxps
	"a bare host":    regexp.MustCompile(`[\pL\pN-]\.[\pL\pN]`),
	"an address":     regexp.MustCompile(`@`),
	"markup":         regexp.MustCompile("[<>&*_~`|#\\\\!()\"'$^;]"),
	"an emoji":       regexp.MustCompile(`:[A-Za-z0-9_+-]+:`),
	"not ASCII":      regexp.MustCompile(`[^ -~]`),
}

// FuzzDefang holds that nothing of a report does anything where a message is read.
func FuzzDefang(f *testing.F) {
	for _, seed := range []string{"https://evil.example/a?b#c", "<!here|x>", "<@U1>", "@channel", "hhttp://ttp://", "hxhttp://", ":a:b:", "a.b", "\u202e\u2066\u200d", "[a](b)", "h\u0000ttp:", "...", "1.2.3.4", "ſ", "httphttp", "x://y"} {
		f.Add(seed, 120)
		f.Add("a "+seed+seed, 7)
	}
	f.Fuzz(func(t *testing.T, s string, most int) {
		most &= 0x3ff
		got := notify.Defang(s, most)
		for what, re := range acted {
			if m := re.FindString("x" + got + "x"); m != "" {
				t.Errorf("Defang(%q, %d) = %q, which has %s: %q", s, most, got, what, m)
			}
		}
		if len(got) > most+3 {
			t.Errorf("Defang(%q, %d) has %d bytes", s, most, len(got))
		}
	})
}
