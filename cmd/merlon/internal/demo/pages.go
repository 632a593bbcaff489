package demo

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed templates/*/*.html static/*.css
var files embed.FS

// maxBody is the size in bytes of the largest form that any of the sites reads.
const maxBody = 16 << 10

// site is the pages of one of the four sites, by file name without extension.
type site map[string]*template.Template

// loadSite parses templates/NAME. Every page fills the blocks of its layout.
// The templates are compiled in and each is rendered by a test, so a mistake in
// them is a bug of this package: it panics.
func loadSite(name string) site {
	dir := "templates/" + name
	layout := template.Must(template.ParseFS(files, dir+"/layout.html"))
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		panic(err)
	}
	s := site{}
	for _, e := range entries {
		if e.Name() == "layout.html" {
			continue
		}
		page := template.Must(layout.Clone())
		template.Must(page.ParseFS(files, path.Join(dir, e.Name())))
		s[strings.TrimSuffix(e.Name(), ".html")] = page
	}
	return s
}

// render sends one page. It renders to memory first, so that a mistake in a
// template is a clean 500 and not half a page.
func (s site) render(w http.ResponseWriter, status int, page string, data any) {
	var buf bytes.Buffer
	if err := s[page].ExecuteTemplate(&buf, "layout.html", data); err != nil {
		http.Error(w, "rendering "+page+": "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(buf.Bytes())
}

// stylesheet serves static/NAME.
func stylesheet(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "static/"+name)
	}
}

// readForm parses a form of at most maxBody bytes, or answers 400.
func readForm(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "reading the form: "+err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}
