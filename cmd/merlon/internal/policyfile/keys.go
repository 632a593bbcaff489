package policyfile

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/hostport"
)

func under(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

// text returns the text under a key, or "" when it is absent.
func (r *reader) text(keys map[string]any, path, key string) string {
	v, ok := keys[key]
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok || s == "" {
		r.wrong(under(path, key), cfgerrors.WrongType, fmt.Sprint(v), "this key takes a text", numberHint(key, v))
	}
	return s
}

// keys returns the map at path, whose keys must be among those of the group, or nil when it is none.
func (r *reader) keys(v any, path, hint string, g group) map[string]any {
	keys, ok := v.(map[string]any)
	known := strings.Join(g.names(), ", ")
	if !ok {
		r.wrong(path, cfgerrors.WrongType, fmt.Sprint(v), "it takes the keys "+known, hint)
		return nil
	}
	for key := range keys {
		if !slices.Contains(g.names(), key) {
			r.wrong(under(path, key), cfgerrors.UnknownKey, "", "unknown key", "keys here: "+known)
		}
	}
	return keys
}

// section returns the keys below a key of the file, nil when it is absent. One that is there must say something.
func (r *reader) section(v any, path, hint string, g group) map[string]any {
	if v == nil {
		return nil
	}
	keys := r.keys(v, path, hint, g)
	if keys != nil && len(keys) == 0 {
		r.wrong(path, cfgerrors.WrongType, "", "it takes the keys "+strings.Join(g.names(), ", "), hint)
	}
	return keys
}

func (r *reader) oneOf(keys map[string]any, path, key string, values []string) string {
	s := r.text(keys, path, key)
	if s != "" && !slices.Contains(values, s) {
		r.wrong(under(path, key), cfgerrors.InvalidValue, s, "no value of this key", "write "+strings.Join(values, " or "))
	}
	return s
}

func (r *reader) flag(keys map[string]any, path, key string) bool {
	v, ok := keys[key]
	b, isBool := v.(bool)
	if ok && !isBool {
		r.wrong(under(path, key), cfgerrors.WrongType, fmt.Sprint(v), "this key takes true or false", "")
	}
	return b
}

// maxSecretBytes bounds a file with one secret in it.
const maxSecretBytes = 4 << 10

// named notes another file that the policy file names, and reports whether it may be read. A pipe in its place would let whoever reads
// wait for somebody to write.
func (r *reader) named(at, name string) bool {
	r.files = append(r.files, name)
	info, err := os.Stat(name)
	if err != nil || info.Mode().IsRegular() {
		return true // reading it says what is wrong
	}
	r.wrong(at, cfgerrors.InvalidValue, name, "no regular file", "it is read again and again, so write what it shall hold into a file")
	return false
}

// contents reads a file that the policy file names. ok is false when it cannot be read, or has more than most bytes.
func (r *reader) contents(at, name, hint string, most int64) (data []byte, ok bool) {
	if !r.named(at, name) {
		return nil, false
	}
	file, err := os.Open(name)
	if err == nil {
		defer file.Close()
		data, err = io.ReadAll(io.LimitReader(file, most+1))
	}
	if err != nil {
		r.wrong(at, cfgerrors.InvalidValue, name, reason(err).Error(), hint)
		return nil, false
	}
	if int64(len(data)) > most {
		r.wrong(at, cfgerrors.InvalidValue, name, fmt.Sprintf("it has more than %d bytes", most), hint)
		return nil, false
	}
	return data, true
}

func (r *reader) hosts(keys map[string]any, path string) []string {
	v, ok := keys["hosts"]
	if !ok {
		return nil
	}
	at := under(path, "hosts")
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		r.wrong(at, cfgerrors.WrongType, fmt.Sprint(v), "hosts is a list", "write hosts: [shop.example], or leave it out for every host")
		return nil
	}
	var out []string
	for i, item := range list {
		host, ok := item.(string)
		if !ok || !validHost(strings.TrimPrefix(host, "*.")) {
			r.wrong(fmt.Sprintf("%s[%d]", at, i), cfgerrors.InvalidValue, fmt.Sprint(item), "no host as browsers send it",
				"write shop.example, shop.example:8443 or *.shop.example, without a scheme")
			continue
		}
		out = append(out, strings.ToLower(host))
	}
	return out
}

// validHost reports whether s can be the value of a Host header. With a final dot a host is another one, which next to nobody asks for.
func validHost(s string) bool {
	name, _, ok := hostport.Split(s)
	return ok && !strings.HasSuffix(name, ".")
}
