package demo

import (
	"net/http"
	"strings"
)

// PartnerConfig says which bank the partner has a contract with.
type PartnerConfig struct {
	Bank string // origin of the protected bank, such as http://127.0.0.1:8082
}

// NewPartner returns the site of the bank's partner. Its one page frames the
// bank's /widget/, which it may, and /account, which it may not.
func NewPartner(c PartnerConfig) http.Handler {
	pages := loadSite("partner")
	data := struct{ Bank string }{strings.TrimRight(c.Bank, "/")}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		pages.render(w, http.StatusOK, "index", data)
	})
	mux.HandleFunc("GET /static/partner.css", stylesheet("partner.css"))
	return loopbackOnly(mux)
}
