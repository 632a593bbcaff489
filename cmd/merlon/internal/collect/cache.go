package collect

import (
	"strings"
	"sync"
)

// cache remembers what was worked out for a text. It holds at most twice its size: when the young half is full it becomes the old one,
// and what is asked for again moves back, so that a flood of new texts costs time and no memory. It is safe for concurrent use.
type cache[V any] struct {
	size int

	mu         sync.RWMutex
	young, old map[string]V
}

// maxCachedText is the longest text that a cache takes, in bytes.
const maxCachedText = 4 << 10

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
	if len(key) > maxCachedText {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.size {
		c.young, c.old = make(map[string]V, c.size), c.young
	}
	c.young[strings.Clone(key)] = v // the key may be a part of a whole body
}
