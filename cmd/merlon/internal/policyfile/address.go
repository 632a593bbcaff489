package policyfile

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
)

// address returns the address of a listener under a key, or "" when it is absent or a mistake.
func (r *reader) address(keys map[string]any, path, key, example string) string {
	v, here := keys[key]
	if !here {
		return ""
	}
	text, isText := v.(string)
	why := badAddress(text)
	if !isText {
		text, why = fmt.Sprint(v), "an address is host and port"
	}
	if why == "" {
		return text
	}
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		example = fmt.Sprintf("127.0.0.1:%d", n)
	}
	r.wrong(under(path, key), cfgerrors.InvalidValue, text, why, "write "+key+": "+example+"; 0.0.0.0 is every address of this machine")
	return ""
}

// badAddress says why nothing can listen on text, or "". A host that looks like a number is a slip of the pen: resolvers read 22
// as 0.0.0.22.
func badAddress(text string) string {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "an address is host and port"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return "a port is a number from 0 to 65535"
	}
	if _, err := netip.ParseAddr(host); host == "" || err == nil {
		return ""
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if !validHost(host) || strings.Trim(last, "0123456789") == "" {
		return "neither an IP address nor the name of a host is before the port"
	}
	return ""
}
