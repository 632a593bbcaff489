package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrNotFound is the error of Find, and of Start with a path where nothing is.
var ErrNotFound = errors.New("no Chromium, Chrome or Edge found")

// Find returns the path of an installed Chromium, Chrome or Edge. The error wraps
// ErrNotFound and says how to install one.
func Find() (string, error) {
	return findAmong(places(runtime.GOOS), runtime.GOOS)
}

// findAmong returns the first of candidates that can be run.
func findAmong(candidates []string, goos string) (string, error) {
	for _, c := range candidates {
		if path, err := exec.LookPath(c); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w; %s", ErrNotFound, installHint(goos))
}

// places lists where browsers are, the preferred ones first: file paths, and names that
// are looked up in PATH.
func places(goos string) []string {
	switch goos {
	case "windows":
		return windowsPlaces()
	case "darwin":
		return darwinPlaces()
	}
	return []string{
		// The binary itself. Debian's wrapper /usr/bin/chromium adds Google API keys and
		// extension flags, and for their sake leaves background networking on.
		"/usr/lib/chromium/chromium",
		"/usr/lib/chromium-browser/chromium-browser",
		"google-chrome-stable", "google-chrome", "microsoft-edge-stable", "microsoft-edge",
		// Last, because Ubuntu's is a snap, which sees a /tmp of its own.
		"chromium", "chromium-browser",
	}
}

func darwinPlaces() []string {
	roots := []string{"/Applications"}
	if home, err := os.UserHomeDir(); err == nil {
		roots = append(roots, filepath.Join(home, "Applications"))
	}
	var list []string
	for _, root := range roots {
		for _, name := range []string{"Chromium", "Google Chrome", "Microsoft Edge"} {
			list = append(list, filepath.Join(root, name+".app", "Contents", "MacOS", name))
		}
	}
	return list
}

func windowsPlaces() []string {
	roots := []string{`C:\Program Files`, `C:\Program Files (x86)`}
	if local, err := os.UserCacheDir(); err == nil { // %LocalAppData%
		roots = append(roots, local)
	}
	var list []string
	for _, root := range roots {
		for _, name := range []string{`Chromium\Application\chrome.exe`, `Google\Chrome\Application\chrome.exe`, `Microsoft\Edge\Application\msedge.exe`} {
			list = append(list, strings.TrimSuffix(root, `\`)+`\`+name)
		}
	}
	return list
}

func installHint(goos string) string {
	switch goos {
	case "windows":
		return "install one: winget install Google.Chrome"
	case "darwin":
		return "install one: brew install --cask google-chrome"
	}
	return "install one: apt-get install --no-install-recommends chromium (Debian), or the package chromium or google-chrome-stable of your system"
}
