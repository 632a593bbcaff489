//go:build unix

package cli_test

import (
	"testing"
)

// SIGTERM ends a collector as it ends the gateway: readyz says so first, reports are still taken, and what was answered is stored.
func TestCollectEnds(t *testing.T) {
	data := t.TempDir()
	c := startChild(t, "the next one:", nil, nil, "collect", "--host", "shop.example", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data, "--drain-delay", "2s")
	c.signal(t, terminate)
	c.drains(t)
	if _, body := get(t, c.admin+"/readyz"); body != "draining: the collector ends\n" {
		t.Errorf("readyz says %q", body)
	}
	for contentType, body := range reports("https://shop.example/", "inline") {
		send(t, c.site, "shop.example", contentType, body)
	}
	if code := c.wait(t); code != 0 {
		t.Errorf("exit code %d: %s", code, c.stderr)
	}
	if issues := issuesIn(t, data); len(issues) != 1 || issues[0]["enforced"] != 3.0 {
		t.Errorf("issues %v, want one of three reports", issues)
	}
}
