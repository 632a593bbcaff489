package rewrite_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

const (
	nonce  = "NNNNNNNNNNNNNNNNNNNN-_"
	secret = "s3cr3tZ0fTh1rtyTw0Charact3rsAbcd"
)

var blank = strings.Repeat("x", len(secret))

// expand writes out the shorthand of the tables: @ the placeholder, % the nonce, ~ what a scrubbed placeholder leaves.
func expand(s string) string {
	return strings.NewReplacer("@", secret, "%", nonce, "~", blank).Replace(s)
}

// chunked writes in to w in pieces of n bytes, flushing in between, and closes it.
func chunked(w interface {
	io.WriteCloser
	Flush() error
}, in []byte, n int) error {
	for len(in) > 0 {
		n = min(n, len(in))
		if _, err := w.Write(in[:n]); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		in = in[n:]
	}
	return w.Close()
}

func rewritten(tb testing.TB, o rewrite.Options, in string, n int) (string, rewrite.Result) {
	tb.Helper()
	var out strings.Builder
	w := rewrite.NewWriter(&out, o)
	if err := chunked(w, []byte(in), n); err != nil {
		tb.Fatalf("rewriting %q in chunks of %d: %v", in, n, err)
	}
	return out.String(), w.Result()
}

var (
	placing   = rewrite.Options{Mode: rewrite.Placeholder, Nonce: nonce, Placeholder: secret}
	injecting = rewrite.Options{Mode: rewrite.Inject, Nonce: nonce}
)

var placeholderTests = []struct{ name, in, want string }{
	{"elements", `<script nonce="@"></script><style nonce="@"></style><link nonce="@">`,
		`<script nonce="%"></script><style nonce="%"></style><link nonce="%">`},
	{"other elements", `<a nonce="@"><img nonce=@><scripts nonce=@>`, `<a nonce="~"><img nonce=~><scripts nonce=~>`},
	{"quoting", `<script nonce='@'></script><link nonce=@><link nonce=@ ><link nonce = "@">`,
		`<script nonce='%'></script><link nonce=%><link nonce=% ><link nonce = "%">`},
	{"unquoted slash", `<link nonce=@/>`, `<link nonce=~/>`},
	{"case", `<SCRIPT NONCE="@">x</ScRiPt ><LiNk NoNcE=@>`, `<SCRIPT NONCE="%">x</ScRiPt ><LiNk NoNcE=%>`},
	{"slashes", `<script/nonce="@"/></script><link//nonce=@>`, `<script/nonce="%"/></script><link//nonce=%>`},
	{"whole value", `<link nonce=" @"><link nonce="@ "><link nonce="x@"><link nonce="@@">`,
		`<link nonce=" ~"><link nonce="~ "><link nonce="x~"><link nonce="~~">`},
	{"first attribute", `<link nonce nonce="@"><link nonce="" NONCE=@><link nonce="@" nonce="@">`,
		`<link nonce nonce="~"><link nonce="" NONCE=~><link nonce="%" nonce="~">`},
	{"name of the attribute", `<link data-nonce="@" noncE="@"><link nonce2=@><link =nonce=@><link "nonce=@>`,
		`<link data-nonce="~" noncE="%"><link nonce2=~><link =nonce=~><link "nonce=~>`},
	{"no space between", `<link a="b"nonce="@"c=d>`, `<link a="b"nonce="%"c=d>`},
	{"other values", `<script src="/a?@" nonce="@" @></script>`, `<script src="/a?~" nonce="%" ~></script>`},
	{"closing bracket in a value", `<script a=">" nonce="@">`, `<script a=">" nonce="%">`},
	{"line breaks", "<link\r\n\tnonce\f=\r\n\"@\"\n>", "<link\r\n\tnonce\f=\r\n\"%\"\n>"},
	{"NUL", "<scr\x00ipt nonce=@><link\x00 nonce=@><link non\x00ce=@><link nonce=\x00@>",
		"<scr\x00ipt nonce=~><link\x00 nonce=~><link non\x00ce=~><link nonce=\x00~>"},
	{"references", `<link nonce="&#115;` + secret[1:] + `">@`, `<link nonce="&#115;` + secret[1:] + `">~`},
	{"end tags", `</script nonce=@></link nonce="@">`, `</script nonce=~></link nonce="~">`},
	{"tag names", `<@<noscript><title></x><!--</title><script nonce=@></script>-->`, `<~<noscript><title></x><!--</title><script nonce=%></script>-->`},
	{"text", `@ <p>@</p> < script nonce=@> <3 nonce=@`, `~ <p>~</p> < script nonce=~> <3 nonce=~`},
	{"cut off", `<script nonce="@"`, `<script nonce="~"`},
	{"cut off in a value", `<link nonce="@"><script nonce="@">'</script><link a='`, `<link nonce="%"><script nonce="%">'</script><link a='`},
	{"cut off in the secret", `a ` + secret[:20], `a ` + blank[:20]},
	{"comments", `<!-- <link nonce=@> --><link nonce=@><!--><link nonce=@><!---><link nonce=@><!-- --!><link nonce=@><!--->-><link nonce=@>`,
		`<!-- <link nonce=~> --><link nonce=%><!--><link nonce=%><!---><link nonce=%><!-- --!><link nonce=%><!--->-><link nonce=%>`},
	{"comments that go on", `<!-- > -> --! <link nonce=@> --!-- <!-- --x> --><link nonce=@>`, `<!-- > -> --! <link nonce=~> --!-- <!-- --x> --><link nonce=%>`},
	{"bogus comments", `<! <link nonce=@><link nonce=@><? <link nonce=@></ <link nonce=@></><link nonce=@><!doctype "><link nonce=@>`,
		`<! <link nonce=~><link nonce=%><? <link nonce=~></ <link nonce=~></><link nonce=%><!doctype "><link nonce=%>`},
	{"CDATA in HTML", `<![CDATA[ <link nonce=@> <link nonce=@> ]]><link nonce=@>`, `<![CDATA[ <link nonce=~> <link nonce=%> ]]><link nonce=%>`},
	{"title", `<title><link nonce=@></titles></title x><link nonce=@>`, `<title><link nonce=~></titles></title x><link nonce=%>`},
	{"text elements", `<textarea><link nonce=@></textarea><xmp><link nonce=@></xmp><iframe><link nonce=@></iframe>` +
		`<noembed><link nonce=@></noembed><noframes><link nonce=@></noframes><noscript><link nonce=@></noscript><link nonce=@>`,
		`<textarea><link nonce=~></textarea><xmp><link nonce=~></xmp><iframe><link nonce=~></iframe>` +
			`<noembed><link nonce=~></noembed><noframes><link nonce=~></noframes><noscript><link nonce=~></noscript><link nonce=%>`},
	{"style", `<style>a{}<link nonce=@></style/><link nonce=@>`, `<style>a{}<link nonce=~></style/><link nonce=%>`},
	{"plaintext", `<plaintext><link nonce=@></plaintext><link nonce=@>`, `<plaintext><link nonce=~></plaintext><link nonce=~>`},
	{"template", `<template><script nonce=@></script></template>`, `<template><script nonce=%></script></template>`},
	{"string in a script", `<script>"<link nonce=@></scriptx>"</script ><link nonce=@>`, `<script>"<link nonce=~></scriptx>"</script ><link nonce=%>`},
	{"escaped script", `<script><!-- <link nonce=@></script><link nonce=@>`, `<script><!-- <link nonce=~></script><link nonce=%>`},
	{"double escaped script", `<script><!-- <script ></script> <link nonce=@> </script><link nonce=@>`,
		`<script><!-- <script ></script> <link nonce=~> </script><link nonce=%>`},
	{"double escape ended", `<script><!-- <script> --></script><link nonce=@>`, `<script><!-- <script> --></script><link nonce=%>`},
	{"double escape not begun", `<script><!--><script></script><link nonce=@>`, `<script><!--><script></script><link nonce=%>`},
	{"meta", `<meta http-equiv=content-security-policy content="script-src 'nonce-@'">`, `<meta http-equiv=content-security-policy content="script-src 'nonce-~'">`},
	{"SVG", `<svg><script nonce=@>a</script><style nonce=@></style><link nonce=@></svg>`,
		`<svg><script nonce=%>a</script><style nonce=%></style><link nonce=~></svg>`},
	{"style in SVG is markup", `<svg><style><script nonce=@></script></style></svg>`, `<svg><style><script nonce=%></script></style></svg>`},
	{"CDATA in SVG", `<svg><style><![CDATA[ <script nonce=@> ]> ]]></style></svg><link nonce=@>`, `<svg><style><![CDATA[ <script nonce=~> ]> ]]></style></svg><link nonce=%>`},
	{"title in SVG", `<svg><title>a</title><path d=""/><g></g></svg><script nonce=@>a<b</script><link nonce=@>`,
		`<svg><title>a</title><path d=""/><g></g></svg><script nonce=%>a<b</script><link nonce=%>`},
	{"title and style in SVG", `<svg><title>a</title><style nonce=@><![CDATA[ a>b ]]></style></svg><link nonce=@>`,
		`<svg><title>a</title><style nonce=%><![CDATA[ a>b ]]></style></svg><link nonce=%>`},
	{"SVG icons", strings.Repeat(`<a href=x><svg><title>a</title><path/></svg></a><p>x</p><script nonce=@>a<b</script>`, 3),
		strings.Repeat(`<a href=x><svg><title>a</title><path/></svg></a><p>x</p><script nonce=%>a<b</script>`, 3)},
	{"foreignObject", `<svg><foreignObject><div><script nonce=@>a<b</script></div></foreignObject><rect/></svg><script nonce=@>a<b</script>`,
		`<svg><foreignObject><div><script nonce=%>a<b</script></div></foreignObject><rect/></svg><script nonce=%>a<b</script>`},
	{"self-closing", `<svg/><title><link nonce=@></title><svg><script nonce=@ /><g></g></svg>`, `<svg/><title><link nonce=~></title><svg><script nonce=% /><g></g></svg>`},
	{"breakout", `<svg><g><p><title><link nonce=@></title>`, `<svg><g><p><title><link nonce=~></title>`},
	{"font", `<svg><font><title><link nonce=@></title></svg><svg><font size=1><title><script nonce=@></title>`,
		`<svg><font><title><link nonce=%></title></svg><svg><font size=1><title><script nonce=~></title>`},
	{"MathML", `<math><script nonce=@></script><style nonce=@></style></math><link nonce=@>`, `<math><script nonce=~></script><style nonce=~></style></math><link nonce=%>`},
	{"integration points of MathML", `<math><mi><script nonce=@></script></mi><annotation-xml><script nonce=@></script></annotation-xml>` +
		`<annotation-xml encoding=text/html><script nonce=@></script></annotation-xml></math><link nonce=@>`,
		`<math><mi><script nonce=%></script></mi><annotation-xml><script nonce=~></script></annotation-xml>` +
			`<annotation-xml encoding=text/html><script nonce=%></script></annotation-xml></math><link nonce=%>`},
	{"stray end tag in SVG", `<svg><g></div><script nonce=@>a<b</script><link nonce=@>`, `<svg><g></div><script nonce=%>a<b</script><link nonce=~>`},
	{"stray end tag in SVG, then HTML", `<div><svg><path></div><p><script nonce=@>a<b</script><link nonce=@>`,
		`<div><svg><path></div><p><script nonce=%>a<b</script><link nonce=%>`},
	{"style in select", `<select><style><script nonce=@></script></style></select><link nonce=@>`, `<select><style><script nonce=~></script></style></select><link nonce=~>`},
	{"select", `<select><option>a<option>b</select><style><script nonce=@></style><link nonce=@>`,
		`<select><option>a<option>b</select><style><script nonce=~></style><link nonce=%>`},
	{"frameset", `<script nonce=@></script><frameset><link nonce=@>`, `<script nonce=%></script><frameset><link nonce=~>`},
	{"column in a template", `<template><col><script nonce=@>'<link nonce=@>'</script>`, `<template><col><script nonce=%>'<link nonce=~>'</script>`},
	{"column in an outer template", `<template><template><table></template><col><script nonce=@>'<link nonce=@>'</script><link nonce=@>`,
		`<template><template><table></template><col><script nonce=%>'<link nonce=~>'</script><link nonce=~>`},
	{"ISO-2022-JP", "<link nonce=@>\x1b$B<link nonce=@>", "<link nonce=%>\x1b$B<link nonce=~>"},
	{"UTF-8 mark", "\xef\xbb\xbf<link nonce=@>", "\xef\xbb\xbf<link nonce=%>"},
	{"windows-1252", "\xe4\xff<link title=\xe4 nonce=@>", "\xe4\xff<link title=\xe4 nonce=%>"},
}

func TestPlaceholder(t *testing.T) {
	for _, tt := range placeholderTests {
		t.Run(tt.name, func(t *testing.T) {
			in, want := expand(tt.in), expand(tt.want)
			for _, n := range []int{len(in), 1, 2, 3, 7} {
				if got, _ := rewritten(t, placing, in, n); got != want {
					t.Errorf("in chunks of %d:\nin   %s\ngot  %s\nwant %s", n, in, got, want)
				}
			}
		})
	}
}

var injectTests = []struct{ name, in, want string }{
	{"elements", `<script src=x></script><STYLE></STYLE><link rel=stylesheet>`, `<script nonce="%" src=x></script><STYLE nonce="%"></STYLE><link rel=stylesheet>`},
	{"existing", `<script nonce="old" x></script><script a nonce=old></script><style nonce></style><script nonce = ></script><script nonce='o'a></script>`,
		`<script nonce="%" x></script><script a nonce="%"></script><style nonce="%"></style><script nonce="%"></script><script nonce="%"a></script>`},
	{"slash", `<script/src=x></script><svg><script/></svg><script/nonce/></script>`, `<script nonce="%"/src=x></script><svg><script nonce="%"/></svg><script/nonce="%"/></script>`},
	{"not elements", `<!--<script>--><textarea><script></textarea><script>"<script>"</script><p title="<script>">`,
		`<!--<script>--><textarea><script></textarea><script nonce="%">"<script>"</script><p title="<script>">`},
	{"text elements", `<title><script></title><xmp><style></xmp><iframe><script></iframe><noscript><style></style></noscript><noembed><script></noembed><style>a{}<script></style>`,
		`<title><script></title><xmp><style></xmp><iframe><script></iframe><noscript><style></style></noscript><noembed><script></noembed><style nonce="%">a{}<script></style>`},
	{"template", `<template><script></script><style></style></template>`, `<template><script nonce="%"></script><style nonce="%"></style></template>`},
	{"SVG", `<svg><style><![CDATA[ <script> ]]></style><script></script></svg><![CDATA[<style>]]>`, `<svg><style nonce="%"><![CDATA[ <script> ]]></style><script nonce="%"></script></svg><![CDATA[<style>]]>`},
	{"quoting", `<script a="<" b='>' c=d/ e></script><script a=">"nonce></script>`, `<script nonce="%" a="<" b='>' c=d/ e></script><script a=">"nonce="%"></script>`},
	{"usual tags before", `<p class=a><br/><hr /><input disabled><td width=3><img alt='<script>' src="x"><a b = c><div =a><p a="b"c><h1 x=>` + "<b\n><script>",
		`<p class=a><br/><hr /><input disabled><td width=3><img alt='<script>' src="x"><a b = c><div =a><p a="b"c><h1 x=>` + "<b\n><script nonce=\"%\">"},
	{"open attribute before", `<p a="<script>` + `<script>`, `<p a="<script>` + `<script>`},
	{"value behind spaces", `<p a = "><script>"><script>`, `<p a = "><script>"><script nonce="%">`},
	{"cut off", `<script`, `<script`},
	{"cut off later", `<script src="a>`, `<script src="a>`},
	{"MathML", `<math><script></script></math>`, `<math><script></script></math>`},
}

func TestInject(t *testing.T) {
	for _, tt := range injectTests {
		t.Run(tt.name, func(t *testing.T) {
			for _, n := range []int{len(tt.in), 1, 2, 5} {
				if got, _ := rewritten(t, injecting, tt.in, n); got != expand(tt.want) {
					t.Errorf("in chunks of %d:\nin   %s\ngot  %s\nwant %s", n, tt.in, got, expand(tt.want))
				}
			}
		})
	}
}

func TestResult(t *testing.T) {
	for n := range 7 {
		_, got := rewritten(t, placing, expand(`<META content="script-src 'nonce-@'" HTTP-EQUIV=content-security-Policy><meta http-equiv=refresh><p http-equiv=content-security-policy>`+
			`<!--<meta http-equiv=content-security-policy>--><link nonce=@>@<link nonce=@><frameset>@`), 1+n)
		if want := (rewrite.Result{Nonced: 2, Scrubbed: 3, Policies: 1, GaveUp: true}); got != want {
			t.Errorf("in chunks of %d: Result() = %+v, want %+v", 1+n, got, want)
		}
	}
}

// TestWrite states what Write lets through at once: everything but an unfinished element that may take the nonce,
// and the word at the end, in which the placeholder may have begun.
func TestWrite(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`<p>hello`, `<p>`},
		{`<p>hello.`, `<p>hello.`},
		{`<p class="a`, `<p class="`},
		{`<p class="a"`, `<p class="a"`},
		{`<p>1 <`, `<p>1 `},
		{`<p><script src="a" `, `<p>`},
		{`<!-- <script`, `<!-- <`},
		{`<script>if (a) {`, `<script>if (a) {`},
		{`<p>` + secret[:7], `<p>`},
		{`<p>` + strings.Repeat("y", 40), `<p>` + strings.Repeat("y", 9)},
	} {
		var out strings.Builder
		w := rewrite.NewWriter(&out, placing)
		if _, err := io.WriteString(w, tt.in); err != nil || out.String() != tt.want {
			t.Errorf("Write(%q) passed on %q, %v; want %q", tt.in, out.String(), err, tt.want)
		}
	}
}

func TestLongTag(t *testing.T) {
	for _, long := range []int{60 << 10, 70 << 10} {
		tag := `<script a="` + strings.Repeat("x", long) + `" nonce="@">`
		in := expand(tag + `</script><link nonce=@>`)
		want := expand(strings.Replace(tag, "@", map[bool]string{true: "%", false: "~"}[long < 64<<10], 1) + `</script><link nonce=%>`)
		for _, n := range []int{len(in), 1, 5000} {
			if got, _ := rewritten(t, placing, in, n); got != want {
				t.Errorf("a tag of %d bytes in chunks of %d: ...%s", long, n, got[long:])
			}
		}
	}
}

func utf16(s string, big bool) string {
	var b strings.Builder
	for i := range len(s) {
		if big {
			b.WriteByte(0)
		}
		b.WriteByte(s[i])
		if !big {
			b.WriteByte(0)
		}
	}
	return b.String()
}

func TestUTF16(t *testing.T) {
	for _, big := range []bool{false, true} {
		mark := map[bool]string{false: "\xff\xfe", true: "\xfe\xff"}[big]
		in, want := mark+utf16(expand(`<link nonce=@>`), big), mark+utf16(expand(`<link nonce=~>`), big)
		for n := 1; n < 5; n++ {
			if got, r := rewritten(t, placing, in, n); got != want || !r.GaveUp {
				t.Errorf("in chunks of %d: %q, want %q; %+v", n, got, want, r)
			}
		}
	}
	o := placing
	o.Charset = "UTF-16LE"
	if got, _ := rewritten(t, o, utf16(expand("@"), false), 3); got != utf16(blank, false) {
		t.Errorf("declared UTF-16LE: %q", got)
	}
}

func TestRewritable(t *testing.T) {
	for _, tt := range []struct {
		in, charset string
		ok          bool
	}{
		{"text/html", "", true},
		{"Text/HTML; Charset=\"UTF-8\"", "utf-8", true},
		{"text/html; charset=windows-1252", "windows-1252", true},
		{"text/html; charset=utf-16", "utf-16", false},
		{"text/html; charset=ISO-2022-JP", "iso-2022-jp", false},
		{"application/xhtml+xml", "", false},
		{"application/json", "", false},
		{"text/html, text/plain", "", false},
		{"", "", false},
	} {
		if charset, ok := rewrite.Rewritable(tt.in); charset != tt.charset || ok != tt.ok {
			t.Errorf("Rewritable(%q) = %q, %v, want %q, %v", tt.in, charset, ok, tt.charset, tt.ok)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, o := range []rewrite.Options{
		{},
		{Mode: 7, Nonce: nonce},
		{Nonce: nonce},
		{Nonce: nonce, Placeholder: "short"},
		{Nonce: nonce, Placeholder: secret[:31]},
		{Nonce: nonce, Placeholder: secret + "-"},
		{Nonce: nonce, Placeholder: "1" + secret},
		{Nonce: nonce[:21], Placeholder: secret},
		{Nonce: nonce + "A", Placeholder: secret},
		{Nonce: nonce[:21] + `"`, Placeholder: secret},
	} {
		var out bytes.Buffer
		w := rewrite.NewWriter(&out, o)
		if _, err := w.Write([]byte("x")); err == nil || w.Close() == nil || out.Len() > 0 {
			t.Errorf("NewWriter(%+v) wrote %q, error %v", o, out.Bytes(), err)
		}
	}
	attested := placing
	attested.Nonce = nonce + nonce[:10]
	if err := errors.Join(placing.Check(), injecting.Check(), attested.Check()); err != nil {
		t.Errorf("Check() = %v", err)
	}
	var out bytes.Buffer
	w := rewrite.NewWriter(&out, attested)
	_, err := w.Write([]byte(expand(`<script nonce=@>`)))
	if want := "<script nonce=" + attested.Nonce + ">"; err != nil || w.Close() != nil || out.String() != want {
		t.Errorf("with a longer nonce: %q, %v; want %q", &out, err, want)
	}
}

type failing struct{ after int }

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestDestinationFails(t *testing.T) {
	for after := range 4 {
		w := rewrite.NewWriter(&failing{after}, placing)
		if err := chunked(w, []byte(expand(`a<link nonce=@>@b`)), 100); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after %d writes: %v", after, err)
		}
		if err := w.Flush(); err == nil {
			t.Errorf("after %d writes: Flush() = nil", after)
		}
	}
	w := rewrite.NewWriter(io.Discard, placing)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("Write after Close succeeded")
	}
}
