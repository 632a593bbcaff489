package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/merlon-sec/merlon"
)

// kept is what an application has read of bodies, by path.
type kept struct {
	sync.Mutex
	text map[string]string
	err  map[string]error
}

func (k *kept) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	all, err := io.ReadAll(r.Body)
	k.Lock()
	defer k.Unlock()
	k.text[r.URL.Path], k.err[r.URL.Path] = string(all), err
}

// A body that contains the placeholder is refused, and the application never has all of it.
func TestBodiesWithThePlaceholder(t *testing.T) {
	escaped := strings.NewReplacer("n", "%6e", "a", "%61").Replace(secret)
	app := &kept{text: map[string]string{}, err: map[string]error{}}
	t.Cleanup(func() { // when the application has stopped
		for path, got := range app.text {
			if strings.Contains(got, secret) || strings.Contains(got, escaped) || app.err[path] == nil {
				t.Errorf("%s: the application has %d bytes, %v", path, len(got), app.err[path])
			}
		}
		if got := app.text["/long/chunked"]; len(got) < 100_000 {
			t.Errorf("of a long body the application has %d bytes: it is not passed on as it comes", len(got))
		}
	})
	addr := serve(t, merlon.Strict(), app.ServeHTTP, withPlaceholder)
	long := strings.Repeat("a=b&", 100_000)
	for path, body := range map[string]string{
		"/form": "q=1&html=" + secret, "/escaped": "q=1&html=" + escaped, "/json": `{"a":"\u006e` + secret[1:] + `"}`, "/long": long + secret + long,
		"/multipart": "--b\r\nContent-Disposition: form-data; name=x\r\n\r\n" + secret + "\r\n--b--\r\n",
	} {
		half := strings.Index(body, "f0123") // the secret is split over chunks
		for kind, request := range map[string]string{
			"/sized":   fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body),
			"/chunked": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", half, body[:half], len(body)-half, body[half:]),
		} {
			res, answer := send(t, addr, "POST "+path+kind+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"+request)
			if res.StatusCode != 400 || strings.Contains(answer, secret) || res.Header.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s%s: %d %s", path, kind, res.StatusCode, answer)
			}
		}
	}
}

// All other bodies arrive as they were sent.
func TestOtherRequestBodies(t *testing.T) {
	addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		all, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d %v %d %v\n%s", r.ContentLength, r.TransferEncoding, len(all), err, all)
	}, withPlaceholder)
	for _, body := range []string{"", "q=" + secret[:15], strings.Repeat("\x00%\\u", 60_000)} {
		res, err := http.Post("http://"+addr, "application/octet-stream", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if want := fmt.Sprintf("%d [] %d <nil>\n%s", len(body), len(body), body); string(got) != want {
			t.Errorf("%.40q becomes %.80q", body, got)
		}
	}
	if _, got := send(t, addr, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"); got != "-1 [chunked] 3 <nil>\nabc" {
		t.Errorf("in chunks: %q", got)
	}
}

// An application hears what was said before the client says more, if that ends as lines do.
func TestBodiesStream(t *testing.T) {
	heard := make(chan string)
	addr := serve(t, merlon.Strict(), func(w http.ResponseWriter, r *http.Request) {
		line := make([]byte, len("line 0\n"))
		for {
			if _, err := io.ReadFull(r.Body, line); err != nil {
				return
			}
			heard <- string(line)
		}
	}, withPlaceholder)
	in, out := io.Pipe()
	r, _ := http.NewRequest("POST", "http://"+addr, in)
	answered := make(chan error)
	go func() {
		res, err := http.DefaultClient.Do(r)
		if err == nil {
			res.Body.Close()
		}
		answered <- err
	}()
	for i := range 3 {
		fmt.Fprintf(out, "line %d\n", i)
		if got := <-heard; got != fmt.Sprintf("line %d\n", i) {
			t.Errorf("the application heard %q", got)
		}
	}
	out.Close()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
