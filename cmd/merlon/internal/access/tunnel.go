package access

import (
	"net"
	"sync"
)

// tunnels are the connections that were handed over and whose handlers still run.
type tunnels struct {
	mu   sync.Mutex
	open map[*Record]net.Conn
}

func (t *tunnels) add(r *Record, c net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = map[*Record]net.Conn{}
	}
	t.open[r] = c
}

func (t *tunnels) remove(r *Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, r)
}

func (t *tunnels) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.open {
		c.Close()
	}
}
