package transport

import (
	"bufio"
	"crypto/tls"
	"net"
	"syscall"
	"time"
)

// readBuffer is the size of a connection's buffer. What a body's reader asks for beyond it is read past the buffer.
const readBuffer = 4 << 10

// A conn is one connection to the application. One exchange has it at a time, or the pool.
type conn struct {
	target target
	socket net.Conn             // the plain connection: closing it ends all that waits, at once
	nc     net.Conn             // what requests go through: socket, or TLS over it
	tls    *tls.ConnectionState // nil without TLS
	br     *bufio.Reader
	probe  *probe // nil where the system has none
	close  func() // closes socket; a field, so that watching a context allocates no closure
	reused bool
	idleAt time.Time

	silence time.Duration // that a read of an answer's body may take; 0 leaves the deadline that there is
}

func newConn(t target, socket, nc net.Conn) *conn {
	c := &conn{target: t, socket: socket, nc: nc}
	c.br = bufio.NewReaderSize((*patient)(c), readBuffer)
	c.close = func() { socket.Close() }
	if secure, ok := nc.(*tls.Conn); ok {
		state := secure.ConnectionState()
		c.tls = &state
	}
	if timed, ok := socket.(*timedConn); ok {
		socket = timed.Conn
	}
	if system, ok := socket.(syscall.Conn); ok {
		c.probe = newProbe(system)
	}
	return c
}

// patient is a conn as its buffer reads it. Only reads that go to the connection are bounded: most bodies come with their header.
type patient conn

func (c *patient) Read(p []byte) (int, error) {
	if c.silence > 0 {
		_ = c.nc.SetReadDeadline(time.Now().Add(c.silence)) // an error shows in the read
	}
	return c.nc.Read(p)
}

// open bounds the next reads of an unused connection, and tells whether nothing has come on it as far as the kernel knows.
func (c *conn) open(timeout time.Duration) bool {
	// First the deadline: one of the last use may have passed, and then the probe would not look.
	return c.hang(timeout) == nil && (c.probe == nil || c.probe.quiet())
}

// wake bounds the next reads of an unused connection, and tells whether it may be used: whether nothing has come on it, neither
// bytes nor its end. Bytes that no request asked for would be taken for the answer to the next one.
func (c *conn) wake(timeout time.Duration) bool {
	if !c.open(timeout) {
		return false
	}
	if c.tls == nil {
		return true
	}
	// The TLS layer may have read more than it has handed out. With a deadline in the past it hands that out and reads nothing.
	if c.nc.SetReadDeadline(time.Unix(1, 0)) != nil {
		return false
	}
	_, err := c.br.Peek(1)
	return isTimeout(err) && c.hang(timeout) == nil
}

// hang bounds the next reads; zero lets them take as long as they need.
func (c *conn) hang(timeout time.Duration) error {
	if timeout == 0 {
		return c.nc.SetReadDeadline(time.Time{})
	}
	return c.nc.SetReadDeadline(time.Now().Add(timeout))
}
