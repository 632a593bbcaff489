package collect

import (
	"strings"
	"sync"
)

// cache remembers what was worked out for a text. It holds at most twice its size: when the young half is full it becomes the old one,
// and what is asked for again moves back, so that a flood of new texts costs time and no memory. It is safe for concurrent use.
type cache[V any] struct {
	size int // of the texts in one half, in bytes

	mu         sync.RWMutex
	young, old map[string]V
	filled     int // of the young half
}

// entryBytes is what an entry takes besides its text, about.
const entryBytes = 64

func newCache[V any](size int) *cache[V] { return &cache[V]{size: size, young: map[string]V{}} }

func (c *cache[V]) get(key string) (V, bool) {
	c.mu.RLock()
	v, young := c.young[key]
	ok := young
	if !young {
		v, ok = c.old[key]
	}
	c.mu.RUnlock()
	if ok && !young {
		c.put(key, v)
	}
	return v, ok
}

// getBytes is get for a key that is no string yet.
func (c *cache[V]) getBytes(key []byte) (V, bool) {
	c.mu.RLock()
	v, ok := c.young[string(key)]
	c.mu.RUnlock()
	if ok {
		return v, true
	}
	return c.get(string(key))
}

func (c *cache[V]) put(key string, v V) {
	cost := len(key) + entryBytes
	if cost > c.size/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.filled+cost > c.size {
		c.young, c.old, c.filled = map[string]V{}, c.young, 0
	}
	c.filled += cost
	c.young[strings.Clone(key)] = v // the key may be a part of a whole body
}
