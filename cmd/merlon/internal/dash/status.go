package dash

import (
	"net/http"
	"strings"
)

// statusView explains an answer that is not a page.
type statusView struct {
	Code  int
	Title string
	Text  string
	Hosts []string // the names that do work, for 421
}

// status writes the page of an error status, in the look of the others.
func (d *Dashboard) status(w http.ResponseWriter, r *http.Request, code int) {
	body := statusView{Code: code, Title: http.StatusText(code), Text: statusText(code, w.Header())}
	if code == http.StatusMisdirectedRequest {
		body.Hosts = d.hosts.shown()
	}
	err := d.render(w, r, view{Name: "status", Title: body.Title, Status: code, Body: body})
	if err != nil {
		d.log.Error("dashboard page", "path", r.URL.Path, "error", err)
		http.Error(w, http.StatusText(code), code)
	}
}

func statusText(code int, h http.Header) string {
	switch code {
	case http.StatusBadRequest:
		return "The form did not arrive whole. Go back and send it again."
	case http.StatusForbidden:
		return "This request was started by another site, so nothing was changed. Open the dashboard itself and try there."
	case http.StatusNotFound:
		return "There is no such page. An issue disappears from here when it is removed from the database."
	case http.StatusMethodNotAllowed:
		return "This page does not take that kind of request. It takes " + strings.ReplaceAll(h.Get("Allow"), ", ", " and ") + "."
	case http.StatusMisdirectedRequest:
		return "The dashboard does not answer under this address. A page elsewhere could have pointed its own name at this machine, " +
			"so only the names from the configuration count."
	case http.StatusTooManyRequests:
		return "Too many wrong tokens were tried in the last minute. Wait a minute, then paste the token again: it has not changed."
	default:
		return "Something went wrong here. The log of merlon says what; reports are still being taken in."
	}
}
