package policyfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

const slack = "https://hooks.slack.com/services/T000/B000/secretsecret1"

// secretFile writes a file with one secret in it.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestAlerts(t *testing.T) {
	hook, password := secretFile(t, slack+"\n"), secretFile(t, "pass word\n")
	text := `version: 1
upstream: http://127.0.0.1:8000
alerts:
  webhook_file: ` + hook + `
  email: {to: [ops@shop.example], from: Merlon <merlon@shop.example>, smtp: "mail.shop.example:587", username: merlon, password_file: ` + password + `}
  critical: [/checkout/, /login]
  per-hour: 5
  silence: 90m
  jump: 2.5
  jump-reports: 20
`
	file, err := policyfile.Parse("m", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := &policyfile.Alerts{Webhook: slack, Critical: []string{"/checkout/", "/login"}, PerHour: 5, Silence: 90 * time.Minute, Jump: 2.5, JumpFrom: 20,
		Email: &policyfile.Email{To: []string{"ops@shop.example"}, From: "Merlon <merlon@shop.example>", Server: "mail.shop.example:587", Username: "merlon", Password: "pass word", TLS: "starttls"}}
	if diff := cmp.Diff(want, file.Alerts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{hook, password}, file.Files); diff != "" {
		t.Errorf("the files that a change of is noticed: %s", diff)
	}
}

func TestAlertMistakes(t *testing.T) {
	hook, empty := secretFile(t, slack), secretFile(t, "\n")
	for _, tc := range []struct{ alerts, want string }{
		{"{critical: [/]}", "m:3:1: alerts: nobody to tell"},
		{"{}", "alerts: it takes the keys webhook, "},
		{"{webhook: " + slack + "}", "alerts.webhook: whoever knows this URL can post, so it is a secret (write the URL into a file"},
		{`{webhook: "https://chat.shop.example/hooks/aaaaaaaaaaaaaaaaaaaaaaaaaa"}`, "so it is a secret"},
		{`{webhook: "https://u:secretsecret1@shop.example/"}`, "so it is a secret"},
		{`{webhook: "https://shop.example/?t=secretsecret1"}`, "so it is a secret"},
		{`{webhook: "http://shop.example/hook"}`, "a webhook is an https URL"},
		{`{webhook: "https://shop.example/hook", webhook_file: ` + hook + `}`, "alerts.webhook: webhook_file stands beside it"},
		{"{webhook_file: nowhere}", "no such file"},
		{"{webhook_file: " + empty + "}", "no URL with a host"},
		{"{webhook_file: " + hook + ", critical: [checkout]}", `alerts.critical[0]: "checkout": a pattern of paths begins with /`},
		{"{webhook_file: " + hook + `, critical: ["/{"]}`, "no pattern of Go's ServeMux"},
		{"{webhook_file: " + hook + ", critical: /checkout/}", "alerts.critical: \"/checkout/\": this key takes a list"},
		{"{webhook_file: " + hook + ", per-hour: 0}", "no whole number from 1 to 1000"},
		{"{webhook_file: " + hook + ", per-hour: 1.5}", "no whole number from 1 to 1000"},
		{"{webhook_file: " + hook + ", jump: much}", "no number from 1 to 1000"},
		{"{webhook_file: " + hook + ", silence: 5m}", "no time from 1h to 48h"},
		{"{webhook_file: " + hook + ", allow_private: x}", "alerts.allow_private: \"x\": this key takes true or false"},
		{"{email: ops@shop.example}", "alerts.email: \"ops@shop.example\": it takes the keys to, from"},
		{"{email: {to: [ops], from: m@shop.example, smtp: \"m:25\"}}", `alerts.email.to[0]: "ops": no mail address`},
		{"{email: {to: [o@shop.example], from: m@shop.example, smtp: m}}", "a mail server is host and port"},
		{"{email: {to: [o@shop.example], from: m@shop.example, smtp: \"m:25\", tls: off}}", "on this machine alone"},
		{"{email: {to: [o@shop.example], from: m@shop.example, smtp: \"m:25\", username: x}}", "a log-in takes username and password_file"},
		{"{email: {to: [o@shop.example], from: m@shop.example}}", "mail takes at least to, from and smtp"},
		{"{email: {to: [o@shop.example], from: m@shop.example, smtp: \"m:25\", username: x, password_file: " + empty + "}}", "the file is empty"},
	} {
		_, err := policyfile.Parse("m", []byte("version: 1\nupstream: http://127.0.0.1:8000\nalerts: "+tc.alerts+"\n"))
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secretsecret1") {
			t.Errorf("alerts: %s\n got %v\nwant %s, and no secret", tc.alerts, err, tc.want)
		}
	}
}

// The file in the guide is right, and its table has every key.
func TestAlertsGuide(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	text = strings.ReplaceAll(text, "/etc/merlon/webhook ", secretFile(t, slack)+" ")
	text = strings.ReplaceAll(text, "/etc/merlon/mail-password", secretFile(t, "pass word"))
	if _, err := policyfile.Parse("m", []byte("version: 1\nupstream: http://127.0.0.1:8000\n"+text)); err != nil {
		t.Error(err)
	}
	_, table, _ := strings.Cut(string(page), "| --- |")
	table, _, _ = strings.Cut(table, "\n## ")
	for key := range at(policyfile.Schema(), "alerts") {
		if !strings.Contains(table, "`"+key+"`") {
			t.Errorf("docs/alerts.md lacks the key %s", key)
		}
	}
	for key := range at(policyfile.Schema(), "alerts", "email") {
		if !strings.Contains(table, "`"+key+"`") {
			t.Errorf("docs/alerts.md lacks the key email.%s", key)
		}
	}
}
