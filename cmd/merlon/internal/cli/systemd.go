package cli

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// systemd speaks with the service manager that has started the process, if one has. The zero systemd speaks with nobody.
// https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
type systemd struct {
	socket   string        // where it listens; "" for nobody
	watchdog time.Duration // how often it wants to hear from us; 0 for never
}

// newSystemd reads what the manager says in the environment.
func newSystemd(getenv func(string) string) systemd {
	s := systemd{socket: getenv("NOTIFY_SOCKET")}
	usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64)
	pid := getenv("WATCHDOG_PID")
	if err == nil && usec > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		s.watchdog = time.Duration(usec) * time.Microsecond
	}
	return s
}

// The states that the manager knows.
const (
	stateReady    = "READY=1"
	stateStopping = "STOPPING=1"
	stateAlive    = "WATCHDOG=1"
)

// reloading is the state of a process that reads its files again; the time ties it to the manager's request.
func reloading() string {
	return fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", monotonic().Microseconds())
}

// notify tells the manager the state. Nobody can do anything about a manager that does not listen.
func (s systemd) notify(state string) {
	if s.socket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.socket, Net: "unixgram"}) // net knows @ for the abstract namespace
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = conn.Write([]byte(state))
}

// watch tells the manager, twice as often as it wants, that the process is alive, until stop is called: while it drains, too.
func (s systemd) watch() (stop func()) {
	if s.watchdog == 0 {
		return func() {}
	}
	done := make(chan struct{})
	var pinging sync.WaitGroup
	pinging.Go(func() {
		tick := time.NewTicker(s.watchdog / 2)
		defer tick.Stop()
		for {
			s.notify(stateAlive)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() {
		close(done)
		pinging.Wait()
	}
}

// sockets are listeners that systemd has opened, by the name in FileDescriptorName=.
type sockets map[string]net.Listener

// The names of the gateway's parts. A single socket without one of them is the public listener.
const (
	partPublic = "public"
	partPlain  = "http"
	partAdmin  = "admin"
)

// firstSocket is the descriptor where sockets begin.
const firstSocket = 3

// newSockets takes over the sockets that the environment says are ours.
// https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
func newSockets(getenv func(string) string) (sockets, error) {
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || n <= 0 || getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	names := strings.Split(getenv("LISTEN_FDNAMES"), ":")
	found := sockets{}
	for i := range n {
		name := ""
		if i < len(names) {
			name = names[i]
		}
		if n == 1 && name != partPlain && name != partAdmin {
			name = partPublic
		}
		if err := found.add(name, firstSocket+i); err != nil {
			found.close()
			return nil, err
		}
	}
	return found, nil
}

func (s sockets) add(name string, fd int) error {
	const wayOut = "write FileDescriptorName=public, http or admin, once each, in the socket unit"
	file := os.NewFile(uintptr(fd), name)
	defer file.Close() // the listener has a descriptor of its own, which no child process inherits
	if name != partPublic && name != partPlain && name != partAdmin {
		return usagef("systemd passes a socket named %q: %s", name, wayOut)
	}
	if s[name] != nil {
		return usagef("systemd passes two sockets named %s: %s", name, wayOut)
	}
	l, err := net.FileListener(file)
	if err != nil {
		return fmt.Errorf("the socket %s that systemd passes: %w (it must be one of ListenStream=)", name, err)
	}
	s[name] = l
	return nil
}

func (s sockets) close() {
	for _, l := range s {
		l.Close()
	}
}
