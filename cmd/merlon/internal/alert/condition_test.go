package alert_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/alert"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
	"github.com/merlon-sec/merlon/report"
)

// of is a report of two clients with another directive, class or disposition.
func of(directive, class, blocked string, d report.Disposition, at time.Time) []store.Hit {
	h := hit(blocked, at)
	h.Directive, h.Class, h.Disposition = directive, class, d
	h.Fingerprint.Sum = sum(directive + class + blocked)
	return []store.Hit{h, from(h, 2)}
}

func TestNewOrigins(t *testing.T) {
	for _, tc := range []struct{ directive, class, want string }{
		{"script-src", "origin", "scripts from a new origin: hxxps://x[.]example by script-src"},
		{"worker-src", "origin", "scripts from a new origin"},
		{"connect-src", "origin", "a page sends data to a new origin"},
		{"form-action", "origin", "a form sends to a new origin"},
		{"base-uri", "origin", "a page is to take its addresses from a new origin"},
		{"object-src", "origin", "a plug-in or an embedded document from a new origin"},
		{"img-src", "origin", ""},
		{"script-src", "inline", ""},
	} {
		f := start(t)
		f.add(1, of(tc.directive, tc.class, "https://x.example", report.ReportOnly, f.now)...)
		if tc.want == "" {
			f.want(tc.directive, f.round(0))
			continue
		}
		f.want(tc.directive, f.round(0), tc.want)
	}
}

// Noise, what people have decided about, what is old, other sites' reports and one client's word on what does not run are not told.
func TestWhatIsNotTold(t *testing.T) {
	for name, change := range map[string]func(h *store.Hit){
		"noise":              func(h *store.Hit) { h.Verdict, h.Rule = store.Noise, "extension@1" },
		"self-contradicting": func(h *store.Hit) { h.Verdict = store.SelfContradicting },
		"old":                func(h *store.Hit) { h.At = h.At.Add(-8 * 24 * time.Hour) },
		"another site":       func(h *store.Hit) { h.Site = "blog" },
		"one client's":       func(h *store.Hit) { h.Directive = "connect-src" },
	} {
		f := start(t)
		h := hit("https://evil.example", f.now)
		change(&h)
		f.add(1, h)
		f.want(name, f.round(0))
	}
}

func TestCriticalBlock(t *testing.T) {
	for _, tc := range []struct {
		route string
		d     report.Disposition
		ago   time.Duration
		want  bool
	}{
		{"/checkout/pay", report.Enforce, 0, true}, {"/checkout", report.Enforce, 0, true}, {"/login", report.Enforce, 0, true},
		{"/login/x", report.Enforce, 0, false}, {"/", report.Enforce, 0, false}, {"about:", report.Enforce, 0, false},
		{"/checkout/pay", report.ReportOnly, 0, false}, {"/checkout/pay", report.Enforce, 3 * time.Hour, false},
	} {
		f := start(t)
		f.config.Critical = []string{"/checkout/", "/login"}
		f.alerter.Use(f.config)
		hits := of("img-src", "origin", "https://x.example", tc.d, f.now.Add(-tc.ago))
		hits[0].Route, hits[1].Route = tc.route, tc.route
		f.add(1, hits...)
		got := f.round(0)
		if told := slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "the policy blocks something on a critical page") }); told != tc.want {
			t.Errorf("%+v: told %q", tc, got)
		}
	}
}

// each hour adds n reports of an image for each of the hours before now.
func (f *fixture) each(hours int, n func(at time.Time) int) {
	f.t.Helper()
	var b store.Batch
	for ago := hours; ago > 0; ago-- {
		at := f.now.Add(-time.Duration(ago) * time.Hour)
		for range n(at) {
			for _, h := range of("img-src", "origin", "https://img.example", report.ReportOnly, at)[:1+ago%2] {
				b.Add(h)
			}
		}
	}
	if err := f.store.Commit(f.t.Context(), &b); err != nil {
		f.t.Fatal(err)
	}
}

func TestJump(t *testing.T) {
	steady := func(n int) func(time.Time) int { return func(time.Time) int { return n } }
	for _, tc := range []struct {
		name   string
		hours  int
		before func(time.Time) int
		now    int
		want   bool
	}{
		{"four times as many", 8 * 24, steady(4), 24, true},
		{"twice as many", 8 * 24, steady(4), 12, false},
		{"many times few", 8 * 24, func(at time.Time) int { return at.Hour() % 2 }, 9, false},
		{"a new issue", 10, steady(1), 100, false},
		{"the busy time of each day", 8 * 24, func(at time.Time) int {
			if at.Hour() >= 10 && at.Hour() < 16 {
				return 50
			}
			return 1
		}, 80, false},
	} {
		f := start(t)
		f.each(tc.hours, tc.before)
		f.add(tc.now, of("img-src", "origin", "https://img.example", report.ReportOnly, f.now)[0])
		got := f.round(0)
		if told := len(got) == 1 && strings.Contains(got[0], "many more reports than usual"); told != tc.want || len(got) > 1 {
			t.Errorf("%s: told %q", tc.name, got)
		}
	}
}

func TestSilence(t *testing.T) {
	for _, tc := range []struct {
		name   string
		hours  int
		before func(ago int) int
		sent   int64 // documents, -1: they are not counted
		up     time.Duration
		want   bool
	}{
		{"none for seven hours", 8 * 24, func(ago int) int { return 3 * min(ago/8, 1) }, -1, 8 * time.Hour, true},
		{"with visitors", 8 * 24, func(ago int) int { return 3 * min(ago/8, 1) }, 40, 8 * time.Hour, true},
		{"without visitors", 8 * 24, func(ago int) int { return 3 * min(ago/8, 1) }, 0, 8 * time.Hour, false},
		{"merlon was down", 8 * 24, func(ago int) int { return 3 * min(ago/8, 1) }, -1, time.Hour, false},
		{"some still come", 8 * 24, func(ago int) int { return 3 }, -1, 8 * time.Hour, false},
		{"the same day a week ago was empty", 8 * 24, func(ago int) int {
			if ago < 8 || ago > 7*24-8 && ago < 7*24+8 {
				return 0
			}
			return 3
		}, -1, 8 * time.Hour, false},
		{"the first day", 20, func(ago int) int { return 9 * min(ago/8, 1) }, -1, 8 * time.Hour, false},
		{"few", 8 * 24, func(ago int) int { return min(ago/8, 1) * (ago % 2) }, -1, 8 * time.Hour, false},
	} {
		f := start(t)
		if tc.sent >= 0 {
			var b store.Batch
			b.Documents("shop", "/", "p", f.now.Add(-30*time.Hour), 100)
			b.Documents("shop", "/", "p", f.now.Add(-2*time.Hour), tc.sent)
			if err := f.store.Commit(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
		}
		f.each(tc.hours, func(at time.Time) int { return tc.before(int(f.now.Sub(at).Hours())) })
		f.now = f.now.Add(-tc.up)
		f.open() // then the process started
		got := f.round(tc.up)
		if told := len(got) == 1 && strings.Contains(got[0], "no reports any more"); told != tc.want || len(got) > 1 {
			t.Errorf("%s: told %q", tc.name, got)
		}
	}
}

func TestPipeline(t *testing.T) {
	f := start(t)
	var b store.Batch
	b.Canaries("shop", "firefox", f.now, 30, 0)
	b.Canaries("shop", "safari", f.now, 10, 0)
	b.Canaries("shop", "chrome", f.now, 100, 90)
	b.Canaries("shop", "edge", f.now.Add(-48*time.Hour), 1000, 800)
	b.Canaries("shop", "edge", f.now, 100, 20)
	if err := f.store.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	got := f.round(0)
	slices.Sort(got)
	f.want("canaries", got, "the test reports of a browser do not arrive: edge", "the test reports of a browser do not arrive: firefox")
	f.health = alert.Health{Refused: 5, Waiting: 60, Max: 100}
	got = f.round(time.Minute)
	slices.Sort(got)
	f.want("storing", got, "this gateway: reports are not being stored: some are refused", "this gateway: reports are not being stored: too many wait")
	f.health.Waiting = 0
	f.want("no more since", f.round(time.Minute))
	f.want("and so it is over", f.round(11*time.Minute), "over: this gateway", "over: this gateway")
}

// Reports beyond the cap of issues are counted by rows that stand for them, and many of them are an attack.
func TestOtherShare(t *testing.T) {
	f := start(t)
	for from := 0; from < store.MaxIssues+800; from += 500 {
		var hits []store.Hit
		for n := from; n < from+500; n++ {
			h := hit(fmt.Sprintf("https://e%d.example", n), f.now)
			h.Directive = "img-src"
			hits = append(hits, h)
		}
		f.add(1, hits...)
	}
	f.want("a share above a tenth", f.round(0), "shop: many reports fit no issue: 3500 of 6000")
}

// Each condition is in the guide, with what to do, and the guide has no other.
func TestGuide(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, m := range regexp.MustCompile("(?m)^### ([a-z-]+): (.+)$").FindAllSubmatch(page, -1) {
		got = append(got, string(m[1])+": "+string(m[2]))
	}
	for _, c := range alert.Conditions() {
		want = append(want, c.ID+": "+c.Title)
		if c.Why == "" || c.Over == "" || c.Check == nil {
			t.Errorf("%s lacks something", c.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/alerts.md has the headings\n %q, want\n %q", got, want)
	}
}

// Whatever reports hold, messages hold nothing that a client acts on.
func TestHostileReports(t *testing.T) {
	f := start(t)
	f.config.Critical = []string{"/"}
	f.config.PerHour = 1000
	f.alerter.Use(f.config)
	hostile := []string{"https://evil.example", "<!channel>", "@everyone", "[x](https://evil.example)", "*b* _i_ `c`", "a\r\nBcc: x", "\u202ehttps://evil.example", "<@U1|x>", ":smile:", "#x ~y"}
	for _, text := range hostile {
		hits := of("script-src", "origin", text, report.Enforce, f.now)
		for n := range hits {
			hits[n].Route = "/" + text
		}
		f.add(1, hits...)
	}
	var b store.Batch
	b.Canaries("shop", "<!here> https://evil.example", f.now, 100, 0)
	if err := f.store.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if err := f.alerter.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	acted := regexp.MustCompile("(?i)https?:|[a-z0-9]\\.[a-z0-9]|[<>@&*_~`|#!]|:[a-z0-9_+-]+:|[^ -~]")
	for _, m := range f.target.got {
		for _, line := range append(m.Lines, m.Headline) {
			if found := acted.FindString(line); found != "" {
				t.Errorf("%q has %q", line, found)
			}
		}
	}
	if len(f.target.got) < 2*len(hostile) {
		t.Errorf("%d messages, want two for each text", len(f.target.got))
	}
}
