package browser

import (
	"fmt"
	"os"
	"strings"
)

// arguments is the command line of a headless Chromium that keeps to itself.
func arguments(o Options, profile string) []string {
	args := append(quietFlags(),
		"--headless",
		"--remote-debugging-port=0", // the browser writes the port that it got to DevToolsActivePort
		"--user-data-dir="+profile,
		fmt.Sprintf("--window-size=%d,%d", o.Width, o.Height),
	)
	if rules := resolverRules(o.Hosts); rules != "" {
		args = append(args, "--host-resolver-rules="+rules)
	}
	if o.IgnoreCertErrors {
		args = append(args, "--ignore-certificate-errors")
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium refuses to start as root with its sandbox
	}
	return append(args, "about:blank")
}

func quietFlags() []string {
	return []string{
		"--no-first-run", "--no-default-browser-check", "--no-service-autorun",
		"--disable-background-networking", "--disable-sync", "--disable-extensions", "--disable-default-apps",
		"--disable-domain-reliability", "--disable-client-side-phishing-detection", "--metrics-recording-only",
		"--disable-breakpad", "--disable-component-update",
		// The flag above does not stop every request to update.googleapis.com; a dead address does.
		"--component-updater=url-source=http://127.0.0.1:9/",
		"--password-store=basic", "--use-mock-keychain",
		"--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--mute-audio", "--hide-scrollbars",
		// Pages are driven in parallel, so most of them are in the background.
		"--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
		// Without site isolation all frames report on the page's own session, and console
		// messages about refused frames are not lost. One list: of two, the last one wins.
		"--disable-site-isolation-trials",
		"--disable-features=SitePerProcess,IsolateOrigins,NetworkTimeServiceQuerying",
	}
}

// resolverRules keeps the browser from reaching any host but loopback and those named.
// A "*" among hosts lifts the rule.
func resolverRules(hosts []string) string {
	var rules strings.Builder
	rules.WriteString("MAP * ~NOTFOUND")
	for _, h := range append([]string{"localhost", "*.localhost", "127.0.0.1", "[::1]"}, hosts...) {
		if h == "*" {
			return ""
		}
		rules.WriteString(", EXCLUDE " + h)
	}
	return rules.String()
}

// checkHosts refuses what would add rules of its own to --host-resolver-rules.
func checkHosts(hosts []string) error {
	for _, h := range hosts {
		if h == "" || strings.ContainsFunc(h, notInHost) {
			return fmt.Errorf("host %q: want a name, an address or a pattern such as *.example.com", h)
		}
	}
	return nil
}

func notInHost(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-_.*:[]", r)
}
