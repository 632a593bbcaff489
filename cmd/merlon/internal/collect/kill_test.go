package collect_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// This program is the server when childDir names its data directory. It kills itself between a commit and its answer when childAnswers says how many
// answers it gives before.
const (
	childDir     = "MERLON_TEST_COLLECT_DIR"
	childAnswers = "MERLON_TEST_COLLECT_ANSWERS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, serve(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serve collects for any host, each a site, until the process is killed.
func serve(dir string) error {
	if _, err := store.LockDir(dir); err != nil {
		return err
	}
	s, err := store.Open(context.Background(), filepath.Join(dir, "reports.db"))
	if err != nil {
		return err
	}
	secret := collect.Secret{Current: [32]byte{1}} // the same after each start, as from a file
	c, err := collect.New(collect.Config{Store: s, Secret: func() collect.Secret { return secret }})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	last, _ := strconv.ParseInt(os.Getenv(childAnswers), 10, 64)
	answers := &atomic.Int64{}
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := strings.TrimPrefix(r.URL.Path, "/")
		c.Handler(collect.Site{Name: site, Hosts: []string{site}}).ServeHTTP(&mortal{w, answers, last}, r)
	}))
}

// mortal kills the process in place of an answer.
type mortal struct {
	http.ResponseWriter
	answers *atomic.Int64
	last    int64 // 0: lives on
}

func (m *mortal) Unwrap() http.ResponseWriter { return m.ResponseWriter }

func (m *mortal) WriteHeader(status int) {
	if m.answers.Add(1) > m.last && m.last > 0 {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			self.Kill()
		}
		select {} // nobody answers meanwhile
	}
	m.ResponseWriter.WriteHeader(status)
}

// The promise of a 204, with the server killed in mid-load and between a commit and its 204, and with senders that send again what was not
// acknowledged: acknowledged ⊆ counted ⊆ sent, and nothing counted twice. The server is a process of its own, so that the ledger, which is
// the client's, outlives it.
func TestKill(t *testing.T) {
	kills, acks := 5, 200
	if need.Everything() {
		kills, acks = 100, 40
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "reports.db")
	l := newLedger()
	for round := range kills {
		site := fmt.Sprintf("s%d.example", round/5) // each has room for some thousand issues
		answers := 0
		if round%2 == 1 {
			answers = acks / 4
		}
		url, kill, ended := startChild(t, dir, answers)
		l.load(url, site, acks, kill, ended)
	}
	l.check(t, path)

	url, kill, _ := startChild(t, dir, 0)
	for len(l.open) > 0 {
		p := l.next("", 0)
		if !p.post(http.DefaultClient, url+"/"+p.site) {
			t.Fatalf("a batch that is sent again is not acknowledged")
		}
		l.settle(p, true)
	}
	last := l.next("s0.example", 1) // what was not counted again is stored with it
	l.settle(last, last.post(http.DefaultClient, url+"/"+last.site))
	kill()
	l.check(t, path)
	if len(l.acked) != len(l.sent) {
		t.Errorf("%d of %d acknowledged in the end", len(l.acked), len(l.sent))
	}
	checkRepeated(t, path)
}

// checkRepeated wants batches that came again after their first copy was stored: else no kill came between a commit and its 204.
func checkRepeated(t *testing.T, path string) {
	t.Helper()
	s, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	drops, err := s.Drops(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	repeated := int64(0)
	for _, d := range drops {
		if d.Reason != "repeated" {
			t.Errorf("dropped: %+v", d)
		}
		repeated += d.Count
	}
	if repeated == 0 {
		t.Error("nothing was sent again after it had been stored")
	}
	t.Logf("%d reports came again after they had been stored, and were not counted again", repeated)
}

// load sends batches over eight connections until the server has ended. It kills it after so many acknowledged reports.
func (l *ledger) load(url, site string, acks int, kill func(), ended <-chan struct{}) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	before := l.count()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				p := l.next(site, 1+n%3)
				acked := p.post(client, url+"/"+p.site)
				l.settle(p, acked)
				if !acked {
					return
				}
				if l.count() >= before+acks {
					kill()
				}
			}
		})
	}
	wg.Wait()
	kill()
	<-ended
}

// startChild runs this program as the server on dir, and returns its address, what kills it at once, and what is closed when it has ended.
func startChild(t *testing.T, dir string, answers int) (url string, kill func(), ended <-chan struct{}) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childAnswers+"="+strconv.Itoa(answers))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	end := make(chan struct{})
	go func() {
		cmd.Wait()
		close(end)
	}()
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		<-end
	})
	t.Cleanup(kill)
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	return strings.TrimSpace(line), kill, end
}
