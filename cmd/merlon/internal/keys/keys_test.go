package keys_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/keys"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a time that a test sets.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func open(t *testing.T, dir string, c *clock) *keys.Keys {
	t.Helper()
	k, err := keys.Open(dir, c.now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyLastsADayAndIsReadOneMore(t *testing.T) {
	dir, c := t.TempDir(), &clock{noon}
	k := open(t, dir, c)
	first := k.Key("a")
	if again := k.Key("a"); again != first {
		t.Error("two calls on a day give two pairs")
	}
	if other := k.Key("b"); other.Current == first.Current || other.Previous == first.Previous {
		t.Error("two purposes have one key")
	}
	if first.Current == first.Previous {
		t.Error("yesterday's key is today's")
	}
	c.Time = noon.Add(12 * time.Hour) // the next day begins
	second := k.Key("a")
	if second.Previous != first.Current || second.Current == first.Current || second.Day != first.Day+1 {
		t.Errorf("a day later: %+v after %+v", second, first)
	}
	c.Time = noon.Add(36 * time.Hour)
	if third := k.Key("a"); third.Previous != second.Current || third.Current == first.Current {
		t.Errorf("two days later: %+v", third)
	}
}

// A process that starts again has the keys that the one before had, or would have had.
func TestOpenAgain(t *testing.T) {
	for _, later := range []time.Duration{0, 24 * time.Hour, 90 * 24 * time.Hour} {
		dir, c := t.TempDir(), &clock{noon}
		running := open(t, dir, c)
		saved, err := os.ReadFile(filepath.Join(dir, keys.FileName))
		if err != nil {
			t.Fatal(err)
		}
		c.Time = noon.Add(later)
		want := running.Key("a")
		if got := open(t, dir, c).Key("a"); got != want {
			t.Errorf("after %v, from the file of today: %+v, want %+v", later, got, want)
		}
		if err := os.WriteFile(filepath.Join(dir, keys.FileName), saved, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := open(t, dir, c).Key("a"); got != want {
			t.Errorf("after %v, from the file of the first day: %+v, want %+v", later, got, want)
		}
	}
}

// The file of a day says nothing of the day before yesterday.
func TestSecretIsForgotten(t *testing.T) {
	dir, c := t.TempDir(), &clock{noon}
	secret := func() string {
		data, err := os.ReadFile(filepath.Join(dir, keys.FileName))
		var f struct{ Secret string }
		if err != nil || json.Unmarshal(data, &f) != nil {
			t.Fatal(err, string(data))
		}
		return f.Secret
	}
	k := open(t, dir, c)
	before := secret()
	c.Time = noon.Add(24 * time.Hour)
	k.Key("a")
	if secret() == before {
		t.Error("a day later the file has the same secret")
	}
}

func TestClockThatIsWrong(t *testing.T) {
	dir, c := t.TempDir(), &clock{noon}
	k := open(t, dir, c)
	today := k.Key("a")
	c.Time = noon.Add(-24 * time.Hour)
	if got := k.Key("a"); got != today {
		t.Error("an hour that comes twice changes the keys")
	}
	c.Time = noon.Add(-72 * time.Hour)
	back := k.Key("a")
	if back.Current == today.Current || back.Day != today.Day-3 {
		t.Errorf("three days back: %+v, want new keys for that day", back)
	}
	c.Time = noon.AddDate(20, 0, 0)
	if far := k.Key("a"); far.Day < today.Day+7000 || far.Previous == far.Current {
		t.Errorf("twenty years on: %+v", far)
	}
}

func TestDaily(t *testing.T) {
	dir, c := t.TempDir(), &clock{noon}
	k := open(t, dir, c)
	made := 0
	get := keys.Daily(k, "a", func(p keys.Pair) keys.Pair { made++; return p })
	for range 2 {
		if get() != k.Key("a") || made != 1 {
			t.Errorf("made %d times in a day, want once", made)
		}
	}
	c.Time = noon.Add(24 * time.Hour)
	if get() != k.Key("a") || made != 2 {
		t.Errorf("made %d times in two days, want twice", made)
	}
	if n := testing.AllocsPerRun(100, func() { get() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestConcurrentUse(t *testing.T) {
	k, err := keys.Open(t.TempDir(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	get := keys.Daily(k, "a", func(p keys.Pair) keys.Pair { return p })
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if get().Current == k.Key("b").Current {
					t.Error("two purposes have one key")
				}
			}
		})
	}
	all.Wait()
}

func TestFileThatCannotBeUsed(t *testing.T) {
	good := `{"schema":"merlon/keys","version":1,"day":20000,"secret":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}`
	for _, tc := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"others may read it", good, 0o644, "chmod 600"},
		{"its group may write it", good, 0o620, "mode is 0620"},
		{"empty", "", 0o600, "remove it"},
		{"cut off", good[:len(good)/2], 0o600, "remove it"},
		{"another file", `{"schema":"merlon/lock","version":1}`, 0o600, "remove it"},
		{"a short secret", strings.Replace(good, "AAECAwQF", "", 1), 0o600, "remove it"},
		{"no secret", strings.Replace(good, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", strings.Repeat("A", 43), 1), 0o600, "remove it"},
		{"zeros after a crash", strings.Repeat("\x00", 150), 0o600, "remove it"},
		{"too long", good + strings.Repeat(" ", 5000), 0o600, "remove it"},
		{"of the future", strings.Replace(good, `"version":1`, `"version":2`, 1), 0o600, "newer merlon"},
	} {
		if runtime.GOOS == "windows" && tc.mode != 0o600 {
			continue
		}
		dir := t.TempDir()
		path := filepath.Join(dir, keys.FileName)
		if err := os.WriteFile(path, []byte(tc.text), tc.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, tc.mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
		_, err := keys.Open(dir, nil, nil)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v; want an error that names the file and says %q", tc.name, err, tc.want)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != tc.text {
			t.Errorf("%s: the file was changed (%v)", tc.name, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, keys.FileName), []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Open(dir, nil, nil); err != nil {
		t.Errorf("the file that those are made of: %v", err)
	}
}

func TestFileIsForItsOwner(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	dir := t.TempDir()
	open(t, dir, &clock{noon})
	info, err := os.Stat(filepath.Join(dir, keys.FileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", info.Mode(), err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("in the directory: %v, %v; want the file alone", list, err)
	}
}

// What cannot be written today follows tomorrow from what was.
func TestDirectoryThatIsGone(t *testing.T) {
	dir, c := filepath.Join(t.TempDir(), "data"), &clock{noon}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	k, err := keys.Open(dir, c.now, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	today := k.Key("a")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	c.Time = noon.Add(24 * time.Hour)
	if got := k.Key("a"); got.Previous != today.Current {
		t.Errorf("without its directory: %+v", got)
	}
	if strings.Count(log.String(), "not on disk") != 1 {
		t.Errorf("the log says %q, want one warning", &log)
	}
	if _, err := keys.Open(dir, c.now, nil); err == nil || !strings.Contains(err.Error(), "choose another data directory") {
		t.Errorf("Open without the directory: %v", err)
	}
}
