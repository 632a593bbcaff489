package report_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/report"
)

// hostileBodies are about as large as a batch may be.
func hostileBodies() map[string][]byte {
	const size = report.MaxBatchBytes
	fill := func(head, unit, tail string) []byte {
		n := (size - len(head) - len(tail)) / len(unit)
		return []byte(head + strings.Repeat(unit, n) + tail)
	}
	batch := func(one string) []byte {
		n := min(report.MaxReports, (size-1)/(len(one)+1))
		return []byte("[" + strings.Repeat(one+",", n-1) + one + "]")
	}
	reports := func(kind, unit string, members ...string) []byte {
		n := (size/report.MaxReports - 200) / len(members) / len(unit)
		one := fmt.Sprintf(`{"type":%q,"url":"u","body":{"x":1`, kind)
		for _, member := range members {
			one += fmt.Sprintf(`,%q:"%s"`, member, strings.Repeat(unit, n))
		}
		return batch(one + "}}")
	}
	duplicates := strings.Repeat(`"sample":"`+strings.Repeat("\xff", 150)+`",`, 60)
	return map[string][]byte{
		"brackets":                  fill("", "[", ""),
		"closing brackets":          fill("", "]", ""),
		"quotes":                    fill("", `"`, ""),
		"backslashes":               fill(`["`, `\`, ""),
		"escapes":                   fill(`["`, `\\`, `"]`),
		"colons":                    fill("{", ":", ""),
		"flat array of numbers":     fill(`[{"type":"x","body":{"a":[0`, ",0", "]}}]"),
		"flat array of arrays":      fill(`[{"type":"x","body":{"a":[[]`, ",[]", "]}}]"),
		"flat array of texts":       fill(`[{"type":"x","body":{"a":[""`, `,"a"`, "]}}]"),
		"objects in a body":         fill(`[{"type":"crash","body":{"a":[{}`, `,{"a":{}}`, "]}}]"),
		"broken UTF-8 in a text":    fill(`[{"type":"x","body":{"a":"`, "\xff", `"}}]`),
		"broken UTF-8 in texts":     fill(`[{"type":"x","body":{"a":[""`, ",\"\xff\xff\xff\xff\xff\xff\xff\"", `]}}]`),
		"broken UTF-8 in a type":    fill(`[{"type":"`, "\xff", `"}]`),
		"bidirectional":             fill(`[{"type":"coop","body":{"type":"`, "\u202e", `"}}]`),
		"escaped NUL":               fill(`[{"type":"coop","body":{"type":"`, `\u0000`, `"}}]`),
		"lone surrogates":           fill(`[{"type":"coop","body":{"type":"`, `\ud800`, `"}}]`),
		"a number":                  fill(`[{"type":"network-error","body":{"elapsed_time":1`, "9", `}}]`),
		"numbers without a value":   fill(`[{"type":"x","body":{"a":[0`, ",1e999", `]}}]`),
		"a key":                     fill(`[{"type":"x","body":{"`, "k", `":1}}]`),
		"a key of hyphens":          fill(`[{"type":"x","body":{"`, "-", `":1}}]`),
		"101 reports":               fill("[{}", ",{}", "]"),
		"space":                     fill("[", " ", "]"),
		"100 violations":            reports("csp-violation", "x", "blockedURL"),
		"100 broken violations":     reports("csp-violation", "a\xff", "sample", "blockedURL", "documentURL"),
		"100 broken details":        reports("deprecation", "a\xff", "message", "id", "sourceFile"),
		"100 details of ü":          reports("deprecation", "ü", "message", "id", "sourceFile"),
		"100 details of surrogates": reports("coop", `\ud800`, "type", "effectivePolicy", "referrer"),
		"100 quoted details":        reports("deprecation", `\"`, "message"),
		"100 policies of one word":  reports("csp-violation", "a ", "originalPolicy"),
		"100 URLs":                  reports("csp-violation", "https://@", "blockedURL"),
		"100 URLs with capitals":    reports("csp-violation", "HTTPS://@", "blockedURL", "sourceFile", "referrer"),
		"violations of duplicates":  batch(`{"type":"csp-violation","body":{` + duplicates + `"a":1}}`),
		"violations without a type": batch(`{` + duplicates + `"a":1}`),
		"duplicate bodies":          batch(`{"type":"coop",` + strings.Repeat(`"body":{"type":"x"},`, 500)[:63*20] + `"body":{}}`),
		"old Firefox, many of its own": batch(`{"type":"csp-violation","body":{"documentURL":"http://a/","violatedDirective":"x","originalPolicy":"` +
			strings.Repeat("http://a:80 ", 850) + `"}}`),
		"old Firefox": batch(`{"type":"csp-violation","body":{"documentURL":"http://a/","violatedDirective":"x","originalPolicy":"` +
			strings.Repeat("a ", 5100) + `"}}`),
	}
}

// What a body costs is bounded by a few times its size, whatever it is.
func TestDecodeHostile(t *testing.T) {
	const limit = 8 << 20
	for name, body := range hostileBodies() {
		if len(body) > report.MaxBatchBytes {
			t.Errorf("%s: %d bytes, more than a batch may have", name, len(body))
		}
		var reports []report.Report
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		reports, err := report.Decode(body)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %v, %d KiB allocated, %d reports, %v", name, took, allocated>>10, len(reports), err)
		if allocated >= limit {
			t.Errorf("%s: %d bytes allocated, want less than %d", name, allocated, limit)
		}
		for _, r := range reports {
			checkReport(t, r)
		}
	}
}

// Nothing that comes out breaks a consumer: a Body is JSON that encoding/json can decode into values, which 1e999 is not.
func TestDecodeBodyCanBeDecoded(t *testing.T) {
	got, err := report.Decode([]byte(`[{"type":"x","body":{"a":1e999,"b":-1e999,"c":1e99,"d":` + strings.Repeat("1", 400) + `,"e":[-0.0,1E+2]}}]`))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"a":null,"b":null,"c":1e99,"d":null,"e":[-0.0,1E+2]}`; string(got[0].Body) != want {
		t.Errorf("Body %s, want %s", got[0].Body, want)
	}
	var v any
	if err := json.Unmarshal(got[0].Body, &v); err != nil {
		t.Error(err)
	}
}

func TestDecodeKeepsNothingOfTheBody(t *testing.T) {
	body := []byte(`[{"type":"coop","url":"https://a.example/","user_agent":"UA","body":{"type":"navigate"}},
		{"type":"csp-violation","body":{"documentURL":"https://a.example/","effectiveDirective":"img-src","blockedURL":"data"}}]`)
	got, err := report.Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprintf("%+v %s %+v %+v", got[0], got[0].Body, got[0].Detail, *got[1].Violation)
	clear(body)
	if after := fmt.Sprintf("%+v %s %+v %+v", got[0], got[0].Body, got[0].Detail, *got[1].Violation); after != before {
		t.Errorf("after the body was overwritten: %s\nwant %s", after, before)
	}
}
