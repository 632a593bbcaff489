package starter

import (
	"net/http"
	"net/url"
)

// Scalar is how a text is written.
var Scalar = scalar

// Print is how a key with a text is written.
func Print(key, value string) string {
	p := &printer{}
	p.setting("", &setting{key: key, value: value})
	return p.text.String()
}

// Follow is what becomes of a redirect.
func Follow(from, to string) error {
	u, err := url.Parse(to)
	if err != nil {
		return err
	}
	return NewPage(from, nil, "").follow(u)
}

// NewPage is what a site at this address answered.
func NewPage(address string, header http.Header, body string) *Page {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return &Page{url: u, status: http.StatusOK, header: header, body: []byte(body)}
}

// Django makes a starter of the text of a settings file.
func Django(name string, data []byte) (*Result, error) { return fromDjango(Options{}, name, data) }

// Nginx makes a starter of the text of a configuration.
func Nginx(name string, data []byte) (*Result, error) { return fromNginx(Options{}, name, data) }

// Variables are what a settings file sets, as far as it is known, for encoding/json.
func Variables(data []byte) (map[string]any, error) {
	s, err := readSettings("settings.py", data)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for name, v := range s.vars {
		if v.known && !unsure(v.value) {
			out[name] = forJSON(v.value)
		}
	}
	return out, nil
}

func forJSON(v any) any {
	switch v := v.(type) {
	case pyList:
		out := []any{}
		for _, x := range v {
			out = append(out, forJSON(x))
		}
		return out
	case pyDict:
		out := map[string]any{}
		for _, p := range v {
			key, _ := p.key.(string)
			out[key] = forJSON(p.value)
		}
		return out
	}
	return v
}
