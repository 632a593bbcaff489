package dash

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed templates
var templateFiles embed.FS

// view is what the layout needs around a page's own data.
type view struct {
	Name   string // of the template
	Title  string
	Status int // 0 means 200
	Body   any

	LoggedIn bool   // set by render, as are the following
	Notice   string // from the Config
}

// parseTemplates makes one template set per page: the layout with the shared parts, and the page's "main".
func (d *Dashboard) parseTemplates() (map[string]*template.Template, error) {
	layout, err := template.New("layout.html").Funcs(d.templateFuncs()).ParseFS(templateFiles, "templates/layout.html", "templates/parts/*.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(templateFiles, "templates/pages/*.html")
	if err != nil {
		return nil, err
	}
	pages := make(map[string]*template.Template)
	for _, file := range files {
		page, err := layout.Clone()
		if err == nil {
			page, err = page.ParseFS(templateFiles, file)
		}
		if err != nil {
			return nil, err
		}
		pages[strings.TrimSuffix(path.Base(file), ".html")] = page
	}
	return pages, nil
}

func (d *Dashboard) templateFuncs() template.FuncMap {
	return template.FuncMap{
		"visible": visible, "cut": cut, "prose": prose, "number": number, "plural": plural,
		"stateName": stateName, "stateHelp": stateHelp, "pair": func(a, b any) pair { return pair{a, b} },
		"at":    func(t time.Time) instant { return instant{t, d.now()} },
		"asset": d.assetURL,
	}
}

// pair hands two values to a part of a template.
type pair struct{ A, B any }

// render writes a page. The template runs to its end first, so that a page is never half sent.
func (d *Dashboard) render(w http.ResponseWriter, r *http.Request, v view) error {
	v.LoggedIn, v.Notice = d.hosts.contains(r.Host) && d.loggedIn(r), d.notice
	var buf bytes.Buffer
	if err := d.templates[v.Name].ExecuteTemplate(&buf, "layout.html", v); err != nil {
		return fmt.Errorf("page %s: %w", v.Name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store") // a page behind a log-in stays out of every cache
	if v.Status != 0 {
		w.WriteHeader(v.Status)
	}
	w.Write(buf.Bytes()) // an error means that the browser has gone
	return nil
}
