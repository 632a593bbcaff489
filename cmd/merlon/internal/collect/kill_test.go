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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/collect"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/need"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/store"
)

// childDir names the data directory of the server that this program is when it is set.
const childDir = "MERLON_TEST_COLLECT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, serve(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serve collects for shop.example until the process is killed.
func serve(dir string) error {
	if _, err := store.LockDir(dir); err != nil {
		return err
	}
	s, err := store.Open(context.Background(), filepath.Join(dir, "reports.db"))
	if err != nil {
		return err
	}
	c, err := collect.New(collect.Config{Store: s})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/r\n", listener.Addr())
	return http.Serve(listener, c.Handler(shop))
}

// ledger is what the senders know: which reports went out, and which of them were acknowledged.
type ledger struct {
	mu          sync.Mutex
	sent, acked map[int]bool
}

// The promise of a 204, with the server killed in mid-load: acknowledged ⊆ counted ⊆ sent, and nothing counted twice.
func TestKill(t *testing.T) {
	const senders = 8
	kills, ackedBeforeKill := 3, 300
	if need.Everything() {
		kills, ackedBeforeKill = 100, 30
	}
	dir := t.TempDir()
	l := &ledger{sent: map[int]bool{}, acked: map[int]bool{}}
	for round := range kills {
		url, kill := startChild(t, dir)
		enough := make(chan struct{})
		var once sync.Once
		var wg sync.WaitGroup
		before := len(l.acked)
		for sender := range senders {
			wg.Go(func() {
				for n := 0; ; n++ {
					id := (round*senders+sender)*10_000 + n
					if !l.post(url, id) {
						return
					}
					if l.count() >= before+ackedBeforeKill {
						once.Do(func() { close(enough) })
					}
				}
			})
		}
		select {
		case <-enough:
		case <-time.After(30 * time.Second):
			t.Error("the server does not acknowledge")
		}
		kill()
		wg.Wait()
	}
	l.check(t, filepath.Join(dir, "reports.db"))
}

// post sends one marked report and reports whether it was acknowledged. Each id has a place of its own.
func (l *ledger) post(url string, id int) bool {
	l.mu.Lock()
	l.sent[id] = true
	l.mu.Unlock()
	body := legacy(fmt.Sprintf(`,"blocked-uri":"https://r%d.example/"`, id))
	resp, err := http.Post(url, "application/csp-report", strings.NewReader(body))
	if err != nil {
		return false
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return false
	}
	l.mu.Lock()
	l.acked[id] = true
	l.mu.Unlock()
	return true
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// check holds the ledger against the database.
func (l *ledger) check(t *testing.T, path string) {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	issues, err := s.Issues(t.Context(), store.Query{Limit: store.MaxIssues})
	if err != nil {
		t.Fatal(err)
	}
	if len(issues) == store.MaxIssues {
		t.Fatal("too many reports for this test: some are folded")
	}
	counted := map[int]bool{}
	for _, i := range issues {
		var id int
		if _, err := fmt.Sscanf(i.Blocked, "https://r%d.example", &id); err != nil || !l.sent[id] {
			t.Errorf("counted %q, which was not sent", i.Blocked)
		}
		if i.Total() != 1 {
			t.Errorf("report %d counted %d times", id, i.Total())
		}
		counted[id] = true
	}
	for id := range l.acked {
		if !counted[id] {
			t.Errorf("report %d was acknowledged and is not counted", id)
		}
	}
	totals, err := s.Totals(t.Context(), "")
	if err != nil || totals.Enforced != int64(len(counted)) {
		t.Errorf("the exact counters say %d, %v; the issues %d", totals.Enforced, err, len(counted))
	}
	t.Logf("acknowledged %d ⊆ counted %d ⊆ sent %d", len(l.acked), len(counted), len(l.sent))
}

// startChild runs this program as the server on dir, and returns its address and what kills it at once.
func startChild(t *testing.T, dir string) (url string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	return strings.TrimSpace(line), kill
}
