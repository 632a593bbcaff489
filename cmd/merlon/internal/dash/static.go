package dash

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"time"
)

//go:embed static/*
var staticFiles embed.FS

// asset is an embedded file and the version that its address carries.
type asset struct {
	data    []byte
	version string
}

func loadStatic() (map[string]asset, error) {
	entries, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		return nil, err
	}
	assets := make(map[string]asset)
	for _, e := range entries {
		data, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		assets[e.Name()] = asset{data, hex.EncodeToString(sum[:6])}
	}
	return assets, nil
}

// assetURL is the address of an embedded file. It changes with the content, so a browser may keep what it has for good.
func (d *Dashboard) assetURL(name string) string {
	return "/static/" + name + "?v=" + d.static[name].version
}

func (d *Dashboard) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	a, ok := d.static[name]
	if !ok {
		d.status(w, r, http.StatusNotFound)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == a.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(a.data))
}
