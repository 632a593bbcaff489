package transport

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// dial connects within DialTimeout, for both kinds of transport.
func (c Config) dial(ctx context.Context, network, address string) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, c.DialTimeout)
	defer cancel()
	socket, err := c.Dial(limited, network, address)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = &timeoutError{"connecting to " + address, c.DialTimeout}
	}
	if err != nil {
		return nil, err
	}
	return &timedConn{socket, c.WriteTimeout}, nil
}

// handshake makes a TLS connection of a plain one, which it closes if that fails.
func (c Config) handshake(ctx context.Context, socket net.Conn, name string) (*tls.Conn, error) {
	config := c.TLS.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = name
	}
	config.NextProtos = []string{"http/1.1"}
	limited, cancel := context.WithTimeout(ctx, c.HandshakeTimeout)
	defer cancel()
	conn := tls.Client(socket, config)
	err := conn.HandshakeContext(limited)
	if err == nil {
		return conn, nil
	}
	socket.Close()
	if limited.Err() != nil && ctx.Err() == nil {
		err = &timeoutError{"the TLS handshake with " + name, c.HandshakeTimeout}
	}
	return nil, err
}

// A timedConn gives each write its time: a long body may take as long as it needs, as long as it moves.
type timedConn struct {
	net.Conn
	timeout time.Duration
}

func (c *timedConn) Write(p []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// CloseWrite ends what is written after a switch of protocols, where the connection can.
func (c *timedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
