package demo

import (
	"html/template"
	"net/http"
	"strconv"
)

// Bounds of what people may send to the bank, in bytes.
const (
	maxQuery     = 4 << 10
	maxComment   = 2 << 10
	maxRecipient = 40
)

func (b *bank) showLogIn(w http.ResponseWriter, r *http.Request) {
	b.renderLogIn(w, r, http.StatusOK, "")
}

func (b *bank) renderLogIn(w http.ResponseWriter, r *http.Request, status int, message string) {
	p := b.page(r, "Log in")
	p.User, p.Password, p.Message = bankUser, bankPassword, message
	b.pages.render(w, status, "login", p)
}

func (b *bank) logIn(w http.ResponseWriter, r *http.Request) {
	if !readForm(w, r) {
		return
	}
	if r.PostForm.Get("user") != bankUser || r.PostForm.Get("password") != bankPassword {
		b.renderLogIn(w, r, http.StatusForbidden, "The bank knows only alice, with the password that was filled in.")
		return
	}
	// HttpOnly and SameSite=Lax are what a careful bank sets. Neither helps
	// here: a script inside the page does not need the cookie, and a frame on a
	// same-site page gets it. There is no Secure, since the demo is plain HTTP.
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: b.ledger.logIn().id, Path: "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

func (b *bank) logOut(w http.ResponseWriter, r *http.Request, s session) {
	b.ledger.logOut(s.id)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (b *bank) showAccount(w http.ResponseWriter, r *http.Request, _ session) {
	p := b.page(r, "Your account")
	state := b.ledger.view()
	p.Balance, p.Transfers, p.User = state.Balance, state.Transfers, bankUser
	for _, text := range state.Comments {
		// Vulnerable on purpose: stored script injection. Anybody may have
		// written the comment, and it becomes part of the page as it is.
		p.Comments = append(p.Comments, template.HTML(text))
	}
	b.pages.render(w, http.StatusOK, "account", p)
}

func (b *bank) showTransfer(w http.ResponseWriter, r *http.Request, _ session) {
	p := b.page(r, "Transfer money")
	p.To, p.Amount = r.FormValue("to"), r.FormValue("amount")
	b.pages.render(w, http.StatusOK, "transfer", p)
}

func (b *bank) transfer(w http.ResponseWriter, r *http.Request, _ session) {
	to := r.PostForm.Get("to")
	amount, err := strconv.Atoi(r.PostForm.Get("amount"))
	if err != nil || amount < 1 || to == "" || len(to) > maxRecipient {
		b.fail(w, r, http.StatusBadRequest, "A transfer needs a recipient of at most 40 bytes and an amount in whole euros.")
		return
	}
	if err := b.ledger.pay(transfer{to, amount}); err != nil {
		b.fail(w, r, http.StatusConflict, "Nothing was transferred: "+err.Error()+".")
		return
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

func (b *bank) search(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query().Get("q")
	if len(q) > maxQuery {
		b.fail(w, r, http.StatusRequestURITooLong, "That is too long a search.")
		return
	}
	p := b.page(r, "Search")
	// Vulnerable on purpose: reflected script injection. What the link says
	// becomes part of the page as it is.
	p.Query = template.HTML(q)
	b.pages.render(w, http.StatusOK, "search", p)
}

// widget does not start from page: a partner may frame it, so nothing of the
// session may get near it.
func (b *bank) widget(w http.ResponseWriter, r *http.Request) {
	b.pages.render(w, http.StatusOK, "widget", bankPage{
		Title: "Exchange rates", Nonce: r.Header.Get(nonceHeader), Embedded: true,
	})
}

func (b *bank) admin(w http.ResponseWriter, r *http.Request) {
	b.pages.render(w, http.StatusOK, "admin", b.page(r, "Administration"))
}

// comment asks for neither a log-in nor a token: the guest book is public.
func (b *bank) comment(w http.ResponseWriter, r *http.Request) {
	if !readForm(w, r) {
		return
	}
	text := r.PostForm.Get("text")
	if text == "" || len(text) > maxComment {
		b.fail(w, r, http.StatusBadRequest, "A comment has between 1 and 2048 bytes.")
		return
	}
	b.ledger.comment(text)
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

// reset needs no token either: it loses nothing but play money, and a visitor
// who is logged out must be able to start over.
func (b *bank) reset(w http.ResponseWriter, r *http.Request) {
	b.ledger.reset()
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}
