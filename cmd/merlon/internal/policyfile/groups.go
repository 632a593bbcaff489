package policyfile

import (
	"maps"
	"slices"

	"github.com/merlon-sec/merlon/cmd/merlon/internal/notify"
)

// group is what may stand in a map of the file: the reader and the schema go by the same.
type group []key

type key struct {
	name  string
	value map[string]any // its schema
}

func (g group) names() []string {
	var out []string
	for _, k := range g {
		out = append(out, k.name)
	}
	return out
}

// transports are what requests to applications can go through; the first is the usual one.
var transports = []string{"pooled", "net/http"}

// Values that more than one key has.
var (
	text    = map[string]any{"type": "string"}
	size    = map[string]any{"type": []string{"string", "integer"}}
	boolean = map[string]any{"type": "boolean"}
	integer = map[string]any{"type": "integer"}
	texts   = map[string]any{"type": []string{"string", "array"}, "items": text}
)

// fileKeys are those at the top of a file. With sites: the keys of a site may not stand beside them.
var fileKeys = group{
	{"version", map[string]any{"const": formatVersion}}, {"listen", text}, {"admin", text}, {"data", text}, {"tls", tlsSchema()}, {"h2c", boolean},
	{"transport", choice(transports...)}, {"timeouts", timeoutKeys().schema()}, {"max-header", size}, {"log", logKeys.schema()},
	{"shutdown", shutdownKeys.schema()}, {"report-limits", reportLimitKeys.schema()}, {"alerts", alertKeys.schema()},
	{"retention", retentionKeys.schema()},
	{"sites", map[string]any{}}, // Schema fills in what a site has
}

// siteKeys are those of a site besides the library's and its application's.
var siteKeys = group{{"documents", documentsKeys.schema("token_file")}, {"canary", map[string]any{"type": []string{"number", "string"}}},
	{"noise", list(noiseKeys.schema("id", "reason"))}}

var documentsKeys = group{{"token_file", text}}

// noiseKeys are those of a site's own noise rule.
var noiseKeys = group{{"id", text}, {"blocked", texts}, {"source", texts}, {"sample", texts}, {"page", texts}, {"directive", texts}, {"agent", texts}, {"reason", text}}

// appKeys are those of a site that say how its application is treated, and routeKeys those of a route.
var (
	appKeys   = group{{"upstream", text}, {"upstream_ca_file", text}, {"nonce", nonceSchema()}, {"max-body", size}}
	routeKeys = append(slices.Clone(appKeys), key{"upstream-may-loosen", boolean})
)

var (
	tlsKeys  = group{{"cert", text}, {"key", text}, {"certs", list(certKeys.schema("cert", "key"))}, {"acme", acmeKeys.schema("accept_tos")}, {"min", minSchema}, {"http", text}}
	certKeys = group{{"cert", text}, {"key", text}}
	acmeKeys = group{{"email", text}, {"directory", text}, {"ca_file", text}, {"accept_tos", map[string]any{"const": true}}, {"eab", eabKeys.schema("key_id", "key_file")}}
	eabKeys  = group{{"key_id", text}, {"key_file", text}}

	minSchema = map[string]any{"enum": []any{"1.2", "1.3", 1.2, 1.3}}
)

var (
	logKeys = group{{"format", choice(formats...)}, {"level", choice(levels...)}, {"access", text}, {"addresses", choice(addresses...)}, {"query", boolean},
		{"user-agent", boolean}}
	shutdownKeys = group{{"delay", text}, {"drain", text}}

	reportLimitKeys = group{{"received", text}, {"new-issues", text}}
	retentionKeys   = group{{"samples", text}, {"issues", text}, {"hours", text}, {"days", text}, {"max-size", size}}
)

// Some names mean something else here than where descriptions has them.
var (
	alertKeys = group{{"webhook", text}, {"webhook_file", text}, {"ca_file", saying("PEM file of the certificates that webhook and mail server are trusted by, in place of the system's.", text)},
		{"email", saying("Whom to write to, and through which mail server.", mailKeys.schema("to", "from", "smtp"))}, {"allow_private", boolean},
		{"critical", list(text)}, {"per-hour", integer}, {"silence", text}, {"jump", map[string]any{"type": "number"}}, {"jump-reports", integer}}
	mailKeys = group{{"to", list(text)}, {"from", text}, {"smtp", text}, {"username", text}, {"password_file", text},
		{"tls", saying("starttls if absent; tls for a server that begins with TLS; off for one on this machine.", choice(notify.TLSModes()...))}}
)

// timeoutKeys are the phases of a request.
func timeoutKeys() group {
	var out group
	for _, name := range slices.Sorted(maps.Keys(new(Timeouts).fields())) {
		out = append(out, key{name, text})
	}
	return out
}

// tlsSchema wants certificates, or a CA.
func tlsSchema() map[string]any {
	out := tlsKeys.schema()
	out["anyOf"] = []any{map[string]any{"required": []string{"cert", "key"}}, map[string]any{"required": []string{"certs"}}, map[string]any{"required": []string{"acme"}}}
	return out
}

func nonceSchema() map[string]any {
	ways := []any{choice("forward", "dangerously-inject")}
	for _, name := range []string{"placeholder_file", "placeholder_env", "hash"} {
		ways = append(ways, group{{name, text}}.schema(name))
	}
	return map[string]any{"oneOf": ways}
}
