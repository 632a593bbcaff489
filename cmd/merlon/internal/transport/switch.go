package transport

// switched is a connection after 101 Switching Protocols. What it belongs to is the caller's affair from here on.
type switched struct{ conn *conn }

// Read reads what came right behind the answer first.
func (s *switched) Read(p []byte) (int, error) {
	if s.conn.br.Buffered() > 0 {
		return s.conn.br.Read(p)
	}
	return s.conn.nc.Read(p)
}

// Write writes to the application.
func (s *switched) Write(p []byte) (int, error) { return s.conn.nc.Write(p) }

// Close ends both directions.
func (s *switched) Close() error { return s.conn.nc.Close() }

// CloseWrite ends what is written.
func (s *switched) CloseWrite() error {
	if half, ok := s.conn.nc.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
