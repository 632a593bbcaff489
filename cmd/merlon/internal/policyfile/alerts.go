package policyfile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
)

// Alerts says whom to tell when reports say that something happens, and what counts as that. Zero leaves a number or time its default.
type Alerts struct {
	Webhook      string // the URL, a secret; "" for none
	Email        *Email // nil for none
	Roots        []byte // PEM certificates that both are trusted by; nil for those of the system
	AllowPrivate bool   // the webhook may be at an address that is not on the public internet

	Critical []string // patterns of paths
	PerHour  int
	Silence  time.Duration
	Jump     float64
	JumpFrom int64
}

// Email says how mail is sent.
type Email struct {
	To       []string
	From     string
	Server   string // host and port
	Username string // "" does not log in
	Password string
	TLS      string // starttls, tls or off
}

const (
	alertsHint = "write alerts: {webhook_file: webhook.txt}, or alerts: {email: {to: [ops@shop.example], from: merlon@shop.example, smtp: \"mail.shop.example:587\"}}"
	fileHint   = "write the URL into a file that only merlon can read, and webhook_file: FILE"

	// The bounds of what counts. Reports are counted by the hour, and compared with a week.
	minSilence, maxSilence = time.Hour, 48 * time.Hour
	maxPerHour             = 1000
	maxJump                = 1000
	maxJumpFrom            = 1_000_000
	maxCritical            = 100
)

func (r *reader) alerts(v any) *Alerts {
	keys := r.section(v, "alerts", alertsHint, alertKeys)
	if keys == nil {
		return nil
	}
	a := &Alerts{AllowPrivate: r.flag(keys, "alerts", "allow_private"), Roots: r.roots(keys, "alerts", "ca_file"), Critical: r.critical(keys),
		PerHour: int(r.number(keys, "per-hour", 1, maxPerHour, true)), Silence: r.silence(keys), Jump: r.number(keys, "jump", 1, maxJump, false),
		JumpFrom: int64(r.number(keys, "jump-reports", 1, maxJumpFrom, true))}
	a.Webhook = r.webhook(keys, a.AllowPrivate)
	if email, ok := keys["email"]; ok {
		a.Email = r.email(email)
	} else if keys["webhook"] == nil && keys["webhook_file"] == nil {
		r.wrong("alerts", cfgerrors.Missing, "", "nobody to tell", alertsHint)
	}
	return a
}

// webhook reads the address of a webhook. One that is a secret stands in a file of its own.
func (r *reader) webhook(keys map[string]any, allowPrivate bool) string {
	here, file, at := r.text(keys, "alerts", "webhook"), r.text(keys, "alerts", "webhook_file"), "alerts.webhook"
	switch {
	case here != "" && file != "":
		r.wrong(at, cfgerrors.Conflict, "", "webhook_file stands beside it", "keep one of the two")
		return ""
	case here != "" && secretURL(here): // which no message may repeat
		r.wrong(at, cfgerrors.InvalidValue, "", "whoever knows this URL can post, so it is a secret", fileHint)
		return ""
	case file != "":
		at += "_file"
		data, ok := r.contents(at, file, fileHint, maxSecretBytes)
		if here = strings.TrimSpace(string(data)); !ok {
			return ""
		}
	case here == "":
		return ""
	}
	if err := notify.CheckWebhook(here, allowPrivate); err != nil {
		r.wrong(at, cfgerrors.InvalidValue, file, err.Error(), "it is a URL such as https://hooks.shop.example/merlon; plain HTTP takes allow_private: true")
		return ""
	}
	return here
}

// mixed finds a letter and a digit in a segment of a path that is as long as a token.
var mixed = regexp.MustCompile(`[A-Za-z].*[0-9]|[0-9].*[A-Za-z]`)

// secretURL reports whether a URL looks like one that lets everybody post who knows it: a user, a query, a token in the path, the hosts
// of chats.
func secretURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return strings.Contains(text, "@") || len(text) > 60
	}
	host := strings.ToLower(u.Hostname())
	for _, chat := range []string{"hooks.slack.com", "discord.com", "discordapp.com", "webhook.office.com"} {
		if host == chat || strings.HasSuffix(host, "."+chat) {
			return true
		}
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if len(segment) >= 16 && mixed.MatchString(segment) || len(segment) >= 26 {
			return true
		}
	}
	return u.User != nil || u.RawQuery != ""
}

func (r *reader) email(v any) *Email {
	const path, hint = "alerts.email", `write email: {to: [ops@shop.example], from: merlon@shop.example, smtp: "mail.shop.example:587"}`
	keys := r.keys(v, path, hint, mailKeys)
	if keys == nil {
		return nil
	}
	e := &Email{To: r.texts(keys, path, "to"), From: r.text(keys, path, "from"), Server: r.text(keys, path, "smtp"), Username: r.text(keys, path, "username"),
		TLS: cmp.Or(r.oneOf(keys, path, "tls", notify.TLSModes()), notify.TLSModes()[0])}
	for i, address := range append([]string{e.From}, e.To...) {
		at := path + ".from"
		if i > 0 {
			at = fmt.Sprintf("%s.to[%d]", path, i-1)
		}
		if _, err := notify.CheckMailAddress(address); err != nil && (address != "" || i > 0) {
			r.wrong(at, cfgerrors.InvalidValue, address, err.Error(), "write ops@shop.example")
		}
	}
	if e.From == "" || e.Server == "" || len(e.To) == 0 {
		r.wrong(path, cfgerrors.Missing, "", "mail takes at least to, from and smtp", hint)
	} else if err := notify.CheckServer(e.Server, e.TLS); err != nil {
		r.wrong(path+".smtp", cfgerrors.InvalidValue, e.Server, err.Error(), `write smtp: "mail.shop.example:587"`)
	}
	e.Password = r.password(keys, path, e.Username)
	return e
}

func (r *reader) password(keys map[string]any, path, username string) string {
	name := r.text(keys, path, "password_file")
	if (name == "") != (username == "") {
		r.wrong(path, cfgerrors.Missing, "", "a log-in takes username and password_file", "write both, or none")
	}
	if name == "" {
		return ""
	}
	data, ok := r.contents(path+".password_file", name, "write the password into a file that only merlon can read", maxSecretBytes)
	password := strings.TrimRight(string(data), "\r\n")
	if ok && password == "" {
		r.wrong(path+".password_file", cfgerrors.InvalidValue, name, "the file is empty", "")
	}
	return password
}

func (r *reader) critical(keys map[string]any) []string {
	out := r.texts(keys, "alerts", "critical")
	if len(out) > maxCritical {
		r.wrong("alerts.critical", cfgerrors.InvalidValue, fmt.Sprint(len(out)), fmt.Sprintf("more than %d patterns", maxCritical), "one pattern such as /checkout/ has all paths below it")
	}
	for i, pattern := range out {
		if err := checkPattern(pattern); err != nil {
			r.wrong(fmt.Sprintf("alerts.critical[%d]", i), cfgerrors.InvalidValue, pattern, err.Error(), "write /checkout/ for all paths that begin so, or /login for one")
		}
	}
	return out
}

// checkPattern says what is wrong with a pattern of paths: one of Go's ServeMux, without method and host.
func checkPattern(pattern string) (err error) {
	if !strings.HasPrefix(pattern, "/") {
		return errors.New("a pattern of paths begins with /")
	}
	defer func() { // that is how Handle says it
		if recover() != nil {
			err = errors.New("no pattern of Go's ServeMux")
		}
	}()
	http.NewServeMux().Handle(pattern, http.NotFoundHandler())
	return nil
}

// texts returns the list of texts under a key.
func (r *reader) texts(keys map[string]any, path, key string) []string {
	v, ok := keys[key]
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		r.wrong(under(path, key), cfgerrors.WrongType, fmt.Sprint(v), "this key takes a list", "write it in brackets, [a, b]")
	}
	var out []string
	for i, item := range list {
		s, ok := item.(string)
		if !ok || s == "" {
			r.wrong(fmt.Sprintf("%s[%d]", under(path, key), i), cfgerrors.WrongType, fmt.Sprint(item), "this list takes texts", "")
			continue
		}
		out = append(out, s)
	}
	return out
}

func (r *reader) silence(keys map[string]any) time.Duration {
	text := r.text(keys, "alerts", "silence")
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < minSilence || d > maxSilence {
		r.wrong("alerts.silence", cfgerrors.InvalidValue, text, "no time from 1h to 48h", "write silence: 6h")
	}
	return d
}

// number returns the number under a key of alerts, or 0 when it is absent.
func (r *reader) number(keys map[string]any, key string, least, most float64, whole bool) float64 {
	v, ok := keys[key]
	if !ok {
		return 0
	}
	var n float64
	text := fmt.Sprint(v)
	_, quoted := v.(string)
	if err := json.Unmarshal([]byte(text), &n); err != nil || quoted || n < least || n > most || whole && n != float64(int64(n)) {
		kind := "number"
		if whole {
			kind = "whole number"
		}
		r.wrong("alerts."+key, cfgerrors.InvalidValue, text, fmt.Sprintf("no %s from %v to %v", kind, least, most), "")
		return 0
	}
	return n
}
