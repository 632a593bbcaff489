package starter_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/starter"
)

// read parses a starter as the gateway does, and looks at its form.
func read(t *testing.T, r *starter.Result, err error) *policyfile.File {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	file, err := policyfile.Parse("merlon.yaml", r.Text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, r.Text)
	}
	lines := strings.Split(string(r.Text), "\n")
	for i, line := range lines {
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("line %d holds more than printable ASCII: %q", i+1, line)
		}
	}
	for _, d := range r.Decisions {
		if line := strings.TrimSpace(lines[d.Line-1]); !strings.HasPrefix(line, "# CHECK: ") {
			t.Errorf("the decision %q is said to stand on line %d, which is %q", d.Text, d.Line, line)
		}
	}
	return file
}

// said is a starter's comments as one line.
func said(r *starter.Result) string {
	return strings.Join(strings.Fields(regexp.MustCompile(`(?m)^\s*# ?`).ReplaceAllString(string(r.Text), " ")), " ")
}

func wantSaid(t *testing.T, r *starter.Result, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(said(r), text) {
			t.Errorf("the file does not say %q:\n%s", text, r.Text)
		}
	}
}

// sent is a header of a page over HTTPS.
func sent(guard *merlon.Guard, path, name string) string {
	rec := httptest.NewRecorder()
	h := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/html") }))
	h.ServeHTTP(rec, httptest.NewRequest("GET", "https://shop.example"+path, nil))
	v := strings.Join(rec.Header().Values(name), " | ")
	v = regexp.MustCompile(`'nonce-[^']*'`).ReplaceAllString(v, "'nonce'")
	return regexp.MustCompile(`; report-uri \S+`).ReplaceAllString(v, "")
}

func TestFresh(t *testing.T) {
	r, err := starter.Fresh(starter.Options{})
	site := read(t, r, err).Sites[0]
	want := merlon.Compat()
	want.Reports = policyfile.ReportPath
	guard, err := merlon.New(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Content-Security-Policy", "Content-Security-Policy-Report-Only", "X-Frame-Options", "Strict-Transport-Security"} {
		if got, want := sent(site.Guard, "/", name), sent(guard, "/", name); got != want {
			t.Errorf("%s: %s, want what compat sends: %s", name, got, want)
		}
	}
	if site.Upstream.String() != starter.DefaultUpstream || !site.Nonce.Forward || len(r.Decisions) != 1 {
		t.Errorf("upstream %s, nonce %+v, decisions %v", site.Upstream, site.Nonce, r.Decisions)
	}
	for i, line := range strings.Split(string(r.Text), "\n") {
		if len(line) > 80 {
			t.Errorf("line %d has %d characters: %s", i+1, len(line), line)
		}
	}
	if r, err = starter.Fresh(starter.Options{Upstream: "http://10.0.0.7:9000"}); len(r.Decisions) != 0 || read(t, r, err).Sites[0].Upstream.String() != "http://10.0.0.7:9000" {
		t.Errorf("with an upstream: %v\n%s", r.Decisions, r.Text)
	}
}

// What the examples in comments show can be taken as it stands.
func TestExamplesAreRight(t *testing.T) {
	r, err := starter.Fresh(starter.Options{})
	read(t, r, err)
	text := regexp.MustCompile(`(?m)^#   `).ReplaceAllString(string(r.Text), "")
	file, err := policyfile.Parse("merlon.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if site := file.Sites[0]; len(site.Hosts) != 2 || len(site.Guard.Routes()) != 2 {
		t.Errorf("hosts %v, routes %v", site.Hosts, site.Guard.Routes())
	}
}

func FuzzScalar(f *testing.F) {
	for _, s := range []string{"", "off", "yes", "null", "0", "365d", "a: b", "a #b", "'self'", `"`, `\`, `\n`, "* &x !y", "@", "%", "- a", "[a]", "{a: b}", "---", "~", "default-src 'self'; img-src data:", "1:20", ".nan", "0x10", "=", "<<", "/x/", "http://a:1",
		strings.Repeat("a # b; - c: 'd' ", 20) + "e", strings.Repeat("--- ", 40) + "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			return
		}
		for _, text := range []string{"k: " + starter.Scalar(s) + "\n", "k: [" + starter.Scalar(s) + ", b]\n", starter.Print("k", s)} {
			var got struct{ K any }
			if err := yaml.Unmarshal([]byte(text), &got); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if list, ok := got.K.([]any); ok {
				got.K = list[0]
			}
			if diff := cmp.Diff(any(s), got.K); diff != "" {
				t.Errorf("%q: %s", text, diff)
			}
		}
	})
}
