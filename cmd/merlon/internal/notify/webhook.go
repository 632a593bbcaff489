package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// WebhookConfig says where a webhook is.
type WebhookConfig struct {
	URL          string         // a secret: whoever knows it can post
	Roots        *x509.CertPool // nil is the system's
	AllowPrivate bool           // addresses that are not on the public internet, and plain HTTP
	Resolver     Resolver       // nil is the system's
}

// Webhook posts JSON that Slack, Mattermost and Discord take.
type Webhook struct {
	url    string
	client *http.Client
}

const (
	// webhookTimeout bounds a post, from the host's name to the end of the answer.
	webhookTimeout = 10 * time.Second

	// maxAnswer bounds what is read of an answer, and its header.
	maxAnswer = 4 << 10
)

// NewWebhook checks the address. It opens no connection.
func NewWebhook(c WebhookConfig) (*Webhook, error) {
	if err := CheckWebhook(c.URL, c.AllowPrivate); err != nil {
		return nil, err
	}
	transport := &http.Transport{ // without a proxy: it would resolve the name again
		DialContext:            dialer{c.Resolver, c.AllowPrivate}.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: c.Roots},
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 4 * maxAnswer,
		DisableKeepAlives:      true, // the next alert is hours away
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
	return &Webhook{c.URL, &http.Client{Transport: transport, Timeout: webhookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// CheckWebhook says what is wrong with the address of a webhook, without repeating it.
func CheckWebhook(text string, allowPrivate bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return errors.New("no URL with a host")
	case u.Scheme != "https" && !(u.Scheme == "http" && allowPrivate):
		return errors.New("a webhook is an https URL")
	case u.User != nil:
		return errors.New("a webhook has no user in its URL")
	}
	return nil
}

// Name is webhook.
func (*Webhook) Name() string { return "webhook" }

// Send posts the message. Answers other than 2xx are errors; so is a redirect, which is not followed: it might lead anywhere.
func (w *Webhook) Send(ctx context.Context, m Message) error {
	body, err := m.json()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("no valid URL") // which the error would repeat
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "merlon")
	res, err := w.client.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch {
	case res.StatusCode/100 == 2:
		return nil // whatever becomes of the rest
	case res.StatusCode/100 == 3:
		return fmt.Errorf("it answers %d, a redirect, and none is followed: write the address that it leads to", res.StatusCode)
	case err != nil || len(answer) == 0:
		return fmt.Errorf("it answers %d", res.StatusCode)
	}
	return fmt.Errorf("it answers %d: %s", res.StatusCode, Defang(string(answer), MaxName))
}

// withoutURL is an error of the client without the address, which is a secret.
func withoutURL(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		if u.Timeout() {
			return fmt.Errorf("no answer within %v", webhookTimeout)
		}
		return u.Err
	}
	return err
}
