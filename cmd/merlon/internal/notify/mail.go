package notify

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// compose writes the message as mail (RFC 5322): a plain text, in headers no more of a report than the headline has.
func (e *Email) compose(m Message, id string) ([]byte, error) {
	var to []string
	for _, a := range e.to {
		to = append(to, a.String())
	}
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", e.from.String()},
		{"To", strings.Join(to, ",\r\n ")},
		{"Subject", folded(mime.QEncoding.Encode("utf-8", m.Headline))},
		{"Date", m.At.UTC().Format(time.RFC1123Z)},
		{"Message-ID", id},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: nobody's holiday answers it
		{"X-Auto-Response-Suppress", "All"},  // and Exchange neither
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, err := w.Write([]byte(strings.ReplaceAll(m.text(), "\n", "\r\n") + "\r\n"))
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), err
}

// maxLine is how long a line of a header should be at most (RFC 5322 §2.1.1), without the header's name.
const maxLine = 65

// folded breaks a header's text at spaces into lines.
func folded(text string) string {
	var b strings.Builder
	length := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i > 0 && length+len(word) >= maxLine:
			b.WriteString("\r\n ")
			length = 0
		case i > 0:
			b.WriteByte(' ')
		}
		b.WriteString(word)
		length += len(word) + 1
	}
	return b.String()
}

// newID makes a Message-ID. It says nothing about this machine.
func newID(from *mail.Address) string {
	return "<" + rand.Text() + from.Address[strings.LastIndexByte(from.Address, '@'):] + ">"
}
