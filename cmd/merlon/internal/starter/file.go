package starter

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// maxFileBytes bounds a file that is read, and all files together that one includes.
const maxFileBytes = 1 << 20

// FromFile makes a starter of a Django settings file or an nginx configuration, whichever the file is.
func FromFile(o Options, name string) (*Result, error) {
	data, err := readFile(name, maxFileBytes)
	if errors.Is(err, os.ErrNotExist) && looksLikeHost(name) {
		return nil, fmt.Errorf("there is no file %s (for a live site write --from https://%s)", show(name), plain(name))
	}
	if err != nil {
		return nil, err
	}
	switch kindOf(name, data) {
	case "django":
		return fromDjango(o, name, data)
	case "nginx":
		return fromNginx(o, name, data)
	}
	return nil, fmt.Errorf("%s is neither a Django settings file nor an nginx configuration (name it .py or .conf if it is one)", show(name))
}

var host = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]+)?(/.*)?$`)

func looksLikeHost(name string) bool {
	ext := filepath.Ext(name)
	return host.MatchString(name) && ext != ".py" && ext != ".conf"
}

// readFile reads a file of at most limit bytes.
func readFile(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", show(name), pathCause(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", show(name), pathCause(err))
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a directory (name the file in it)", show(name))
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", show(name), pathCause(err))
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes, with what it includes", show(name), limit)
	}
	return data, nil
}

// pathCause is err without the path, which the message names already.
func pathCause(err error) error {
	if path := (*os.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}

var (
	pythonLine = regexp.MustCompile(`(?m)^(?:from\s+\S+\s+import\s|import\s+\w|[A-Z][A-Z0-9_]+\s*=)`)
	nginxLine  = regexp.MustCompile(`(?m)^\s*(?:server|http|location\s[^;{]*|upstream\s[^;{]*)\s*\{|^\s*(?:add_header|server_name|proxy_pass)\s[^;]*;`)
)

// kindOf tells what a file is, by its name where that says it.
func kindOf(name string, data []byte) string {
	switch base := strings.ToLower(filepath.Base(name)); {
	case strings.HasSuffix(base, ".py"):
		return "django"
	case strings.HasSuffix(base, ".conf") || strings.Contains(base, "nginx"):
		return "nginx"
	}
	nginx, python := nginxLine.Match(data), pythonLine.Match(data)
	switch {
	case nginx && !python:
		return "nginx"
	case python && !nginx:
		return "django"
	}
	return ""
}
