package gateway

import (
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// unavailable answers where the application does not, with all of the site's headers.
func (p *proxy) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	if a, ok := w.(*answer); ok {
		err = a.body.cause(err)
	}
	if isLast(r) {
		w.Header().Set("Connection", "close")
	}
	switch {
	case errors.Is(err, rewrite.ErrPlaceholder): // in the body, of which the application has got no more than what stands before it
		p.app.Nonce.refuse(w, r, p.log)
		return
	case errors.Is(err, errTooLarge):
		tooLarge(w)
		return
	case errors.Is(err, errSlowClient):
		w.Header().Set("Connection", "close")
		errorPage(w, http.StatusRequestTimeout, "The request took too long to arrive.", "")
		return
	case errors.Is(err, errNoBody):
		errorPage(w, http.StatusBadRequest, "The request broke off.", "")
		return
	case errors.Is(err, context.Canceled): // the client left
		errorPage(w, http.StatusBadGateway, "The request was given up.", "")
		return
	}
	p.log.Error("the application does not answer", "upstream", p.app.Upstream.String(), "method", r.Method, "path", r.URL.Path, "error", err)
	if errors.Is(err, os.ErrDeadlineExceeded) || os.IsTimeout(err) {
		errorPage(w, http.StatusGatewayTimeout, "The application took too long to answer.", "Please try again in a moment.")
		return
	}
	errorPage(w, http.StatusBadGateway, "The application does not answer.", "Please try again in a moment.")
}

func tooLarge(w http.ResponseWriter) {
	w.Header().Set("Connection", "close") // the rest of the body would be read to find the next request
	errorPage(w, http.StatusRequestEntityTooLarge, "The request is too large.", "")
}

func unknownHost(w http.ResponseWriter, r *http.Request) {
	errorPage(w, http.StatusMisdirectedRequest, "No site here has this host name.", "Its operator can name it under hosts in the policy file.")
}

func badRequest(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close") // what follows may be read in different ways as well
	}
	errorPage(w, http.StatusBadRequest, "Servers read this request in different ways.", "It was not passed on.")
}

// errorPage writes a page that needs nothing that a strict policy forbids.
func errorPage(w http.ResponseWriter, status int, what, hint string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	title := html.EscapeString(strconv.Itoa(status) + " " + http.StatusText(status))
	io.WriteString(w, "<!doctype html>\n<html lang=en><meta charset=utf-8><title>"+title+"</title>\n<h1>"+title+"</h1>\n<p>"+
		html.EscapeString(what)+" "+html.EscapeString(hint)+"</p>\n</html>\n")
}
