package cli_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/wait"
)

// chat is a webhook with a CA of its own.
type chat struct {
	*httptest.Server
	ca     string // file
	texts  chan string
	status int
}

func startChat(t *testing.T, status int) *chat {
	t.Helper()
	c := &chat{texts: make(chan string, 100), status: status, ca: filepath.Join(t.TempDir(), "ca.pem")}
	c.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		c.texts <- body.Text
		w.WriteHeader(c.status)
	}))
	t.Cleanup(c.Close)
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate().Raw})
	if err := os.WriteFile(c.ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// policy writes a policy file whose alerts go to the chat.
func (c *chat) policy(t *testing.T, name, upstream, data string) string {
	t.Helper()
	if name == "" {
		name = filepath.Join(t.TempDir(), "merlon.yaml")
	}
	text := fmt.Sprintf("version: 1\nlisten: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndata: %s\nhosts: [shop.example]\nupstream: %s\npreset: compat\n"+
		"alerts: {webhook: %q, ca_file: %s, allow_private: true}\n", data, upstream, c.URL, c.ca)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestAlertsTest(t *testing.T) {
	good, bad := startChat(t, 200), startChat(t, 500)
	if code, stdout, stderr := run(t, "alerts", "test", "--config", good.policy(t, "", "http://127.0.0.1:1", "data")); code != 0 || stdout != "webhook: sent\n" || stderr != "" {
		t.Errorf("a webhook that works: exit code %d, %q, %q", code, stdout, stderr)
	}
	if text := <-good.texts; !strings.HasPrefix(text, "[merlon] this is a test\n") {
		t.Errorf("the test says %q", text)
	}
	if code, stdout, stderr := run(t, "alerts", "test", "--config", bad.policy(t, "", "http://127.0.0.1:1", "data")); code != 3 || stdout != "" || stderr != "merlon: webhook: not sent: it answers 500\n" {
		t.Errorf("a webhook that fails: exit code %d, %q, %q", code, stdout, stderr)
	}
}

var listening = regexp.MustCompile(`listens on (http://\S+)`)

// From a browser's report to the chat: the gateway looks at its start, and at once when a reload has changed the address.
func TestGatewayAlerts(t *testing.T) {
	noLeaks(t)
	app := httptest.NewServer(http.NotFoundHandler())
	defer app.Close()
	first, second := startChat(t, 500), startChat(t, 200)
	data := t.TempDir()
	config := first.policy(t, "", app.URL, data)
	p := start(t, "Dashboard:", "gateway", "--config", config)
	public := listening.FindStringSubmatch(p.stdout.String())[1]
	body := `{"csp-report":{"document-uri":"http://shop.example/","blocked-uri":"https://evil.example/x.js","effective-directive":"script-src-elem","disposition":"enforce"}}`
	req, err := http.NewRequestWithContext(within(t), "POST", public+"/.merlon/r?d=e", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "shop.example"
	req.Header.Set("Content-Type", "application/csp-report")
	if res, _ := do(t, http.DefaultClient, req); res.StatusCode != 204 {
		t.Fatalf("status %d", res.StatusCode)
	}
	p.end(t)
	start(t, "Dashboard:", "gateway", "--config", config) // and looks at once
	if text := <-first.texts; !strings.Contains(text, "scripts from a new origin: hxxps://evil[.]example by script-src-elem (unconfirmed)") {
		t.Errorf("the chat got %q", text)
	}
	var listed string
	wait.Until(t, "the alert is listed", func() bool {
		_, listed, _ = run(t, "alerts", "list", "--data", data)
		return strings.Contains(listed, "evil[.]example")
	})
	for line := range strings.Lines(listed) {
		if len(strings.TrimSpace(line)) > 80 {
			t.Errorf("a line is longer than 80 columns: %s", line)
		}
	}
	code, stdout, _ := run(t, "alerts", "list", "--data", data, "--format", "json")
	var list struct {
		Schema string
		Alerts []struct {
			Kind, State string
			Waiting     []string
			Sent        *string
		}
	}
	if err := json.Unmarshal([]byte(stdout), &list); err != nil || code != 0 || list.Schema != "merlon/alerts-list" || len(list.Alerts) != 1 {
		t.Fatalf("exit code %d, %v, %s", code, err, stdout)
	}
	if a := list.Alerts[0]; a.Kind != "new-script-origin" || a.State != "unconfirmed" || len(a.Waiting) != 1 || a.Sent != nil {
		t.Errorf("listed: %s, want one that waits", stdout)
	}
	second.policy(t, config, app.URL, data)
	if text := <-second.texts; !strings.Contains(text, "hxxps://evil[.]example") {
		t.Errorf("the chat of the new file got %q", text)
	}
}
