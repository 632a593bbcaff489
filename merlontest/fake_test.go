package merlontest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/merlon-sec/merlon"
)

// failures is a testing.TB that keeps what a test would have failed with.
type failures struct {
	testing.TB
	told []string
}

func (f *failures) Helper() {}

func (f *failures) Errorf(format string, args ...any) {
	f.told = append(f.told, fmt.Sprintf(format, args...))
}

// wants fails t unless there is a failure for each text, in this order, and none besides.
func (f *failures) wants(t *testing.T, texts ...string) {
	t.Helper()
	for i := range max(len(texts), len(f.told)) {
		switch {
		case i >= len(f.told):
			t.Errorf("got %d failures, want one more with %q", len(f.told), texts[i])
		case i >= len(texts):
			t.Errorf("got a failure, want none:\n%s", f.told[i])
		case !strings.Contains(f.told[i], texts[i]):
			t.Errorf("got the failure\n%s\nwant one with %q", f.told[i], texts[i])
		}
	}
}

// with sends these headers, each "Name: value", and the body.
func with(body string, headers ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Add(name, value)
		}
		fmt.Fprint(w, body)
	})
}

func get(url string) *http.Request { return httptest.NewRequest("GET", url, nil) }

func mustGuard(t testing.TB, c merlon.Config) *merlon.Guard {
	t.Helper()
	guard, err := merlon.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}
