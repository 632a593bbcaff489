package policyfile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/policyfile"
)

// Every key of the schema is one that the reader knows, and the reader knows no other.
func TestSchemaHasTheKeysOfTheFile(t *testing.T) {
	schema := policyfile.Schema()
	if _, err := json.Marshal(schema); err != nil {
		t.Fatal(err)
	}
	for path, properties := range map[string]any{
		"":               schema["properties"],
		"https":          at(schema, "https"),
		"timeouts":       at(schema, "timeouts"),
		"https.proxies":  at(schema, "https", "proxies"),
		"cookies":        at(schema, "cookies"),
		"tls":            at(schema, "tls"),
		"tls.certs.-":    at(schema, "tls", "certs", "-"),
		"tls.acme":       at(schema, "tls", "acme"),
		"tls.acme.eab":   at(schema, "tls", "acme", "eab"),
		"log":            at(schema, "log"),
		"shutdown":       at(schema, "shutdown"),
		"report-limits":  at(schema, "report-limits"),
		"alerts":         at(schema, "alerts"),
		"alerts.email":   at(schema, "alerts", "email"),
		"retention":      at(schema, "retention"),
		"routes.-":       at(schema, "routes", "-"),
		"noise.-":        at(schema, "noise", "-"),
		"sites.-":        at(schema, "sites", "-"),
		"sites.-.routes": at(schema, "sites", "-", "routes", "-"),
	} {
		for key := range properties.(map[string]any) {
			if unknown(t, path, key) {
				t.Errorf("the schema has %s.%s, which the reader does not know", path, key)
			}
		}
		if path == "" || strings.HasPrefix(path, "sites") {
			continue
		}
		if !unknown(t, path, "nonsense") {
			t.Errorf("the reader takes nonsense below %s: this test cannot fail", path)
		}
	}
}

// at returns the properties of the schema below keys; "-" goes into a list.
func at(schema map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		if key == "-" {
			schema = schema["items"].(map[string]any)
		} else {
			schema = schema["properties"].(map[string]any)[key].(map[string]any)
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		schema = items
	}
	return schema["properties"].(map[string]any)
}

// unknown reports whether the reader calls the key unknown.
func unknown(t *testing.T, path, key string) bool {
	t.Helper()
	text := map[string]string{
		"":               "version: 1\n%s: x\n",
		"https":          "version: 1\nhttps: {%s: x}\n",
		"timeouts":       "version: 1\ntimeouts: {%s: x}\n",
		"https.proxies":  "version: 1\nhttps: {proxies: {%s: x}}\n",
		"cookies":        "version: 1\ncookies: {%s: x}\n",
		"tls":            "version: 1\ntls: {%s: x}\n",
		"tls.certs.-":    "version: 1\ntls: {certs: [{%s: x}]}\n",
		"tls.acme":       "version: 1\ntls: {acme: {%s: x}}\n",
		"tls.acme.eab":   "version: 1\ntls: {acme: {eab: {%s: x}}}\n",
		"log":            "version: 1\nlog: {%s: x}\n",
		"shutdown":       "version: 1\nshutdown: {%s: x}\n",
		"report-limits":  "version: 1\nreport-limits: {%s: x}\n",
		"alerts":         "version: 1\nalerts: {%s: x}\n",
		"alerts.email":   "version: 1\nalerts: {email: {%s: x}}\n",
		"retention":      "version: 1\nretention: {%s: x}\n",
		"routes.-":       "version: 1\nroutes: [{%s: x}]\n",
		"noise.-":        "version: 1\nnoise: [{%s: x}]\n",
		"sites.-":        "version: 1\nsites: [{%s: x}]\n",
		"sites.-.routes": "version: 1\nsites: [{routes: [{%s: x}]}]\n",
	}[path]
	_, err := policyfile.Parse("m", fmt.Appendf(nil, text, key))
	return err != nil && slices.ContainsFunc(strings.Split(err.Error(), "\n"), func(line string) bool {
		return strings.Contains(line, key+": unknown key")
	})
}
