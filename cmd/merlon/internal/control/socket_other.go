//go:build !unix

package control

import (
	"context"
	"errors"
	"net"
)

// listen has no way to keep other users from a socket here.
func listen(string) (net.Listener, error) { return nil, errors.ErrUnsupported }

func dial(context.Context, string) (net.Conn, error) { return nil, ErrNobody }
