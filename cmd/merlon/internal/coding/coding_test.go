package coding_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/coding"
)

var names = []string{"gzip", "br", "zstd"}

func TestAccept(t *testing.T) {
	for _, tt := range []struct{ header, offer, plain, gzip string }{
		{"", "identity", "", ""},
		{"gzip", "gzip", "", "gzip"},
		{"gzip, deflate, br, zstd", "br, zstd, gzip", "", "gzip"},
		{"GZIP;Q=0.5 , br;q=0.25", "br;q=0.25, gzip;q=0.5", "", "gzip"},
		{"gzip;q=0.5, br", "br, gzip;q=0.5", "", "br"},
		{"x-gzip", "gzip", "", "gzip"},
		{"deflate, compress", "identity", "", ""},
		{"*", "br, zstd, gzip", "", "gzip"},
		{"*, gzip;q=0", "br, zstd", "", "br"},
		{"gzip;q=0", "identity", "", ""},
		{"gzip;q=2, br;q=x, zstd;q=-1, zstd;q=NaN", "identity", "", ""},
		{"identity;q=0, gzip", "gzip", "gzip", "gzip"},
		{"*;q=0, zstd", "zstd", "zstd", "zstd"},
		{"*;q=0", "identity", "", ""},
		{"identity, *;q=0", "identity", "", ""},
		{"identity;q=0, gzip;q=0.1, *", "br, zstd, gzip;q=0.1", "br", "br"},
		{",,gzip ; level=3,", "gzip", "", "gzip"},
	} {
		a := coding.ParseAccept([]string{tt.header})
		if offer, plain, gzip := a.Offer(), a.Choose(""), a.Choose("gzip"); offer != tt.offer || plain != tt.plain || gzip != tt.gzip {
			t.Errorf("%q: offer %q, want %q; for what came plain %q, want %q; for gzip %q, want %q", tt.header, offer, tt.offer, plain, tt.plain, gzip, tt.gzip)
		}
	}
	if got := coding.ParseAccept([]string{"gzip;q=0.3", "br"}).Offer(); got != "br, gzip;q=0.3" {
		t.Errorf("two lines: %q", got)
	}
	if got := coding.ParseAccept(nil); got.Offer() != "identity" || got.Choose("gzip") != "" {
		t.Errorf("no line: %q", got.Offer())
	}
}

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		lines []string
		name  string
		ok    bool
	}{
		{nil, "", true}, {[]string{"identity"}, "", true}, {[]string{"", " , Identity,"}, "", true},
		{[]string{"GZip"}, "gzip", true}, {[]string{"x-gzip"}, "gzip", true}, {[]string{"identity", "br"}, "br", true},
		{[]string{"gzip, br"}, "gzip", false}, {[]string{"gzip", "gzip"}, "gzip", false}, {[]string{"deflate"}, "deflate", false}, {[]string{"dcb"}, "dcb", false},
	} {
		if name, ok := coding.Of(http.Header{"Content-Encoding": tt.lines}); name != tt.name || ok != tt.ok {
			t.Errorf("Of(%q) = %q, %v; want %q, %v", tt.lines, name, ok, tt.name, tt.ok)
		}
	}
}

func encode(t testing.TB, pools *coding.Pools, name string, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pools.NewWriter(name, &out)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func decode(pools *coding.Pools, name string, body io.Reader) ([]byte, error) {
	r := pools.NewReader(name, io.NopCloser(body))
	text, err := io.ReadAll(r)
	if closed := r.Close(); err == nil {
		err = closed
	}
	return text, err
}

// mixed is text that compresses, in part.
func mixed(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "<li>item %d</li>\n", r.IntN(1000))
	}
	return b.Bytes()
}

func TestThereAndBack(t *testing.T) {
	var pools coding.Pools
	for _, name := range names {
		for _, n := range []int{0, 1, 1000, 300_000, 1000} {
			text := mixed(n)
			if got, err := decode(&pools, name, bytes.NewReader(encode(t, &pools, name, text))); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s: %d bytes become %d: %v", name, len(text), len(got), err)
			}
		}
		if got, err := decode(&pools, name, strings.NewReader("")); err != nil || len(got) > 0 {
			t.Errorf("%s: an empty body becomes %q, %v", name, got, err)
		}
	}
}

// What was flushed on one side can be read on the other, before anything follows.
func TestFlushGoesThrough(t *testing.T) {
	var pools coding.Pools
	for _, name := range names {
		in, out := io.Pipe()
		w, r := pools.NewWriter(name, out), pools.NewReader(name, in)
		heard := make(chan struct{})
		go func() {
			defer out.Close()
			for i := range 50 {
				fmt.Fprintf(w, "event %02d\n", i)
				w.Flush()
				<-heard
			}
			w.Close()
		}()
		event := make([]byte, len("event 00\n"))
		for i := range 50 {
			if _, err := io.ReadFull(r, event); err != nil || string(event) != fmt.Sprintf("event %02d\n", i) {
				t.Fatalf("%s: %q, %v", name, event, err)
			}
			heard <- struct{}{}
		}
		if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
			t.Errorf("%s: at the end %q, %v", name, rest, err)
		}
		r.Close()
	}
}

// A body that is cut off never ends as if it were whole, and one with something behind it neither.
func TestCutOffAndCorrupt(t *testing.T) {
	var pools coding.Pools
	for _, name := range names {
		whole := encode(t, &pools, name, mixed(3000))
		for n := 1; n < len(whole); n++ {
			if got, err := decode(&pools, name, bytes.NewReader(whole[:n])); err == nil {
				t.Fatalf("%s: %d of %d bytes give %d without an error", name, n, len(whole), len(got))
			}
		}
		if _, err := decode(&pools, name, strings.NewReader(string(whole)+"<p>behind")); err == nil {
			t.Errorf("%s: bytes behind the end are taken", name)
		}
		if _, err := decode(&pools, name, strings.NewReader("<!doctype html><p>no coding at all")); err == nil {
			t.Errorf("%s: plain text is taken", name)
		}
		if got, err := decode(&pools, name, bytes.NewReader(whole)); err != nil || !bytes.Equal(got, mixed(3000)) {
			t.Errorf("%s: after all that %d bytes, %v", name, len(got), err)
		}
	}
}

// endless gives the same bytes for ever.
type endless struct{ unit, rest []byte }

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		e.rest = e.unit
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// A body of few bytes that stands for very many streams through in bounded memory.
func TestBombs(t *testing.T) {
	var pools coding.Pools
	for _, name := range names {
		var bomb bytes.Buffer
		w := pools.NewWriter(name, &bomb)
		io.CopyN(w, &endless{unit: make([]byte, 1<<20)}, 64<<20)
		w.Close()
		r := pools.NewReader(name, io.NopCloser(&bomb))
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		total, most, p := 0, uint64(0), make([]byte, 32<<10)
		for i := 0; ; i++ {
			n, err := r.Read(p)
			if total += n; err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if i%1000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
		}
		if grown := int64(most) - int64(before.HeapAlloc); total != 64<<20 || grown > 4<<20 {
			t.Errorf("%s: %d bytes came out, and %d were kept", name, total, grown)
		}
		r.Close()
	}
}

// A stream that wants a larger window than decoders must have is refused before the memory is taken.
func TestLargeWindow(t *testing.T) {
	var body bytes.Buffer
	w, err := zstd.NewWriter(&body, zstd.WithWindowSize(64<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	io.CopyN(w, &endless{unit: mixed(100_000)}, 70<<20)
	w.Close()
	if _, err := decode(new(coding.Pools), "zstd", &body); err == nil {
		t.Error("a window of 64 MiB is taken")
	}
}

// Some servers write a body as several members.
func TestSeveralMembers(t *testing.T) {
	var body bytes.Buffer
	for _, part := range []string{"a", "", "b"} {
		z := gzip.NewWriter(&body)
		io.WriteString(z, part)
		z.Close()
	}
	if got, err := decode(new(coding.Pools), "gzip", &body); err != nil || string(got) != "ab" {
		t.Errorf("%q, %v", got, err)
	}
}
