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
		_, got, err := cspcase.Run(csp.Spec, []byte(c.line))
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		var want any
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		if why := differs(want, throughJSON(t, got), ""); why != "" {
			t.Errorf("%s: %s", c.line, why)
		}
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
		`{"kind":"inline","inline_type":"skript","content":"x"}`:               `inline_type "skript"`,
		`{"kind":"inline","content":"x"}`:                                      `inline_type ""`,
		`{"kind":"effective","inline_type":"skript"}`:                          `inline_type "skript"`,
		`{"kind":"report","trigger":{"kind":"inline","inline_type":"skript"}}`: `inline_type "skript"`,
		`{"kind":"parse","policies":[{"value":"a","disposition":"enforced"}]}`: `disposition "enforced"`,
		`{"kind":"parse","policies":[{"value":"a","source":"body"}]}`:          `source "body"`,
		`{"kind":"frame","check":"xfo"}`:                                       `check "xfo"`,
		`{"kind":"report","check":"stripped","url":"https://a.example"}`:       `check "stripped"`,
		`{"kind":"request","check":"base","url":"https://a.example"}`:          `check "base"`,
		`{"kind":"inline","check":"js","inline_type":"script"}`:                `check "js"`,
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
