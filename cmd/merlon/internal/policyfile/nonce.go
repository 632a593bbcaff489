package policyfile

import (
	"fmt"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/inline"
	"github.com/merlon-sec/merlon/cmd/merlon/internal/rewrite"
)

// Nonce says how an application's pages get their nonces. The zero Nonce means: not at all.
type Nonce struct {
	Forward        bool   // the application is told, in a request header
	Inject         bool   // every script and style element gets one, an injected one too
	Placeholder    string // what the application prints in its place, "" for none
	PlaceholderEnv string // the environment variable that has the placeholder where the gateway runs, "" for none

	Hashes *inline.Manifest // of pages that are the same for everybody, nil for none
}

// nonce reads a site's or a route's key nonce; preset is the one in force there.
func (r *reader) nonce(v any, at string, preset any) Nonce {
	switch {
	case v == "forward":
		return Nonce{Forward: true}
	case v == "dangerously-inject" && preset == "strict":
		r.wrong(at, cfgerrors.Conflict, fmt.Sprint(v), "every script element gets a nonce, an injected one too, and strict promises that those do not run",
			"print nonces with forward or {placeholder_file: F}, or use another preset")
		return Nonce{}
	case v == "dangerously-inject":
		return Nonce{Inject: true}
	}
	form, _ := v.(map[string]any)
	for key, value := range form {
		text, isText := value.(string)
		if len(form) > 1 || !isText || text == "" {
			break
		}
		switch at := under(at, key); key {
		case "placeholder_file":
			return Nonce{Placeholder: r.placeholder(at, text)}
		case "placeholder_env":
			return Nonce{PlaceholderEnv: r.variable(at, text)}
		case "hash":
			return Nonce{Hashes: r.hashes(at, text)}
		}
	}
	text, _ := v.(string) // a map may hold the secret itself, which must not be shown
	r.wrong(at, cfgerrors.InvalidValue, text, "no way to hand out nonces",
		"write forward, and print the request header Merlon-Nonce into the page's script and style elements; or {placeholder_file: F}, {placeholder_env: NAME} or {hash: F}")
	return Nonce{}
}

// hashes reads the manifest that merlon csp hash made.
func (r *reader) hashes(at, name string) *inline.Manifest {
	if !r.named(at, name) {
		return nil
	}
	m, err := inline.Read(name)
	if err != nil {
		r.wrong(at, cfgerrors.InvalidValue, name, strings.TrimPrefix(err.Error(), name+": "), "make it with: merlon csp hash DIR --output "+name)
	}
	return &m
}

// placeholder reads the secret from its file, which is not the policy file: that one gets shown around.
func (r *reader) placeholder(at, name string) string {
	hint := "make it with: (printf n; openssl rand -hex 16) > " + name
	data, ok := r.contents(at, name, hint, maxSecretBytes)
	secret := strings.TrimSpace(string(data))
	if ok && rewrite.CheckPlaceholder(secret) != nil {
		r.wrong(at, cfgerrors.InvalidValue, name, "what is in it is no placeholder: a letter and at least 31 random letters and digits", hint)
	}
	return secret
}

// variable checks the name of an environment variable. A secret that somebody wrote here in place of a name must not be shown, and
// is one that everybody who sees the file has.
func (r *reader) variable(at, name string) string {
	if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" && (name[0] < '0' || name[0] > '9') {
		return name
	}
	r.wrong(at, cfgerrors.InvalidValue, "", "no name of an environment variable: capitals, digits and _", "write placeholder_env: MERLON_PLACEHOLDER, and the secret into that variable")
	return ""
}
