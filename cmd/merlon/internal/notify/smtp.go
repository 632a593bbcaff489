package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// EmailConfig says whom to write to, and through which server.
type EmailConfig struct {
	To       []string // addresses, such as ops@shop.example
	From     string
	Server   string         // host and port
	Username string         // "" does not log in
	Password string         // a secret
	TLS      string         // starttls, tls or, on this machine alone, off; "" is starttls
	Roots    *x509.CertPool // nil is the system's
}

// Email writes e-mail.
type Email struct {
	c    EmailConfig
	from *mail.Address
	to   []*mail.Address
}

// TLSModes are what EmailConfig.TLS can be, the one for "" first.
func TLSModes() []string { return []string{"starttls", "tls", "off"} }

// maxTo bounds how many people get an e-mail each.
const maxTo = 20

// NewEmail checks the addresses. It opens no connection.
func NewEmail(c EmailConfig) (*Email, error) {
	c.TLS = cmp.Or(c.TLS, TLSModes()[0])
	e := &Email{c: c}
	var err error
	if e.from, err = CheckMailAddress(c.From); err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	if len(c.To) == 0 || len(c.To) > maxTo {
		return nil, fmt.Errorf("to: it takes 1 to %d addresses", maxTo)
	}
	for _, text := range c.To {
		address, err := CheckMailAddress(text)
		if err != nil {
			return nil, fmt.Errorf("to: %w", err)
		}
		e.to = append(e.to, address)
	}
	return e, CheckServer(c.Server, c.TLS)
}

// CheckMailAddress reads ops@shop.example or "Ops <ops@shop.example>".
func CheckMailAddress(text string) (*mail.Address, error) {
	address, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsFunc(address.Address, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' }) {
		return nil, errors.New("no mail address")
	}
	return address, nil
}

// CheckServer says what is wrong with a mail server and how it is spoken to. Without TLS the password and the alerts would be anybody's to read.
func CheckServer(server, mode string) error {
	host, port, err := net.SplitHostPort(server)
	switch {
	case err != nil || host == "" || port == "":
		return errors.New("a mail server is host and port")
	case !slices.Contains(TLSModes(), mode):
		return errors.New("tls is " + strings.Join(TLSModes(), " or "))
	case mode == "off" && !local(host):
		return errors.New("tls: off is for a server on this machine alone")
	}
	return nil
}

// local reports whether a host is this machine by its name: what a resolver says of others may change.
func local(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// Name is email.
func (*Email) Name() string { return "email" }

const (
	// mailTimeout bounds the whole conversation with the server: some take their time before they greet.
	mailTimeout = 30 * time.Second

	// maxConversation bounds what the server says in it.
	maxConversation = 64 << 10
)

// Send writes to all addresses. If the server takes none for one of them the message goes to nobody.
func (e *Email) Send(ctx context.Context, m Message) error {
	data, err := e.compose(m, newID(e.from))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", e.c.Server)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })() // ends what waits in it
	if err := e.converse(conn, data); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("the mail server did not answer in time: %w", ctx.Err())
		}
		return plainly(err)
	}
	return nil
}

func (e *Email) converse(conn net.Conn, data []byte) error {
	host, _, err := net.SplitHostPort(e.c.Server)
	if err != nil {
		return err
	}
	config := &tls.Config{ServerName: host, RootCAs: e.c.Roots}
	conn = &bounded{Conn: conn, left: maxConversation}
	if e.c.TLS == "tls" {
		conn = tls.Client(conn, config)
	}
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	// The name of this machine is nobody's business, and some servers refuse localhost.
	if err := client.Hello(e.from.Address[strings.LastIndexByte(e.from.Address, '@')+1:]); err != nil {
		return err
	}
	if e.c.TLS == "starttls" {
		if ok, _ := client.Extension("STARTTLS"); !ok {
			return errors.New("the mail server offers no STARTTLS (write tls: tls for a server that begins with TLS)")
		}
		if err := client.StartTLS(config); err != nil {
			return err
		}
	}
	if e.c.Username != "" {
		if err := client.Auth(smtp.PlainAuth("", e.c.Username, e.c.Password, host)); err != nil {
			return err
		}
	}
	return e.transfer(client, data)
}

func (e *Email) transfer(client *smtp.Client, data []byte) error {
	if err := client.Mail(e.from.Address); err != nil {
		return err
	}
	for _, to := range e.to {
		if err := client.Rcpt(to.Address); err != nil {
			return err
		}
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = client.Quit() // the message is theirs already
	return nil
}

// plainly is an error whose text, if it is the server's, is safe to show.
func plainly(err error) error {
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return fmt.Errorf("its certificate is not trusted: %w", certificate.Err)
	}
	text := err.Error()
	if said := (*textproto.Error)(nil); errors.As(err, &said) {
		text = fmt.Sprintf("%d %s", said.Code, said.Msg)
	}
	return errors.New(Defang(text, 2*MaxName))
}

// bounded is a connection of which no more than left bytes are read.
type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
