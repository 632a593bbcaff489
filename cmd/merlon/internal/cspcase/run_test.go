package cspcase_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/cspcase"
	"github.com/merlon-sec/merlon/csp"
)

// Cases of defects that were found by people who looked for them. An answer holds at least the members that are given.
func TestAnswers(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{"kind":"parse","expression":"İİİİİ"}`, `{"expression":{"type":"invalid"}}`},
		{`{"kind":"parse","expression":""}`, `{"expression":{"type":"invalid"}}`},
		{`{"kind":"parse","expression":null,"policy":"img-src a"}`, `{"policies":[{"disposition":"enforce"}]}`},
		{`{"kind":"effective","inline_type":"skript"}`, `{"directive":null,"fallback":[]}`},
		{`{"kind":"effective","inline_type":"Script","policy":"default-src 'none'"}`, `{"directive":null,"governing":null}`},
		{`{"kind":"effective","destination":"fencedframe","policy":"connect-src a"}`, `{"directive":"connect-src","governing":"connect-src"}`},
		{`{"kind":"effective","destination":"image","initiator":"prefetch","policy":"img-src a; default-src b"}`, `{"directive":"default-src","fallback":[],"governing":"default-src"}`},
		{`{"kind":"effective","destination":"image","policy":"default-src a, img-src b"}`, `{"governing":"default-src"}`},
		{`{"kind":"effective","destination":"image","policy":""}`, `{"governing":null}`},

		{`{"kind":"request","url":"https://b/","destination":"image","response_url":"https://a/","policies":[{"value":"img-src a","disposition":"report"}]}`,
			`{"result":"allowed","violations":[{"policy":0,"directive":"img-src","disposition":"report"}]}`},
		{`{"kind":"request","url":"https://a/","destination":"image","redirects":1.0,"policy":"img-src a/x"}`, `{"result":"allowed"}`},
		{`{"kind":"request","url":"https://a/","destination":"image","redirects":1e1,"policy":"img-src a/x"}`, `{"result":"allowed"}`},
		{`{"kind":"request","url":"https://a/","destination":"image","redirects":null,"policy":"img-src a/x"}`, `{"result":"blocked"}`},
		{`{"kind":"request","check":"navigate","navigation":"other","url":"javascript:a('#1')","policy":"script-src 'unsafe-hashes' 'sha256-2e90+GVc7cO0Ia0nvb5SnqTINsOtQJHUfg6hUyDqxI8='"}`, `{"result":"allowed"}`},
		{`{"kind":"source-match","source_list":"foo://a.com","url":"foo://a.com:0"}`, `{"matches":false}`},
		{`{"kind":"report","check":"strip","url":"file://bücher/x"}`, `{"stripped":"file"}`},
		{`{"kind":"request","check":"upgrade","policy":"upgrade-insecure-requests","url":"http://u:p@BÜ\u00adCHER。ｅxample:80/é?é#é"}`,
			`{"url":"https://u:p@xn--bcher-kva.example/%C3%A9?%C3%A9#%C3%A9"}`},
		{`{"kind":"source-match","source_list":"'self'","self":"https://faß.de","url":"https://xn--fa-hia.de/"}`, `{"matches":true}`},
		{`{"kind":"source-match","source_list":"'self'","self":"https://１２７.0.0.1","url":"https://127.0.0.1/"}`, `{"matches":true}`},
		{`{"kind":"source-match","source_list":"custom://a.com custom://*","url":"custom://a.com/x"}`, `{"matches":false}`},

		{`{"kind":"request","check":"webrtc","policy":"webrtc 'block'"}`, `{"result":"blocked","violations":[{"policy":0,"directive":"webrtc"}]}`},
		{`{"kind":"report","trigger":{"kind":"request","check":"webrtc"},"policy":"webrtc 'block'; report-to g"}`,
			`{"reports":[{"effective_directive":"webrtc","report_to":"g","blocked":""}]}`},

		{`{"kind":"report","self":"http://example.com/","trigger":{"kind":"request","url":"https://evil.example/i.png","destination":"image"},
			"policy":"img-src 'none'; report-to g","reporting_endpoints":"g=\"https://rep.example/e\""}`, `{"reports":[{"report_to":"g","report_to_url":null}]}`},
		{`{"kind":"report","self":"http://a.example/p","trigger":{"kind":"request","check":"navigate","navigation":"form-submission","url":"http://a.example/s"},
			"policy":"form-action 'self'"}`, `{"reports":[]}`},
		{`{"kind":"report","self":"http://a.example/p","trigger":{"kind":"request","check":"base-uri","url":"http://a.example/s"},"policy":"base-uri 'self'"}`, `{"reports":[]}`},
		{`{"kind":"report","self":"http://a.example/p","trigger":{"kind":"frame","ancestors":["http://a.example"]},"policy":"frame-ancestors 'self'"}`, `{"reports":[]}`},

		{`{"kind":"request","check":"navigate","navigation":"form-submission","url":"javascript:x()",
			"policies":[{"value":"script-src 'none'"},{"value":"form-action 'none'","disposition":"report"}]}`,
			`{"result":"blocked","violations":[{"policy":1,"directive":"form-action","disposition":"report"},{"policy":0,"directive":"script-src-elem"}]}`},
		{`{"kind":"request","check":"navigate","navigation":"other","url":"javascript:x()","policy":"require-trusted-types-for 'script'"}`,
			`{"result":"blocked","violations":[{"policy":0,"directive":"require-trusted-types-for","resource":"trusted-types-sink","sample":"Location href|x()"}]}`},
		{`{"kind":"request","check":"navigate","navigation":"other","url":"https://a.example/","policy":"form-action 'none'; script-src 'none'"}`, `{"result":"allowed"}`},

		{`{"kind":"effective","check":"sandbox","policy":"sandbox allow-popups"}`, `{"custom_protocols":true,"top_navigation":"none"}`},
		{`{"kind":"effective","check":"sandbox","policy":"sandbox allow-top-navigation"}`, `{"custom_protocols":true,"top_navigation":"all"}`},

		{`{"kind":"report","check":"strip","url":"https://münchen.example/p"}`, `{"stripped":"https://xn--mnchen-3ya.example/p"}`},
		{`{"kind":"report","check":"strip","url":"https://u:p@M%C3%BCnchen。example:8443\\p?q=ü"}`, `{"stripped":"https://xn--mnchen-3ya.example:8443/p?q=%C3%BC"}`},
		{`{"kind":"report","check":"strip","url":"https:faß_-.example"}`, `{"stripped":"https://xn--fa_--wna.example/"}`},
		{`{"kind":"source-match","source_list":"'self' xn--mnchen-3ya.example","self":"https://bücher.example","url":"https://münchen.example/x"}`, `{"matches":true}`},
		{`{"kind":"source-match","source_list":"'self'","self":"https://bücher.example","url":"https://xn--bcher-kva.example/x"}`, `{"matches":true}`},
		{`{"kind":"frame","policy":"frame-ancestors xn--mnchen-3ya.example","ancestors":["https://münchen.example"]}`, `{"result":"allowed"}`},
		{`{"kind":"report","trigger":{"kind":"request","url":"https://bücher.example/i","destination":"image"},"policy":"img-src 'none'","source_file":"https://münchen.example/a.js",
			"document":{"url":"https://straße.example/","referrer":"https://münchen.example/"}}`,
			`{"reports":[{"blocked":"https://xn--bcher-kva.example/i","source_file":"https://xn--mnchen-3ya.example/a.js","referrer":"https://xn--mnchen-3ya.example/","document_url":"https://xn--strae-oqa.example/"}]}`},
	} {
		answers(t, csp.Spec, c.line, c.want)
	}
}

// answers holds the answer to a case against the members of want.
func answers(t *testing.T, m csp.Mode, line, want string) {
	t.Helper()
	_, got, err := cspcase.Run(m, []byte(line))
	if err != nil {
		t.Errorf("%v, %s: %v", m, line, err)
		return
	}
	var members any
	if err := json.Unmarshal([]byte(want), &members); err != nil {
		t.Fatal(err)
	}
	if why := differs(members, throughJSON(t, got), ""); why != "" {
		t.Errorf("%v, %s: %s", m, line, why)
	}
}

// The mode's reading of the policies counts in every kind.
func TestAnswersByMode(t *testing.T) {
	for _, c := range []struct {
		m          csp.Mode
		line, want string
	}{
		{csp.Chromium, `{"kind":"effective","destination":"image","policy":"img-src é; img-src 'none'"}`, `{"directive":"img-src","governing":null}`},
		{csp.Firefox, `{"kind":"effective","destination":"image","policy":"img-src é; img-src 'none'"}`, `{"directive":"img-src","governing":"img-src"}`},
		{csp.Chromium, `{"kind":"effective","destination":"fencedframe"}`, `{"directive":"fenced-frame-src"}`},
		{csp.WebKit, `{"kind":"effective","destination":"fencedframe"}`, `{"directive":"connect-src"}`},
		{csp.Firefox, `{"kind":"request","check":"navigate","navigation":"form-submission","url":"https://a/x","current_url":"https://b/","redirects":1,"policy":"form-action 'none'"}`,
			`{"result":"blocked","violations":[{"directive":"form-action"}]}`},
		{csp.Firefox, `{"kind":"request","check":"navigate","navigation":"form-submission","url":"https://a/x","current_url":"https://b/","redirects":1,"policy":"form-action a/x"}`, `{"result":"allowed"}`},
		{csp.Chromium, `{"kind":"effective","check":"sandbox","policy":"sandbox allow-popups, sandbox allow-top-navigation"}`, `{"custom_protocols":true,"popups":false,"top_navigation":"none"}`},
		{csp.WebKit, `{"kind":"effective","check":"sandbox","policy":"sandbox allow-top-navigation, sandbox allow-top-navigation-by-user-activation"}`,
			`{"custom_protocols":false,"top_navigation":"user-activation"}`},
	} {
		answers(t, c.m, c.line, c.want)
	}
}

func throughJSON(t *testing.T, answer map[string]any) (out map[string]any) {
	t.Helper()
	data, err := json.Marshal(answer)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A value that means nothing is a mistake in the case, and no answer.
func TestWrongValuesAreErrors(t *testing.T) {
	for line, want := range map[string]string{
		`{"kind":"inline","inline_type":"skript","content":"x"}`:                                         `inline_type "skript"`,
		`{"kind":"inline","content":"x"}`:                                                                `inline_type ""`,
		`{"kind":"report","trigger":{"kind":"inline","inline_type":"skript"}}`:                           `inline_type "skript"`,
		`{"kind":"parse","policies":[{"value":"a","disposition":"enforced"}]}`:                           `disposition "enforced"`,
		`{"kind":"parse","policies":[{"value":"a","source":"body"}]}`:                                    `source "body"`,
		`{"kind":"parse","policies":[{"value":"a","disposition":"Report"}]}`:                             `disposition "Report"`,
		`{"kind":"parse","policies":[{"value":"a","source":"META"}]}`:                                    `source "META"`,
		`{"kind":"request","check":"navigate","navigation":"Form-Submission","url":"https://a.example"}`: `navigation "Form-Submission"`,
		`{"kind":"source-match","self":"https://[","url":"https://a.example"}`:                           `self "https://["`,
		`{"kind":"report","check":"strip","url":"https://\u00ad/evil.example/"}`:                         `url "https://`,
		`{"kind":"request","url":"https://a.example","redirects":-1}`:                                    `whole number`,
		`{"kind":"request","url":"https://a.example","redirects":1.5}`:                                   `whole number`,
		`{"kind":"request","url":"https://a.example","redirects":1e20}`:                                  `whole number`,
		`{"kind":"request","url":"https://a.example","redirects":"1"}`:                                   `whole number`,
		`{"kind":"frame","check":"xfo"}`:                                                                 `check "xfo"`,
		`{"kind":"report","check":"stripped","url":"https://a.example"}`:                                 `check "stripped"`,
		`{"kind":"request","check":"base","url":"https://a.example"}`:                                    `check "base"`,
		`{"kind":"inline","check":"js","inline_type":"script"}`:                                          `check "js"`,
		`{"kind":"eval"}`: `check ""`,
		`{"kind":"request","check":"navigate","navigation":"form","url":"https://a.example"}`:                           `navigation "form"`,
		`{"kind":"subsumes","returned":["img-src a"]}`:                                                                  `required`,
		`{"kind":"frame","ancestors":["a.example"]}`:                                                                    `ancestor "a.example"`,
		`{"kind":"report","trigger":{"kind":"frame","ancestors":[""]}}`:                                                 `ancestor ""`,
		`{"kind":"frame","self":"a.example"}`:                                                                           `self "a.example"`,
		`{"kind":"subsumes","required":"","self":""}`:                                                                   `self ""`,
		`{"kind":"report","document":{"url":"page"},"trigger":{"kind":"eval","check":"wasm"}}`:                          `document.url "page"`,
		`{"kind":"report","document":{},"trigger":{"kind":"eval","check":"wasm"}}`:                                      `document.url ""`,
		`{"kind":"report","trigger":{"kind":"report"}}`:                                                                 `"report"`,
		`{"kind":"request","url":"https://xn--a.example:x/"}`:                                                           `url "https://xn--a`,
		`{"kind":"request","url":"https://m\u00fc<.example/"}`:                                                          `url "https://m`,
		`{"id":{},"kind":"parse","policy":""}`:                                                                          `not a case`,
		`{"id":"1","kind":"request","url":"https://a.example","policy":"img-src a","redirects":"many"}`:                 `not a case`,
		`{"id":"1","kind":"request","url":"https://a.example","policy":"img-src a","destination":"","response_url":""}`: `response_url ""`,
	} {
		if _, got, err := cspcase.Run(csp.Spec, []byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want an error with %s", line, got, err, want)
		}
	}
}

func TestIDsAreEchoed(t *testing.T) {
	for line, want := range map[string]string{
		`{"id":"a","kind":"parse","policy":""}`:         "a",
		`{"id":17,"kind":"parse","policy":""}`:          "17",
		`{"id":-1.50,"kind":"nonsense"}`:                "-1.50",
		`{"id":18,"kind":"parse","policy":{}}`:          "18",
		`{"id":null,"kind":"parse","policy":""}`:        "",
		`{"id":"b","kind":"request","policies":"none"}`: "b",
		`no case`: "",
	} {
		if id, _, _ := cspcase.Run(csp.Spec, []byte(line)); id != want {
			t.Errorf("%s: the id is %q, want %q", line, id, want)
		}
	}
}

// There is no such mode, and the engine cannot bear it.
func TestPanicsAreErrors(t *testing.T) {
	id, got, err := cspcase.Run(csp.Mode(99), []byte(`{"id":"1","kind":"source-match","source_list":"*","url":"https://a.example"}`))
	if id != "1" || got != nil || !errors.Is(err, cspcase.ErrPanic) {
		t.Errorf("Run = %q, %v, %v; want the id and ErrPanic", id, got, err)
	}
}

// No input ends the run: what is no case is an error.
func FuzzRun(f *testing.F) {
	f.Add(`{"id":1,"kind":"report","self":"http://a.example/p","trigger":{"kind":"frame","ancestors":["null"]},"policy":"frame-ancestors a:1/x"}`)
	f.Add(`{"kind":"parse","expression":"İİİİİ"}`)
	f.Add(`{"kind":"request","url":"https://u@münchen.example:1/"}`)
	f.Fuzz(func(t *testing.T, line string) {
		for m := csp.Spec; m <= csp.Laxest; m++ {
			_, got, err := cspcase.Run(m, []byte(line))
			if errors.Is(err, cspcase.ErrPanic) {
				t.Errorf("%s: %v", line, err)
			}
			if (got == nil) != (err != nil) {
				t.Errorf("%s: %v, %v; want an answer or an error", line, got, err)
			}
		}
	})
}
