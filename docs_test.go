package merlon_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
)

// guides are the pages whose examples are held here.
var guides = []string{"docs/configuration.md", "docs/from-django.md", "docs/from-flask.md", "docs/from-fastapi.md"}

// fixture is a file of testdata/docs: a setting that people know from elsewhere, the Config that replaces it, and what goes out.
type fixture struct {
	There  []string        `json:"there"` // for readers
	Config json.RawMessage `json:"config"`
	Cases  []fixtureCase   `json:"cases"`
}

// fixtureCase is one request and all headers of its response, but for Content-Type and those of the connection.
type fixtureCase struct {
	Request string            `json:"request"`
	With    map[string]string `json:"with"`    // headers of the request
	App     map[string]string `json:"app"`     // headers that the application sets
	Answers int               `json:"answers"` // with this status, if not 200
	Status  int               `json:"status"`  // of what goes out, where that differs
	Sends   map[string]string `json:"sends"`
	Behind  map[string]string `json:"behind"` // the same behind the gateway, where that differs
}

func (c fixtureCase) app() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for name, value := range c.App {
			w.Header().Set(name, value)
		}
		w.WriteHeader(max(c.Answers, http.StatusOK))
	})
}

func (c fixtureCase) status() int { return max(c.Answers, c.Status, http.StatusOK) }

func (c fixtureCase) behind() map[string]string {
	if c.Behind == nil {
		return c.Sends
	}
	return c.Behind
}

func readFixtures(t *testing.T) map[string]fixture {
	t.Helper()
	files, err := filepath.Glob("testdata/docs/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata/docs: %d files, %v", len(files), err)
	}
	out := map[string]fixture{}
	for _, file := range files {
		var f fixture
		d := json.NewDecoder(bytes.NewReader(readFile(t, file)))
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil || len(f.There) == 0 || len(f.Cases) == 0 {
			t.Fatalf("%s: %v, %d settings, %d cases", file, err, len(f.There), len(f.Cases))
		}
		out[strings.TrimSuffix(filepath.Base(file), ".json")] = f
	}
	return out
}

// Each setting as JSON, around a handler and in front of another server, and as the Go program that a guide shows.
func TestDocumentedSettings(t *testing.T) {
	fixtures, programs := readFixtures(t), documentedPrograms()
	for name := range programs {
		if _, ok := fixtures[name]; !ok {
			t.Errorf("the Go program %s has no fixture", name)
		}
	}
	for name, f := range fixtures {
		config, err := merlon.ParseConfig(f.Config)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		guard := newGuard(t, config)
		for _, c := range f.Cases {
			checkSent(t, name+" in Go", c, guard.Handler(c.app()), c.Sends)
			checkSent(t, name+" behind the gateway", c, guard.Proxy(inFrontOf(t, c.app())), c.behind())
			if program := programs[name]; program != nil {
				h, err := program(c.app())
				if err != nil {
					t.Fatalf("the Go program %s: %v", name, err)
				}
				checkSent(t, "the Go program "+name, c, h, c.Sends)
			}
		}
	}
}

// inFrontOf passes requests on to a server with this handler.
func inFrontOf(t *testing.T, app http.Handler) http.Handler {
	t.Helper()
	srv := httptest.NewServer(app)
	t.Cleanup(srv.Close)
	upstream, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream) }}
}

// checkSent makes the request over a real connection, with TLS for https.
func checkSent(t *testing.T, what string, c fixtureCase, h http.Handler, want map[string]string) {
	t.Helper()
	method, target, _ := strings.Cut(c.Request, " ")
	srv := httptest.NewUnstartedServer(h)
	if strings.HasPrefix(target, "https:") {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), method, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range c.With {
		req.Header.Set(name, value)
	}
	res, err := (&http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", srv.Listener.Addr().String())
		},
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // the certificate is not for these names
		DisableKeepAlives: true,
	}).RoundTrip(req)
	if err != nil {
		t.Fatalf("%s: %s: %v", what, c.Request, err)
	}
	res.Body.Close()
	compareSent(t, what+": "+c.Request, res.StatusCode, res.Header, c.status(), want)
}

func compareSent(t *testing.T, what string, status int, header http.Header, wantStatus int, want map[string]string) {
	t.Helper()
	if status != wantStatus {
		t.Errorf("%s: status %d, want %d", what, status, wantStatus)
	}
	got := map[string]string{}
	for name, values := range header {
		got[name] = stripNonces(strings.Join(values, " | "))
	}
	for _, name := range []string{"Content-Type", "Content-Length", "Date", "Connection"} {
		delete(got, name)
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

// documentedPrograms are what the guides show as Go, by the fixture that says what they send. Each protects app.
func documentedPrograms() map[string]func(app http.Handler) (http.Handler, error) {
	return map[string]func(http.Handler) (http.Handler, error){
		"clickjacking-routes": func(app http.Handler) (http.Handler, error) {
			guard, err := merlon.New(merlon.Config{Preset: "off", Frame: merlon.Frame{"deny"}, Reports: "/.merlon/r"})
			if err != nil {
				return nil, err
			}
			mux := http.NewServeMux()
			mux.Handle("/", app)
			mux.Handle("/widget/", guard.With("contract 114", merlon.FrameBy("https://partner.com")).Handler(app))
			mux.Handle("GET /player/{id}", guard.With("our blog shows the player", merlon.FrameBy("self", "https://blog.example")).Handler(app))
			return guard.Handler(mux), nil
		},
		"django-xframe": func(app http.Handler) (http.Handler, error) {
			guard, err := merlon.New(merlon.Config{Preset: "off", Frame: merlon.Frame{"deny"}, Reports: "/.merlon/r"})
			if err != nil {
				return nil, err
			}
			mux := http.NewServeMux()
			mux.Handle("/", app)
			mux.Handle("/widget", guard.With("our own pages embed it", merlon.FrameSelf()).Handler(app))
			mux.Handle("/badge", guard.With("everybody may show the badge", merlon.FrameExempt()).Handler(app))
			return guard.Handler(mux), nil
		},
		"django-secure": func(app http.Handler) (http.Handler, error) {
			guard, err := merlon.New(merlon.Config{
				Preset:             "off",
				Hosts:              []string{"shop.example"},
				Reports:            "/.merlon/r",
				Frame:              merlon.Frame{"deny"},
				ContentTypeOptions: "nosniff",
				XSSProtection:      "0",
				HTTPS: merlon.HTTPS{
					HSTS: "365d", IncludeSubDomains: true,
					Redirect: true, Exempt: []string{"regexp:^insecure/"},
					Proxies: merlon.Proxies{CIDR: []string{"127.0.0.1/32"}, Header: "X-Forwarded-Protocol", Value: "https"},
				},
			})
			if err != nil {
				return nil, err
			}
			mux := http.NewServeMux()
			mux.Handle("/", app)
			mux.Handle("/badge", guard.With("everybody may show the badge", merlon.FrameExempt()).Handler(app))
			return guard.Handler(mux), nil
		},
		"django-csp-decorators": func(app http.Handler) (http.Handler, error) {
			guard, err := merlon.New(merlon.Config{
				Preset: "off", Frame: merlon.Frame{"deny"}, Reports: "/.merlon/r",
				CSP:   "default-src 'self'",
				Trial: "default-src 'none'",
			})
			if err != nil {
				return nil, err
			}
			mux := http.NewServeMux()
			mux.Handle("/", app)
			mux.Handle("/map", guard.With("map tiles", merlon.Allow("img-src https://tiles.example")).Handler(app))
			mux.Handle("/other-map", guard.With("map tiles", merlon.Set("img-src https://tiles.example")).Handler(app))
			mux.Handle("/data", guard.With("", merlon.Replace("default-src 'none'").OnEnforced(), merlon.Exempt().OnTrial()).Handler(app))
			mux.Handle("/legacy/", guard.With("inline handlers until the rewrite", merlon.Exempt()).Handler(app))
			mux.Handle("/untried", guard.With("", merlon.Exempt().OnTrial()).Handler(app))
			return guard.Handler(mux), nil
		},
		"talisman-csp": func(app http.Handler) (http.Handler, error) {
			guard, err := merlon.New(merlon.Config{
				Preset:             "off",
				Hosts:              []string{"shop.example"},
				Reports:            "/.merlon/r",
				CSP:                "default-src 'self'; script-src 'self' https://cdn.example.com; style-src 'self' 'unsafe-inline'",
				Frame:              merlon.Frame{"self"},
				ContentTypeOptions: "nosniff",
				ReferrerPolicy:     "strict-origin-when-cross-origin",
				PermissionsPolicy:  "browsing-topics=()",
				HTTPS:              merlon.HTTPS{Redirect: true, Temporary: true, HSTS: "31556926s", IncludeSubDomains: true},
				Cookies:            merlon.Cookies{Secure: true, HTTPOnly: true, SameSite: "Lax", Only: []string{"session"}},
			})
			if err != nil {
				return nil, err
			}
			return guard.Handler(app), nil
		},
		"talisman-decorator": func(app http.Handler) (http.Handler, error) {
			guard, err := merlon.New(merlon.Config{
				Preset: "off", Frame: merlon.Frame{"self"}, Reports: "/.merlon/r",
				CSP: "default-src 'self'; script-src 'self' 'nonce'; object-src 'none'",
			})
			if err != nil {
				return nil, err
			}
			mux := http.NewServeMux()
			mux.Handle("/embed", guard.With("everybody may embed it", merlon.FrameExempt()).Handler(app))
			mux.Handle("/map", guard.With("map tiles", merlon.Allow("img-src https://tiles.example")).Handler(app))
			return guard.Handler(mux), nil
		},
		"fastapi-secure": func(app http.Handler) (http.Handler, error) {
			guard, err := merlon.New(merlon.Config{
				Preset:             "off",
				Reports:            "/.merlon/r",
				CSP:                "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'",
				Frame:              merlon.Frame{"self"},
				CacheControl:       "no-store",
				OpenerPolicy:       "same-origin",
				PermissionsPolicy:  "geolocation=(), microphone=(), camera=()",
				ReferrerPolicy:     "strict-origin-when-cross-origin",
				ContentTypeOptions: "nosniff",
				Headers:            map[string]string{"Server": merlon.Remove},
				HTTPS:              merlon.HTTPS{HSTS: "365d"},
			})
			if err != nil {
				return nil, err
			}
			docs := merlon.Allow("script-src https://cdn.jsdelivr.net 'unsafe-inline'; style-src https://cdn.jsdelivr.net; img-src https://fastapi.tiangolo.com data:")
			mux := http.NewServeMux()
			mux.Handle("/", app)
			mux.Handle("/api/", guard.With("", merlon.Use("api")).Handler(app))
			mux.Handle("GET /docs", guard.With("Swagger UI comes from a CDN", docs).Handler(app))
			return guard.Handler(mux), nil
		},
		"roll-out-2": func(app http.Handler) (http.Handler, error) {
			config := merlon.Strict()
			config.Reports = "/.merlon/r"
			config.CSP = "default-src 'self'; script-src 'nonce' 'strict-dynamic' 'report-sample'; style-src 'self' 'unsafe-inline'; " +
				"img-src 'self' data: https://images.example; object-src 'none'; base-uri 'none'; form-action 'self'; upgrade-insecure-requests"
			guard, err := merlon.New(config)
			if err != nil {
				return nil, err
			}
			mux := http.NewServeMux()
			mux.Handle("/", app)
			mux.Handle("GET /map", guard.With("map tiles", merlon.Allow("img-src https://tiles.example; connect-src https://tiles.example")).Handler(app))
			return guard.Handler(mux), nil
		},
	}
}

// documentedPage prints the nonce as the guides show it.
var documentedPage = template.Must(template.New("").Funcs(merlon.TemplateFuncs(context.Background())).Parse(`<script nonce="{{nonce}}">start()</script>`))

func showDocumentedPage(w http.ResponseWriter, r *http.Request) {
	page := template.Must(documentedPage.Clone()).Funcs(merlon.TemplateFuncs(r.Context()))
	if err := page.Execute(w, nil); err != nil {
		http.Error(w, "the page is broken", http.StatusInternalServerError)
	}
}

func TestDocumentedPage(t *testing.T) {
	res, body := get(t, newGuard(t, merlon.Config{CSP: "script-src 'nonce'"}).Handler(http.HandlerFunc(showDocumentedPage)), "GET", "/")
	_, nonce, _ := strings.Cut(body, `nonce="`)
	nonce, _, _ = strings.Cut(nonce, `"`)
	if want := "script-src 'nonce-" + nonce + "'; frame-ancestors 'none'"; nonce == "" || res.Header.Get("Content-Security-Policy") != want {
		t.Errorf("the page is %s, the policy %s", body, res.Header.Get("Content-Security-Policy"))
	}
}

// block is an example in a guide.
type block struct {
	place, language, text string
	fixture               string // that says what it sends; from the comment above it
}

var fixtureComment = regexp.MustCompile(`^<!-- testdata/docs/([a-z0-9-]+)\.json -->$`)

func readBlocks(t *testing.T) []block {
	t.Helper()
	var out []block
	for _, page := range guides {
		var open *block
		fixture := ""
		for i, line := range strings.Split(string(readFile(t, page)), "\n") {
			language, fence := strings.CutPrefix(line, "```")
			comment := fixtureComment.FindStringSubmatch(line)
			switch {
			case fence && open == nil:
				open = &block{place: fmt.Sprintf("%s:%d", page, i+1), language: language, fixture: fixture}
			case fence:
				out = append(out, *open)
				open = nil
			case open != nil:
				open.text += line + "\n"
			case comment != nil:
				fixture = comment[1]
				continue
			}
			fixture = ""
		}
	}
	if len(out) < 20 {
		t.Fatalf("the guides have %d examples", len(out))
	}
	return out
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Every example is held: JSON is a Config, YAML a policy file, Go stands in this file or compiles, headers go out so.
func TestDocumentedExamples(t *testing.T) {
	fixtures, tool, own := readFixtures(t), buildTool(t), flat(string(readFile(t, "docs_test.go")))
	for _, b := range readBlocks(t) {
		f, named := fixtures[b.fixture]
		if b.fixture != "" && !named {
			t.Errorf("%s: no fixture %s", b.place, b.fixture)
		}
		switch b.language {
		case "json":
			if _, err := merlon.ParseConfig([]byte(b.text)); err != nil {
				t.Errorf("%s: %v", b.place, err)
			}
		case "yaml":
			checkPolicyFile(t, tool, b, f.Cases)
		case "go":
			if strings.HasPrefix(b.text, "package main") {
				compile(t, b.place, b.text)
			} else if !strings.Contains(own, flat(b.text)) {
				t.Errorf("%s: this Go is nowhere in docs_test.go", b.place)
			}
		case "http":
			checkMessage(t, b)
		case "sh", "html", "python", "text":
		default:
			t.Errorf("%s: nobody checks %s", b.place, b.language)
		}
	}
}

// flat lets indentation differ.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

func buildTool(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "merlon.exe")
	goOutput(t, "build", "-o", name, "./cmd/merlon")
	return name
}

func compile(t *testing.T, place, program string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(name, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Log("compiling", place)
	goOutput(t, "vet", name)
}

// explain asks the tool what a policy file makes of a case.
func explain(t *testing.T, tool, policy string, c fixtureCase) (status int, header http.Header, err error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "merlon.yaml")
	if err := os.WriteFile(name, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	method, target, _ := strings.Cut(c.Request, " ")
	args := []string{"explain", method, target, "--config", name, "--format", "json", "--peer", "127.0.0.1:1", "--status", fmt.Sprint(max(c.Answers, http.StatusOK))}
	for name, value := range c.With {
		args = append(args, "--request", name+": "+value)
	}
	for name, value := range c.App {
		args = append(args, "--response", name+": "+value)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return 0, nil, fmt.Errorf("%w\n%s", err, &stderr)
	}
	var answer struct {
		Status int
		Header http.Header
	}
	err = json.Unmarshal(stdout.Bytes(), &answer)
	return answer.Status, answer.Header, err
}

func checkPolicyFile(t *testing.T, tool string, b block, cases []fixtureCase) {
	t.Helper()
	if cases == nil {
		cases = []fixtureCase{{Request: "GET https://shop.example/"}}
	}
	for _, c := range cases {
		status, header, err := explain(t, tool, b.text, c)
		if err != nil {
			t.Fatalf("%s: %v", b.place, err)
		}
		if c.Sends != nil {
			compareSent(t, b.place+": "+c.Request, status, header, c.status(), c.behind())
		}
	}
}

// checkMessage holds a block that begins with a request and a Config, and then has all headers of the response.
func checkMessage(t *testing.T, b block) {
	t.Helper()
	first, rest, _ := strings.Cut(b.text, "\n")
	parts := strings.SplitN(first, " ", 3)
	config, err := merlon.ParseConfig([]byte(parts[2]))
	if err != nil {
		t.Fatalf("%s: %v", b.place, err)
	}
	want := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(rest)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		want[http.CanonicalHeaderKey(name)] = value
	}
	c := fixtureCase{Request: parts[0] + " " + parts[1]}
	checkSent(t, b.place, c, newGuard(t, config).Handler(c.app()), want)
}

// row is a line of a table, its cells by the titles of their columns.
type row struct {
	place string
	cells map[string]string
	first string
}

// readRows returns the rows of the tables that have a column of this title.
func readRows(t *testing.T, pages []string, title string) []row {
	t.Helper()
	var out []row
	for _, page := range pages {
		var titles []string
		for i, line := range strings.Split(string(readFile(t, page)), "\n") {
			if !strings.HasPrefix(line, "| ") {
				titles = nil
				continue
			}
			cells := strings.Split(strings.Trim(line, "| "), " | ")
			switch {
			case titles == nil:
				titles = cells
			case strings.HasPrefix(cells[0], "---"):
			case slices.Contains(titles, title):
				r := row{place: fmt.Sprintf("%s:%d", page, i+1), cells: map[string]string{}, first: cells[0]}
				if len(cells) != len(titles) {
					t.Fatalf("%s: %d cells, %d titles", r.place, len(cells), len(titles))
				}
				for j, cell := range cells {
					r.cells[titles[j]] = cell
				}
				out = append(out, r)
			}
		}
	}
	if len(out) < 5 {
		t.Fatalf("%d rows have a column %q", len(out), title)
	}
	return out
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

func codeIn(cell string) []string {
	var out []string
	for _, m := range codeSpan.FindAllStringSubmatch(cell, -1) {
		out = append(out, m[1])
	}
	return out
}

// The cells of the guides' tables: what is said for merlon.yaml is read by the tool, what is said for Go compiles and runs.
func TestDocumentedTables(t *testing.T) {
	tool := buildTool(t)
	var program strings.Builder
	program.WriteString(cellProgram)
	for _, r := range readRows(t, guides, "in merlon.yaml") {
		for _, code := range codeIn(r.cells["in merlon.yaml"]) {
			policy := "version: 1\nupstream: http://127.0.0.1:8000\n"
			if !strings.HasPrefix(code, "hosts:") {
				policy += "hosts: [shop.example]\n"
			}
			if strings.HasPrefix(code, "{") {
				code = "routes: [" + code + "]"
			}
			if _, _, err := explain(t, tool, policy+code+"\n", fixtureCase{Request: "GET https://shop.example/"}); err != nil {
				t.Errorf("%s: %s: %v", r.place, code, err)
			}
		}
		for _, code := range codeIn(r.cells["in Go"]) {
			if configField.MatchString(code) {
				code = "try(merlon.Config{" + code + "})"
			}
			fmt.Fprintf(&program, "//line %s:1\n\tuse(%s)\n", r.place, code)
		}
	}
	program.WriteString("}\n")
	name := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(name, []byte(program.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	goOutput(t, "run", name)
}

var configField = regexp.MustCompile(`^[A-Z]\w*: `)

// cellProgram is what the cells for Go stand in.
const cellProgram = `package main

import (
	"context"
	"net/http"
	"net/http/httptest"

	"github.com/merlon-sec/merlon"
)

func use(...any) {}

func try(c merlon.Config) *merlon.Guard {
	if c.Hosts == nil {
		c.Hosts = []string{"shop.example"}
	}
	guard, err := merlon.New(c)
	if err != nil {
		panic(err)
	}
	return guard
}

func main() {
	guard, ctx, h := new(merlon.Guard), context.Background(), http.NotFoundHandler()
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	use(guard, ctx, h, w, r)
`

// The first column of configuration.md's tables names every key that there is, and none that there is not.
func TestDocumentedKeys(t *testing.T) {
	var want, got []string
	for prefix, s := range map[string]any{"": merlon.Config{}, "https.": merlon.HTTPS{}, "https.proxies.": merlon.Proxies{}, "cookies.": merlon.Cookies{}, "routes[].": merlon.RouteConfig{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(s)) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				want = append(want, prefix+name)
			}
		}
	}
	for _, r := range readRows(t, guides[:1], "key") {
		got = append(got, codeIn(r.cells["key"])...)
	}
	slices.Sort(want)
	slices.Sort(got)
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("docs/configuration.md lacks the key %s", name)
		}
	}
	if t.Failed() || slices.Equal(got, want) {
		return
	}
	t.Errorf("docs/configuration.md has the keys\n %q, want\n %q", got, want)
}

// What configuration.md says that the presets set is all that they set.
func TestDocumentedPresets(t *testing.T) {
	for name, preset := range map[string]merlon.Config{"strict": merlon.Strict(), "compat": merlon.Compat(), "api": merlon.API()} {
		data, err := json.Marshal(preset)
		if err != nil {
			t.Fatal(err)
		}
		var values map[string]any
		if err := json.Unmarshal(data, &values); err != nil {
			t.Fatal(err)
		}
		values["https.hsts"] = values["https"].(map[string]any)["hsts"]
		delete(values, "https")
		delete(values, "preset")
		for _, r := range readRows(t, guides[:1], name) {
			key, said := codeIn(r.first)[0], append(codeIn(r.cells[name]), "")[0]
			if got, _ := values[key].(string); got != said {
				t.Errorf("%s: %s sets %s to %q, the table says %q", r.place, name, key, got, said)
			}
			delete(values, key)
		}
		if len(values) > 0 {
			t.Errorf("docs/configuration.md lacks what %s sets: %v", name, values)
		}
	}
}

// Each row is a Config and a part of the message that refuses it.
func TestDocumentedMistakes(t *testing.T) {
	for _, r := range readRows(t, guides, "mistake") {
		config, message := codeIn(r.cells["mistake"])[0], codeIn(r.cells["what is said"])[0]
		if _, err := merlon.ParseConfig([]byte(config)); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %s gives %v, want %s", r.place, config, err, message)
		}
	}
}
