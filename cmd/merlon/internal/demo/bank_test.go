package demo_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func TestLogIn(t *testing.T) {
	c := newBank(t)
	page := c.get("/").wants(http.StatusOK)
	user, password := page.attr("input[name=user]", "value"), page.attr("input[name=password]", "value")
	if user != "alice" || password == "" {
		t.Errorf("log-in form: got user %q and password %q, want both filled in", user, password)
	}
	c.post("/login", "user", user, "password", "wrong").wants(http.StatusForbidden)
	if c.cookie != nil {
		t.Fatalf("wrong password: got cookie %v, want none", c.cookie)
	}
	res := c.post("/login", "user", user, "password", password).wants(http.StatusSeeOther)
	if got := res.Header.Get("Location"); got != "/account" {
		t.Errorf("log in: got Location %q, want /account", got)
	}
	if k := c.cookie; k.Name != "bank" || !k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.Secure || k.Domain != "" {
		t.Errorf("log in: got cookie %v, want bank, HttpOnly, SameSite=Lax, host-only", k)
	}
	if got := c.get("/account").wants(http.StatusOK).text("#balance"); got != "€2500" {
		t.Errorf("balance: got %q, want €2500", got)
	}
}

func TestLogOutEndsTheSession(t *testing.T) {
	c := loggedIn(t)
	old := *c.cookie
	token := c.get("/account").attr("input[name=token]", "value")
	c.post("/logout", "token", token).wants(http.StatusSeeOther)
	c.cookie = &old
	if got := c.get("/account").wants(http.StatusSeeOther).Header.Get("Location"); got != "/" {
		t.Errorf("account after log-out: got Location %q, want /", got)
	}
}

func TestPrivatePagesNeedALogIn(t *testing.T) {
	c := newBank(t)
	for _, path := range []string{"/account", "/transfer?to=mallory&amount=100"} {
		if got := c.get(path).wants(http.StatusSeeOther).Header.Get("Location"); got != "/" {
			t.Errorf("GET %s: got Location %q, want /", path, got)
		}
	}
	c.post("/transfer", "to", "mallory", "amount", "100").wants(http.StatusSeeOther)
	c.cookie = &http.Cookie{Name: "bank", Value: "guessed"}
	c.get("/account").wants(http.StatusSeeOther)
}

func TestOldestSessionGoes(t *testing.T) {
	c := loggedIn(t)
	first := c.cookie
	for range 32 {
		c.post("/login", "user", "alice", "password", "wonderland").wants(http.StatusSeeOther)
	}
	c.get("/account").wants(http.StatusOK)
	c.cookie = first
	c.get("/account").wants(http.StatusSeeOther)
}

func TestTransferMovesMoney(t *testing.T) {
	c := loggedIn(t)
	page := c.get("/transfer?to=mallory&amount=100").wants(http.StatusOK)
	if to, amount := page.attr("input[name=to]", "value"), page.attr("input[name=amount]", "value"); to != "mallory" || amount != "100" {
		t.Errorf("transfer form: got to %q and amount %q, want mallory and 100", to, amount)
	}
	if got := page.text("button#transfer"); got != "Transfer" {
		t.Errorf("transfer button: got %q, want Transfer", got)
	}
	c.transfer("mallory", "100").wants(http.StatusSeeOther)
	account := c.get("/account")
	if got := account.text("#balance"); got != "€2400" {
		t.Errorf("balance after the transfer: got %q, want €2400", got)
	}
	if got := account.text("table#transfers"); !strings.HasPrefix(got, "mallory−€100") {
		t.Errorf("transfers: got %q, want mallory first", got)
	}
}

func TestTransferNeedsTheSessionsToken(t *testing.T) {
	c := loggedIn(t)
	other := c.cookie
	foreign := c.get("/transfer").attr("input#transfer-token", "value")
	c.post("/login", "user", "alice", "password", "wonderland")
	if other.Value == c.cookie.Value {
		t.Fatal("two log-ins got the same session")
	}
	for _, token := range []string{"", "x", foreign} {
		c.post("/transfer", "token", token, "to", "mallory", "amount", "100").wants(http.StatusForbidden)
	}
	if got := c.get("/account").text("#balance"); got != "€2500" {
		t.Errorf("balance after forged transfers: got %q, want €2500", got)
	}
}

func TestTransferRefusesNonsense(t *testing.T) {
	c := loggedIn(t)
	tests := []struct {
		to, amount string
		want       int
	}{
		{"mallory", "-5", http.StatusBadRequest},
		{"mallory", "0", http.StatusBadRequest},
		{"mallory", "1e3", http.StatusBadRequest},
		{"mallory", "99999999999999999999", http.StatusBadRequest},
		{"", "5", http.StatusBadRequest},
		{strings.Repeat("m", 41), "5", http.StatusBadRequest},
		{"mallory", "2501", http.StatusConflict},
		{"mallory", "2500", http.StatusSeeOther},
	}
	for _, tt := range tests {
		c.transfer(tt.to, tt.amount).wants(tt.want)
	}
	if got := c.get("/account").text("#balance"); got != "€0" {
		t.Errorf("balance: got %q, want €0", got)
	}
}

func TestTransfersAreEscapedAndBounded(t *testing.T) {
	c := loggedIn(t)
	for range 15 {
		c.transfer("<b id=hurt>x</b>", "1").wants(http.StatusSeeOther)
	}
	account := c.get("/account")
	if account.has("#hurt") {
		t.Error("the recipient of a transfer was shown unescaped")
	}
	if got := strings.Count(account.text("table#transfers"), "<b id=hurt>"); got != 10 {
		t.Errorf("transfers shown: got %d, want 10", got)
	}
	if c.get("/transfer?to=%22%3E%3Cb+id%3Dhurt%3E").has("#hurt") {
		t.Error("the prefilled recipient was shown unescaped")
	}
}

func TestResetRestores(t *testing.T) {
	c := loggedIn(t)
	before := c.get("/account").body
	c.transfer("mallory", "100")
	c.post("/comment", "text", "hello")
	if c.get("/account").body == before {
		t.Fatal("a transfer and a comment changed nothing")
	}
	c.post("/reset").wants(http.StatusSeeOther)
	if got := c.get("/account").wants(http.StatusOK).body; got != before {
		t.Errorf("account after reset:\n%s\nwant:\n%s", got, before)
	}
}

func TestErrorPages(t *testing.T) {
	c := newBank(t)
	for path, want := range map[string]int{
		"/upstream-error":    http.StatusInternalServerError,
		"/nowhere":           http.StatusNotFound,
		"/static/":           http.StatusNotFound,
		"/static/other.css":  http.StatusNotFound,
		"/static/../bank.go": http.StatusNotFound,
	} {
		page := c.get(path).wants(want)
		if got := page.text("h1"); got != http.StatusText(want) {
			t.Errorf("GET %s: got heading %q, want %q", path, got, http.StatusText(want))
		}
	}
}

func TestLargeBodiesAreRefused(t *testing.T) {
	c := loggedIn(t)
	large := strings.Repeat("x", 17<<10)
	for _, path := range []string{"/login", "/comment", "/transfer"} {
		c.post(path, "text", large).wants(http.StatusBadRequest)
	}
}

func TestBankSetsNoProtectionItself(t *testing.T) {
	h := loggedIn(t).get("/account").Header
	for _, name := range []string{"Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options"} {
		if v := h.Get(name); v != "" {
			t.Errorf("bare bank: got %s: %s, want none: the demo shows an unprotected app", name, v)
		}
	}
}

// One bank stands behind the bare and the protected address.
func TestConcurrentUse(t *testing.T) {
	c := loggedIn(t)
	token := c.get("/transfer").attr("input#transfer-token", "value")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			own := &client{t: t, h: c.h, cookie: c.cookie}
			for j := range 10 {
				own.get("/account")
				own.post("/transfer", "token", token, "to", "mallory", "amount", "1")
				own.post("/comment", "text", fmt.Sprint(i, j))
				own.get("/search?q=" + url.QueryEscape("<i>"))
			}
			own.post("/login", "user", "alice", "password", "wonderland")
		})
	}
	wg.Wait()
	if got := c.get("/account").text("#balance"); got != "€2420" {
		t.Errorf("balance after 80 transfers of €1: got %q, want €2420", got)
	}
}
