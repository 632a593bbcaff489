package dash_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/dash"
)

func TestHosts(t *testing.T) {
	metrics := func(c *dash.Config) { c.Metrics = http.NotFoundHandler() }
	byDefault, named := newRig(t, metrics), newRig(t, metrics, func(c *dash.Config) { c.Hosts = []string{"Admin.Example."} })
	tests := []struct {
		rig          *rig
		host         string
		page, health int
	}{
		{byDefault, "localhost", 200, 200},
		{byDefault, "LOCALHOST:8443", 200, 200},
		{byDefault, "localhost.:8443", 200, 200},
		{byDefault, "127.0.0.1:1", 200, 200},
		{byDefault, "[::1]:8443", 200, 200},
		{byDefault, "[::1]", 200, 200},
		{byDefault, "10.0.0.7:8443", 421, 200},
		{byDefault, "[2001:db8::1]:8443", 421, 200},
		{byDefault, "attacker.example", 421, 421},
		{byDefault, "localhost.attacker.example:8443", 421, 421},
		{byDefault, "127.0.0.1.attacker.example", 421, 421},
		{byDefault, "", 421, 421},
		{named, "admin.example:9000", 200, 200},
		{named, "localhost", 421, 421},
		{named, "127.0.0.1", 421, 200},
	}
	for _, tt := range tests {
		for path, want := range map[string]int{"/login": tt.page, "/static/style.css": 200, "/healthz": tt.health, "/readyz": tt.health, "/metrics": tt.health} {
			req := newRequest("GET", path, nil)
			req.Host = tt.host
			if want == 200 && path == "/metrics" {
				want = 404 // of its handler here
			}
			if got := tt.rig.send(req, nil).StatusCode; got != want {
				t.Errorf("Host %q, GET %s: %d, want %d", tt.host, path, got, want)
			}
		}
	}
}

func TestMisdirectedPageNamesTheHosts(t *testing.T) {
	r := newRig(t)
	req := newRequest("GET", "/", nil)
	req.Host = "attacker.example"
	doc := parse(t, r.send(req, r.logIn()))
	if got := strings.Join(texts(doc, "main code"), " "); got != "localhost 127.0.0.1 [::1]" {
		t.Errorf("the page names %q, want the three hosts", got)
	}
	if len(find(doc, "nav")) != 0 {
		t.Error("under a foreign Host the page tells that somebody is logged in")
	}
}

// The check of the Host comes before anything that a request could change.
func TestForeignHostCannotSpendTheToken(t *testing.T) {
	r := newRig(t)
	req := newRequest("POST", "/login", map[string][]string{"token": {r.token}})
	req.Host = "attacker.example"
	if res := r.send(req, nil); res.StatusCode != http.StatusMisdirectedRequest || len(res.Cookies()) != 0 {
		t.Errorf("log-in under a foreign Host: %d, cookies %v, want 421 and none", res.StatusCode, res.Cookies())
	}
	r.logIn()
}

func TestNewReportsAllMistakes(t *testing.T) {
	_, err := dash.New(dash.Config{CookieName: "a b", Hosts: []string{"http://localhost", "localhost:80", "*.example", ""}})
	if err == nil {
		t.Fatal("New accepted an impossible Config")
	}
	for _, want := range []string{"Store", "Tokens", `"a b"`, `"http://localhost"`, `"localhost:80"`, `"*.example"`, `""`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not name %s:\n%v", want, err)
		}
	}
}
