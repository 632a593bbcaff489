package gateway

import (
	"context"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/access"
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
		errorPage(w, http.StatusRequestTimeout, "The request took too long to arrive.", "Please try again, over a faster connection if there is one.")
		return
	case errors.Is(err, errNoBody):
		errorPage(w, http.StatusBadRequest, "The request broke off.", "Please try again.")
		return
	case errors.Is(err, context.Canceled): // the client left
		errorPage(w, http.StatusBadGateway, "The request was given up.", "")
		return
	}
	p.log.Error("the application does not answer", "upstream", p.app.Upstream.String(), "method", access.Method(r), "path", access.Path(r), "error", p.app.Nonce.scrub(err.Error()))
	if errors.Is(err, os.ErrDeadlineExceeded) || os.IsTimeout(err) {
		errorPage(w, http.StatusGatewayTimeout, "The application took too long to answer.", tryAgain)
		return
	}
	errorPage(w, http.StatusBadGateway, "The application does not answer.", tryAgain)
}

// tryAgain is what visitors can do, and where operators see the reason.
const tryAgain = "Please try again in a moment. The gateway's log says why this happened."

func tooLarge(w http.ResponseWriter) {
	w.Header().Set("Connection", "close") // the rest of the body would be read to find the next request
	errorPage(w, http.StatusRequestEntityTooLarge, "The request is too large.", "Please send less at once. Where the limit is too low, max-body in the policy file raises it.")
}

func unknownHost(w http.ResponseWriter, r *http.Request) {
	errorPage(w, http.StatusMisdirectedRequest, "No site here has this host name.", "Please look for a mistake in the address. The operator can name it under hosts in the policy file.")
}

func badRequest(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close") // what follows may be read in different ways as well
	}
	errorPage(w, http.StatusBadRequest, "Servers read this request in different ways, so it was not passed on.", "Please look for a mistake in the address.")
}

// recovering returns next with an answer for panics, inside the Guard so that it carries the headers. Where a part of another
// answer is out already, the connection ends.
func recovering(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			switch {
			case v == nil:
				return
			case v == http.ErrAbortHandler:
				panic(v)
			}
			access.LogPanic(log, r, v)
			if !access.Of(r.Context()).Recovered() {
				panic(http.ErrAbortHandler)
			}
			clear(w.Header()) // of the answer that came to nothing
			errorPage(w, http.StatusInternalServerError, "The gateway failed at this request.", "Please try again. The gateway's log says where it failed.")
		}()
		next.ServeHTTP(w, r)
	})
}

// errorHead begins a page. A strict policy lets no style through, but it does not govern these two elements: letters of a readable
// size on telephones, and dark pages for those who want them.
const errorHead = `<!doctype html>
<html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width"><meta name=color-scheme content="light dark">
`

// errorPage writes a page that needs nothing that a strict policy forbids: what happened, and what to do about it.
func errorPage(w http.ResponseWriter, status int, what, hint string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	title := html.EscapeString(strconv.Itoa(status) + " " + http.StatusText(status))
	page := errorHead + "<title>" + title + "</title>\n<h1>" + title + "</h1>\n<p>" + html.EscapeString(what) + "</p>\n"
	if hint != "" {
		page += "<p>" + html.EscapeString(hint) + "</p>\n"
	}
	io.WriteString(w, page+"</html>\n")
}
