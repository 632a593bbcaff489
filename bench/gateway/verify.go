package main

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// verify checks that all contenders do the same work: a comparison of others would say nothing.
func (b *bench) verify(plain, nonces map[string]contender) error {
	for name, c := range plain {
		for path, page := range b.pages {
			header, body, err := get(c.url + path)
			if err == nil {
				err = same(header, body, headers(plainPolicy), page)
			}
			if err != nil {
				return fmt.Errorf("%s answers %s with %w", name, path, err)
			}
		}
	}
	for name, c := range nonces {
		if err := b.verifyNonces(c.url + largePage); err != nil {
			return fmt.Errorf("%s answers %s with %w", name, largePage, err)
		}
	}
	return nil
}

var nonceSource = regexp.MustCompile(`'nonce-([^']{22,})'`)

// verifyNonces wants in each answer a nonce of its own, the same in the policy and in every element that asks for it.
func (b *bench) verifyNonces(url string) error {
	seen := map[string]bool{}
	for range 3 {
		header, body, err := get(url)
		if err != nil {
			return err
		}
		source := nonceSource.FindStringSubmatch(header.Get("Content-Security-Policy"))
		if source == nil || seen[source[1]] {
			return fmt.Errorf("the policy %q, want a fresh nonce", header.Get("Content-Security-Policy"))
		}
		nonce := source[1]
		seen[nonce] = true
		header.Set("Content-Security-Policy", strings.ReplaceAll(header.Get("Content-Security-Policy"), nonce, mask))
		if err := same(header, body, nonceHeaders(), strings.ReplaceAll(b.pages[largePage], b.placeholder, nonce)); err != nil {
			return err
		}
	}
	return nil
}

func same(header http.Header, body string, want map[string]string, page string) error {
	if body != page {
		return fmt.Errorf("%d bytes that are not the page of %d", len(body), len(page))
	}
	return compare(header, want)
}

func get(url string) (http.Header, string, error) {
	res, err := http.Get(url)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the status %s", res.Status)
	}
	return res.Header, string(body), err
}
