package notify_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http/httptest"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"

	"mime/quotedprintable"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
)

// mailServer speaks as much SMTP (RFC 5321, RFC 3207, RFC 4954) as it takes to hand over a message.
type mailServer struct {
	t        *testing.T
	listener net.Listener
	tls      *tls.Config
	roots    *x509.CertPool
	implicit bool   // TLS from the first byte
	plain    bool   // offers no STARTTLS
	refuse   string // an address that it takes nothing for
	greeting string // "" for the usual one

	mu   sync.Mutex
	said []string // commands, in order
	data []string // messages, as they came over the wire
}

func startMail(t *testing.T, change func(*mailServer)) *mailServer {
	t.Helper()
	web := httptest.NewUnstartedServer(nil) // whose certificate is for 127.0.0.1
	web.StartTLS()
	s := &mailServer{t: t, tls: web.TLS.Clone(), roots: x509.NewCertPool(), greeting: "220 mail.shop.example"}
	s.tls.NextProtos = nil
	s.roots.AddCert(web.Certificate())
	web.Close()
	if change != nil {
		change(s)
	}
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		s.listener.Close()
		serving.Wait()
	})
	return s
}

func (s *mailServer) serve(conn net.Conn) {
	defer func() { conn.Close() }()
	if s.implicit {
		conn = tls.Server(conn, s.tls)
	}
	secure := s.implicit
	text := textproto.NewConn(conn)
	text.PrintfLine("%s", s.greeting)
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		s.note(line)
		switch verb, arg, _ := strings.Cut(line, " "); {
		case verb == "EHLO" && !secure && !s.plain:
			text.PrintfLine("250-mail.shop.example\r\n250-STARTTLS\r\n250 AUTH PLAIN")
		case verb == "EHLO":
			text.PrintfLine("250-mail.shop.example\r\n250 AUTH PLAIN")
		case verb == "STARTTLS":
			text.PrintfLine("220 go ahead")
			conn, secure = tls.Server(conn, s.tls), true
			text = textproto.NewConn(conn)
		case verb == "DATA":
			text.PrintfLine("354 go ahead")
			s.receive(text.R)
			text.PrintfLine("250 queued")
		case verb == "QUIT":
			text.PrintfLine("221 bye")
			return
		case verb == "AUTH":
			text.PrintfLine("235 fine")
		case s.refuse != "" && strings.Contains(arg, s.refuse):
			text.PrintfLine("550 no such <user> \x1b[31m https://evil.example")
		default:
			text.PrintfLine("250 fine")
		}
	}
}

func (s *mailServer) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, line)
}

// receive reads a message until the line with a dot alone, as it is on the wire.
func (s *mailServer) receive(r *bufio.Reader) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			break
		}
		b.WriteString(line)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = append(s.data, b.String())
}

func (s *mailServer) config() notify.EmailConfig {
	return notify.EmailConfig{To: []string{"ops@shop.example", "Jürgen <j@shop.example>"}, From: "merlon@shop.example", Server: s.listener.Addr().String(), Roots: s.roots}
}

func mailTo(t *testing.T, c notify.EmailConfig, m notify.Message) error {
	t.Helper()
	e, err := notify.NewEmail(c)
	if err != nil {
		t.Fatal(err)
	}
	return e.Send(t.Context(), m)
}

func TestEmail(t *testing.T) {
	for name, change := range map[string]func(*mailServer){"starttls": nil, "tls": func(s *mailServer) { s.implicit = true }, "off": func(s *mailServer) { s.plain = true }} {
		t.Run(name, func(t *testing.T) {
			s := startMail(t, change)
			c := s.config()
			c.TLS, c.Username, c.Password = name, "merlon", "pass word"
			if err := mailTo(t, c, message); err != nil {
				t.Fatal(err)
			}
			want := []string{"EHLO shop.example", "STARTTLS", "EHLO shop.example", "AUTH PLAIN AG1lcmxvbgBwYXNzIHdvcmQ=", "MAIL FROM:<merlon@shop.example>",
				"RCPT TO:<ops@shop.example>", "RCPT TO:<j@shop.example>", "DATA", "QUIT"}
			if name != "starttls" {
				want = want[2:]
			}
			if !slices.Equal(s.said, want) {
				t.Errorf("said %q, want %q", s.said, want)
			}
			checkMail(t, s.data[0], c)
		})
	}
}

// checkMail reads a message as a mail client does.
func checkMail(t *testing.T, wire string, c notify.EmailConfig) {
	t.Helper()
	for line := range strings.SplitSeq(wire, "\r\n") {
		if len(line) > 78 || strings.ContainsAny(line, "\r\n") || strings.ContainsFunc(line, func(r rune) bool { return r > '~' || r < ' ' }) {
			t.Errorf("a line is no line of mail: %q", line)
		}
		if strings.HasPrefix(line, ".") && !strings.HasPrefix(line, "..") {
			t.Errorf("a dot is not doubled: %q", line)
		}
	}
	m, err := mail.ReadMessage(strings.NewReader(strings.ReplaceAll(wire, "\r\n..", "\r\n.")))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != message.Headline {
		t.Errorf("subject %q, want %q", subject, message.Headline)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 2 || to[1].Name != "Jürgen" || to[1].Address != "j@shop.example" {
		t.Errorf("to %v, %v", to, err)
	}
	if date, err := m.Header.Date(); err != nil || !date.Equal(noon) {
		t.Errorf("date %v, %v", date, err)
	}
	id := m.Header.Get("Message-ID")
	if len(id) < 30 || !strings.HasPrefix(id, "<") || !strings.HasSuffix(id, "@shop.example>") {
		t.Errorf("Message-ID %q", id)
	}
	if m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("Content-Type") != "text/plain; charset=utf-8" || len(m.Header) != 10 {
		t.Errorf("headers %v", m.Header)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if want := message.Headline + "\r\n" + strings.Join(message.Lines, "\r\n") + "\r\n"; err != nil || string(body) != want {
		t.Errorf("body %q, %v, want %q", body, err, want)
	}
}

func TestEmailFailures(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*mailServer)
		config func(*notify.EmailConfig)
		want   string
	}{
		{"no STARTTLS", func(s *mailServer) { s.plain = true }, nil, "offers no STARTTLS"},
		{"a certificate that is not trusted", nil, func(c *notify.EmailConfig) { c.Roots = nil }, "certificate is not trusted"},
		{"a recipient that is refused", func(s *mailServer) { s.refuse = "j@" }, nil, "550 no such %3Cuser%3E [31m hxxps://evil[.]example"},
		{"a greeting without end", func(s *mailServer) { s.greeting = "220-" + strings.Repeat("x", 1<<20) }, nil, "EOF"},
		{"a refusal at the door", func(s *mailServer) { s.greeting = "554 go away" }, nil, "554 go away"},
	} {
		s := startMail(t, tc.change)
		c := s.config()
		if tc.config != nil {
			tc.config(&c)
		}
		if err := mailTo(t, c, message); err == nil || !strings.Contains(err.Error(), tc.want) || len(s.data) > 0 {
			t.Errorf("%s: %v and %d messages, want an error with %q", tc.name, err, len(s.data), tc.want)
		}
	}
	c := notify.EmailConfig{To: []string{"ops@shop.example"}, From: "merlon@shop.example", Server: "127.0.0.1:1"}
	if err := mailTo(t, c, message); err == nil {
		t.Error("a server that is not there takes mail")
	}
}

func TestNewEmail(t *testing.T) {
	good := notify.EmailConfig{To: []string{"ops@shop.example"}, From: "Merlon <merlon@shop.example>", Server: "mail.shop.example:587"}
	if _, err := notify.NewEmail(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*notify.EmailConfig){
		"from: no mail address":          func(c *notify.EmailConfig) { c.From = "merlon" },
		"to: no mail address":            func(c *notify.EmailConfig) { c.To = []string{"ops@shop.example\r\nRCPT TO:<x@evil.example>"} },
		"to: it takes":                   func(c *notify.EmailConfig) { c.To = nil },
		"a mail server is host and port": func(c *notify.EmailConfig) { c.Server = "mail.shop.example" },
		"tls is starttls or tls or off":  func(c *notify.EmailConfig) { c.TLS = "none" },
		"on this machine alone":          func(c *notify.EmailConfig) { c.TLS = "off" },
	} {
		c := good
		change(&c)
		if _, err := notify.NewEmail(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewEmail(%+v): %v, want %q", c, err, want)
		}
	}
}

// Nothing that a message holds ends a header or the message.
func FuzzEmail(f *testing.F) {
	for n, seed := range []string{"https://evil.example", "a\r\n.\r\nQUIT", "x\r\nBcc: a@evil.example", "=?utf-8?q?=0d=0a?=", strings.Repeat("long ", 400)} {
		f.Add(seed, fmt.Sprint(n))
	}
	e, err := notify.NewEmail(notify.EmailConfig{To: []string{"ops@shop.example"}, From: "merlon@shop.example", Server: "mail.shop.example:587"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, headline, line string) {
		headline, line = notify.Defang(headline, 500), notify.Defang(line, 3000)
		data, err := notify.Compose(e, notify.Message{Headline: "[merlon] " + headline, Lines: []string{line}, At: noon}, "<1@shop.example>")
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(strings.NewReader(string(data)))
		if err != nil || len(m.Header) != 10 {
			t.Fatalf("%v, headers %v in %q", err, m.Header, data)
		}
		if got, want := strings.Fields(m.Header.Get("Subject")), strings.Fields("[merlon] "+headline); !slices.Equal(got, want) {
			t.Errorf("subject %q, want %q", got, want)
		}
	})
}
