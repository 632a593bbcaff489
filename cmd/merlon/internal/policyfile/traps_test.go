package policyfile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

const trapSite = "version: 1\nupstream: http://127.0.0.1:8000\n"

// Each of these reads one way and means another in YAML, or is no YAML. The message says so with its place and the way out.
func TestTraps(t *testing.T) {
	const (
		quoted   = `(put the whole value in double quotes, and only single ones inside: csp: "default-src 'self'")`
		colon    = `YAML reads the colon in this value as the end of a key (put the whole value in double quotes: csp: "img-src 'self' data:")`
		alias    = `YAML reads * as a reference to another place in the file (put the value in double quotes, such as "*")`
		flow     = `inside { } and [ ] YAML reads braces, brackets, commas and colons as its own (put the value in double quotes, such as match: "GET /users/{id}")`
		brackets = `this key takes a text (YAML reads brackets and - as lists, and a colon as the end of a key: write one text, in double quotes)`
		comment  = `YAML reads # behind a space as a comment, and the value ends before it (put the value in double quotes, or write a space behind the # of a comment)`
		glued    = `a colon ends a key only with a space behind it (write `
		closed   = `the quote that opens here is never closed (close it; a value with single quotes goes into double ones: csp: "default-src 'self'")`
		lines    = `text over several lines goes below csp: >-, indented and without comments)`
		none     = `no value (to inherit leave the key out; to send nothing write off)`
	)
	for _, c := range []struct{ text, want string }{
		// Quotes.
		{"csp: 'self'", `3:6: csp: "self": YAML takes these single quotes for its own, and a policy begins with a directive (write csp: "default-src 'self'")`},
		{"csp: 'self'; img-src data:", `3:12: the value has ended at the quote before this ` + quoted},
		{"csp: 'default-src 'self''", `3:20: the value has ended at the quote before this ` + quoted},
		{`csp: "default-src "self""`, `3:20: the value has ended at the quote before this ` + quoted},
		{"csp: \"default-src 'self'\nframe: deny", `3:6: ` + closed},
		{"csp: 'default-src", `3:6: ` + closed},
		{"csp: “default-src 'self'”", `3:6: csp: "“default-src 'self'”": these are quotes for prose (write straight ones: csp: "default-src 'self'")`},
		{"csp: default-src\u00a0'self'", `3:6: csp: "default-src\u00a0'self'": a no-break space, which browsers take for part of a word (write a plain space)`},
		{`https: {exempt: ["regexp:^\d+"]}`, `3:28: \ begins an escape in double quotes (write \\ for one, or single quotes around the value)`},

		// * & ! @ ` % at the beginning.
		{"csp: *", "3:6: " + alias},
		{"frame: {by: [*]}", "3:14: " + alias},
		{"frame: {by: [*, https://a.example]}", "3:14: " + alias},
		{"hosts: [*.shop.example]", `3:9: hosts[0]: "*": ` + alias},
		{"csp: &x", "3:6: YAML reads & as a name for this place (put the value in double quotes)"},
		{"csp: !x", `3:6: csp: "!x": YAML reads ! as a type (put the value in double quotes)`},
		{"referrer-policy: @origin", "3:18: YAML keeps @ and ` at the beginning of a value for itself (put the value in double quotes)"},
		{"csp: `x`", "3:6: YAML keeps @ and ` at the beginning of a value for itself (put the value in double quotes)"},
		{"report-sample: %10", "3:16: YAML reads % at the beginning of a value as an instruction to itself (put the value in double quotes)"},
		{"<<: {a: b}", `3:1: "<<": policy files have no merge keys (write the keys out)`},

		// Colons.
		{"csp: img-src 'self' data:", "3:6: " + colon},
		{"csp: img-src data: https:", "3:6: " + colon},
		{"frame: deny csp: off", "3:8: " + colon},
		{"frame:deny", "3:1: " + glued + "frame: deny)"},
		{"frame:deny\ncsp: off", "3:1: " + glued + "frame: deny)"},
		{"https:\n  redirect:true\n  hsts: 1d", "4:3: " + glued + "redirect: true)"},
		{"https:\n  hsts:365d", `3:1: https: "hsts:365d": this key takes a map of keys (a colon ends a key only with a space behind it: write hsts: 365d)`},
		{"routes:\n  - match:/x\n    frame: deny", "4:5: " + glued + "match: /x)"},
		{"frame = deny", "3:1: no key with its value (write frame: deny)"},
		{"frame", "3:1: no key with its value (write key: value, such as frame: deny)"},

		// Braces and brackets.
		{"csp: [data:]", `3:1: csp: "[\"data:\"]": ` + brackets},
		{"csp:\n  default-src: 'self'", `3:1: csp: "{\"default-src\":\"self\"}": ` + brackets},
		{"csp:\n  - default-src 'self'", `3:1: csp: "[\"default-src 'self'\"]": ` + brackets},
		{"csp: {img-src: [data:]}", "3:22: " + flow},
		{"routes: [{match: GET /x/{id}, frame: deny}]", "3:25: " + flow},
		{"https: {proxies: {cidr: [::1/128]}}", "3:26: " + flow},
		{"hosts: [a.example", "3:8: the [ that opens here is never closed (close it with ])"},
		{"https: {hsts: 1d", "3:8: the { that opens here is never closed (close it with })"},
		{"hosts: [a.example, , b.example]", "3:20: there is nothing between two commas (remove one)"},
		{"headers: {X-A: a, b}", "3:20: headers.b: no value (inside { } a comma ends a value: put one that holds commas in double quotes)"},
		{"csp: - x", "3:6: a list does not begin on the line of its key (write it in brackets, [a, b], or each - a on a line of its own)"},
		{"routes:\n  -match: /x", `4:3: routes: "-match": a - begins a list item only with a space behind it (write - match)`},
		{"- frame: deny", "3:1: a list item where a key is expected (write frame: deny, or indent it below the key that it belongs to)"},
		{"csp: | default-src 'self'", "3:6: | and > stand alone at the end of their line (write csp: >- and the text below it, indented)"},

		// Words that are none, and numbers.
		{"https: {redirect: on}", `3:9: https.redirect: "on": this key takes true or false (write true)`},
		{"https: {redirect: off}", `3:9: https.redirect: "off": this key takes true or false (write false)`},
		{"csp: false", `3:1: csp: "false": this key takes a text (to send nothing write off)`},
		{"trial: no", `3:1: trial.no: "no": browsers know no such directive and ignore it (to send nothing write off)`},
		{"frame: on", `3:1: frame: "on": an origin begins with https:// or http:// (write deny, self or {by: [https://partner.example]})`},
		{"x-content-type-options: yes", `3:1: x-content-type-options: "yes": browsers ignore this value (write nosniff, or off)`},
		{"csp: ~", "3:6: csp: " + none},
		{`hosts: [a.example]` + "\n" + `https: {redirect: true, ports: {80: 443}}`, `4:33: https.ports: "80": YAML reads this key as no text (put it in double quotes: "80")`},
		{`hosts: [a.example]` + "\n" + `https: {redirect: true, ports: {"80": 22:22}}`, `4:33: https.ports.80: "22:22": this key takes a whole number`},
		{"x-xss-protection: 0", `3:1: x-xss-protection: "0": this key takes a text (write it in quotes)`},

		// Lines.
		{"https:\n\tredirect: true", "4:1: a tab (indent with spaces)"},
		{"csp: >-\n\tdefault-src 'self'", "4:1: a tab (indent with spaces)"},
		{"frame: deny\nframe: self", "4:1: frame is here twice, first on line 3 (keep one of the two)"},
		{"https: {hsts: 1d, hsts: 2d}", "3:19: hsts is here twice, first on line 3 (keep one of the two)"},
		{"https:\nhsts: 1d", "3:7: https: no value (indent what belongs to it below it, or leave the key out)"},
		{"https:\n   hsts: 1d\n  redirect: true", "5:3: this line begins where no key above it begins (begin it exactly below the keys that it stands beside)"},
		{"  frame: deny", "2:11: the next line is indented, so YAML reads it as more of this value, in which a colon cannot stand (begin a key where the others begin; " + lines},
		{"csp: default-src 'self';\n  img-src data:", "3:6: the next line is indented, so YAML reads it as more of this value, in which a colon cannot stand (begin a key where the others begin; " + lines},
		{"csp: default-src 'self';\nimg-src data:", `4:1: "img-src data": YAML reads this line as a key, up to its colon (if it goes on with the text above: ` + lines},
		{"csp: default-src 'self'; # img\n  img-src x", "4:3: YAML cannot tell what this line goes on with (begin it exactly below the keys that it stands beside; " + lines},

		// Comments.
		{"csp: default-src 'self' #; img-src data", `3:25: "#; img-src data": ` + comment},
		{"reports: https://a.example/ #x", `3:29: "#x": ` + comment},
		{"headers: {X-Color: #fff}", `3:20: "#fff}": ` + comment},
		{"csp: # default-src 'self'", "3:6: csp: no value (YAML reads # behind a space as a comment: put the value in double quotes)"},
	} {
		_, err := policyfile.Parse("m", []byte(trapSite+c.text+"\n"))
		if err == nil || err.Error() != "m:"+c.want {
			t.Errorf("Parse(%q)\n got %v\nwant m:%s", c.text, err, c.want)
		}
	}
}

// What looks like a trap and is none is read as it stands.
func TestNoTraps(t *testing.T) {
	for _, text := range []string{
		"frame: off", "https: {hsts: off}", "csp: off", "x-dns-prefetch-control: on", "data: 22:22", "https: {hsts:1d}", "report-sample: 10%",
		"frame: 'self'", "frame: deny # nobody", "frame: deny ## nobody", "#hosts: [a.example]", "csp: default-src *", "headers: {Content-Language: no}",
		"csp: >-\n  default-src 'self';\n  img-src data:", "csp: \"img-src 'self' data: https:\"", "referrer-policy: 'origin'",
	} {
		if _, err := policyfile.Parse("m", []byte(trapSite+text+"\n")); err != nil {
			t.Errorf("Parse(%q): %v", text, err)
		}
	}
}

func TestVersions(t *testing.T) {
	const (
		newer  = "the file is for a newer merlon; this one reads version 1 (get a newer merlon; a file that you write for this one begins with version: 1)"
		before = "no version comes before 1 (write version: 1)"
		whole  = "a version is a whole number, without point or zeros (write version: 1)"
		format = "this is the number of the file's format, not of a program (write version: 1)"
	)
	for _, c := range []struct{ value, want string }{
		{"2", `"2": ` + newer}, {"99999999999999999999", `"99999999999999999999": ` + newer}, {`"2"`, `"2": ` + newer},
		{"0", `"0": ` + before}, {"-1", `"-1": ` + before}, {"0.9", `"0.9": ` + before},
		{`"1.0"`, `"1.0": ` + whole}, {"1.0", `"1.0": ` + whole}, {"1.5", `"1.5": ` + whole}, {"01", `"01": ` + whole}, {"1e0", `"1e0": ` + whole},
		{"one", `"one": ` + format}, {"v1", `"v1": ` + format}, {"true", `"true": ` + format}, {"[1]", `"[1]": ` + format}, {"nan", `"nan": ` + format}, {"inf", `"inf": ` + format},
	} {
		_, err := policyfile.Parse("m", []byte("upstream: http://127.0.0.1:8000\nversion: "+c.value+"\n"))
		if want := "m:2:1: version: " + c.want; err == nil || err.Error() != want {
			t.Errorf("version: %s\n got %v\nwant %s", c.value, err, want)
		}
	}
	for _, value := range []string{"1", `"1"`} {
		if _, err := policyfile.Parse("m", []byte("upstream: http://127.0.0.1:8000\nversion: "+value+"\n")); err != nil {
			t.Errorf("version: %s: %v", value, err)
		}
	}
}

// A hint is read in one glance: the keys that are meant, or the ones to know.
func TestHintsForKeys(t *testing.T) {
	const known = "keys here: upstream, hosts, preset, frame, csp, trial, nonce, https, routes, headers, admin, alerts, cache-control, canary and others, which docs/configuration.md has"
	for _, c := range []struct{ text, want string }{
		{"referrer: origin", "did you mean referrer-policy?"},
		{"opener-policy: x", "did you mean cross-origin-opener-policy or cross-origin-opener-policy-report-only?"},
		{"permissions: x", "did you mean permissions-policy?"},
		{"listn: x", "did you mean listen?"},
		{"adminn: x", "did you mean admin?"},
		{"frames: deny", "did you mean frame?"},
		{"upstraem: x", "did you mean upstream?"},
		{"https: {subdomains: true}", "did you mean include-subdomains?"},
		{"cookies: {httponly: true}", "did you mean http-only?"},
		{"routes: [{match: /x, headerz: x}]", "did you mean headers?"},
		{"https: {zzz: 1}", "keys here: exempt, host, hsts, include-subdomains, ports, preload, proxies, redirect, temporary"},
		{"wholly: unknown", known},
		{"zzz: 1", known},
	} {
		_, err := policyfile.Parse("m", []byte(trapSite+c.text+"\n"))
		var e *policyfile.Error
		if !errors.As(err, &e) || e.Mistake.Hint != c.want {
			t.Errorf("Parse(%q)\n got %v\nwant the hint %s", c.text, err, c.want)
		}
		if e != nil && len(e.Mistake.Hint) > 200 {
			t.Errorf("Parse(%q): a hint of %d characters: %s", c.text, len(e.Mistake.Hint), e.Mistake.Hint)
		}
	}
	if _, err := policyfile.Parse("m", []byte(trapSite+strings.Repeat("k", 1000)+": x\n")); err == nil {
		t.Error("a long key passed")
	}
}
