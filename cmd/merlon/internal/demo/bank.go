package demo

import (
	"crypto/subtle"
	"html/template"
	"net/http"
	"strings"
)

// The one customer, as the log-in form has them filled in.
const (
	bankUser     = "alice"
	bankPassword = "wonderland"
)

// cookieName is the name of the bank's session cookie.
const cookieName = "bank"

// nonceHeader is the request header in which the gateway hands on the nonce of
// the response that the bank is about to make. Without a gateway there is none.
const nonceHeader = "Merlon-Nonce"

// BankConfig says what Merlon Bank needs to know of its surroundings.
type BankConfig struct {
	// ThirdPartyOrigin is where [NewThirdParty] listens, such as
	// http://127.0.0.1:8084. The bank loads an image from there and has a form
	// that posts to it.
	ThirdPartyOrigin string
}

// bank is the vulnerable application.
type bank struct {
	thirdParty string
	pages      site
	ledger     *ledger
}

// NewBank returns Merlon Bank, which is vulnerable on purpose (see the package
// comment). All state is in memory, bounded, and starts afresh with each call.
// The handler is safe for concurrent use.
func NewBank(c BankConfig) http.Handler {
	b := &bank{
		thirdParty: strings.TrimRight(c.ThirdPartyOrigin, "/"),
		pages:      loadSite("bank"),
		ledger:     newLedger(),
	}
	return loopbackOnly(lenient(refuseOtherSites(b.routes())))
}

func (b *bank) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.showLogIn)
	mux.HandleFunc("POST /login", b.logIn)
	mux.HandleFunc("POST /logout", b.customer(b.logOut))
	mux.HandleFunc("GET /account", b.customer(b.showAccount))
	mux.HandleFunc("GET /transfer", b.customer(b.showTransfer))
	mux.HandleFunc("POST /transfer", b.customer(b.transfer))
	mux.HandleFunc("GET /search", b.search)
	mux.HandleFunc("POST /comment", b.comment)
	mux.HandleFunc("GET /widget", b.widget)
	mux.HandleFunc("GET /admin", b.admin)
	mux.HandleFunc("POST /reset", b.reset)
	mux.HandleFunc("GET /static/bank.css", stylesheet("bank.css"))
	mux.HandleFunc("GET /upstream-error", func(w http.ResponseWriter, r *http.Request) {
		b.fail(w, r, http.StatusInternalServerError, "Something broke inside the bank, on purpose.")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		b.fail(w, r, http.StatusNotFound, "The bank has no such page.")
	})
	return mux
}

// refuseOtherSites answers 403 to what a page of another site caused, so that
// while the demo runs nobody on the web can send a browser here with a payload.
// The log-in page reflects nothing and changes nothing: links to it may work.
func refuseOtherSites(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if causedByOtherSite(r) && r.URL.Path != "/" {
			http.Error(w, "Another site sent you here, and this bank is vulnerable on purpose.\n"+
				"Open all sites of the demo by the same host name, 127.0.0.1.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// bankPage is the data of the bank's templates. Each uses what it needs.
type bankPage struct {
	Title      string
	Embedded   bool   // shown in a partner's page: no header, no footer
	Nonce      string // empty: no gateway in front
	ThirdParty string
	Token      string // the session's form token; empty: nobody is logged in
	Balance    int
	Transfers  []transfer
	Message    string
	User       string
	Password   string
	To, Amount string

	// Vulnerable on purpose: the type turns off the escaping of what people sent.
	Query    template.HTML
	Comments []template.HTML
}

// page returns what all pages show. Balance is part of it, since every page has
// it in its header once somebody is logged in.
func (b *bank) page(r *http.Request, title string) bankPage {
	p := bankPage{Title: title, Nonce: r.Header.Get(nonceHeader), ThirdParty: b.thirdParty}
	if s, ok := b.sessionOf(r); ok {
		p.Token = s.token
		p.Balance = b.ledger.view().Balance
	}
	return p
}

func (b *bank) fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	p := b.page(r, http.StatusText(status))
	p.Message = message
	b.pages.render(w, status, "error", p)
}

func (b *bank) sessionOf(r *http.Request) (session, bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return session{}, false
	}
	return b.ledger.session(c.Value)
}

// customer lets next run for somebody who is logged in. What changes state must
// bring the session's token as well: this bank did protect its forms against
// cross-site request forgery, and that does not help against a click that the
// customer makes.
func (b *bank) customer(next func(http.ResponseWriter, *http.Request, session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, ok := b.sessionOf(r)
		if !ok {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		if r.Method == http.MethodPost {
			if !readForm(w, r) {
				return
			}
			if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("token")), []byte(s.token)) != 1 {
				b.fail(w, r, http.StatusForbidden, "The form did not carry this session's token.")
				return
			}
		}
		next(w, r, s)
	}
}
