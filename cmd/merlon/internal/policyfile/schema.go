package policyfile

import (
	"maps"
	"reflect"
	"strings"

	"github.com/merlon-sec/merlon"
)

// Schema returns the JSON Schema of the policy file, for editors that complete and check while one writes.
// https://json-schema.org/draft/2020-12
func Schema() map[string]any {
	site := properties(reflect.TypeFor[merlon.Config]())
	site["hosts"] = described("hosts", list(text))
	nonce := described("nonce", map[string]any{"oneOf": []any{
		map[string]any{"enum": []string{"forward", "dangerously-inject"}}, object(map[string]any{"placeholder_file": text}, "placeholder_file"),
		object(map[string]any{"placeholder_env": text}, "placeholder_env"), object(map[string]any{"hash": text}, "hash")}})
	route := site["routes"].(map[string]any)["items"].(map[string]any)["properties"].(map[string]any)
	route["upstream-may-loosen"] = described("upstream-may-loosen", boolean)
	for _, at := range []map[string]any{site, route} {
		at["upstream"], at["nonce"], at["max-body"] = described("upstream", text), nonce, described("max-body", size)
	}
	top := map[string]any{
		"version":    described("version", map[string]any{"const": 1}),
		"listen":     described("listen", text),
		"admin":      described("admin", text),
		"data":       described("data", text),
		"tls":        described("tls", tlsSchema()),
		"log":        described("log", logSchema()),
		"shutdown":   described("shutdown", object(map[string]any{"delay": text, "drain": text})),
		"transport":  described("transport", map[string]any{"enum": transports}),
		"h2c":        described("h2c", boolean),
		"timeouts":   described("timeouts", timeoutsSchema()),
		"max-header": described("max-header", size),
		"sites":      described("sites", list(object(site, "upstream"))),
	}
	maps.Copy(top, site)
	schema := object(top, "version")
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["$id"] = "https://github.com/merlon-sec/merlon/policy.schema.json"
	schema["title"] = "merlon policy file"
	schema["oneOf"] = []any{map[string]any{"required": []string{"sites"}}, map[string]any{"required": []string{"upstream"}}}
	return schema
}

var (
	text    = map[string]any{"type": "string"}
	size    = map[string]any{"type": []string{"string", "integer"}}
	boolean = map[string]any{"type": "boolean"}
)

func logSchema() map[string]any {
	return object(map[string]any{"format": map[string]any{"enum": formats}, "level": map[string]any{"enum": levels}, "access": text,
		"addresses": map[string]any{"enum": addresses}, "query": boolean, "user-agent": boolean})
}

func timeoutsSchema() map[string]any {
	properties := map[string]any{}
	for key := range new(Timeouts).fields() {
		properties[key] = text
	}
	return object(properties)
}
func tlsSchema() map[string]any {
	acme := object(map[string]any{
		"email":      described("email", text),
		"directory":  described("directory", text),
		"ca_file":    described("ca_file", text),
		"accept_tos": described("accept_tos", map[string]any{"const": true}),
		"eab":        described("eab", object(map[string]any{"key_id": text, "key_file": text}, "key_id", "key_file")),
	}, "accept_tos")
	out := object(map[string]any{
		"cert":  text,
		"key":   text,
		"certs": described("certs", list(object(map[string]any{"cert": text, "key": text}, "cert", "key"))),
		"acme":  described("acme", acme),
		"min":   described("min", map[string]any{"enum": []any{"1.2", "1.3", 1.2, 1.3}}),
		"http":  described("http", text),
	})
	out["anyOf"] = []any{map[string]any{"required": []string{"cert", "key"}}, map[string]any{"required": []string{"certs"}}, map[string]any{"required": []string{"acme"}}}
	return out
}

func list(of any) map[string]any { return map[string]any{"type": "array", "items": of} }

func object(properties map[string]any, required ...string) map[string]any {
	out := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		out["required"] = required
	}
	return out
}

// properties describes the fields of a struct by their JSON names.
func properties(t reflect.Type) map[string]any {
	out := map[string]any{}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
			out[name] = described(name, valuesOf(name, t.Field(i).Type))
		}
	}
	return out
}

func valuesOf(name string, t reflect.Type) map[string]any {
	if t == reflect.TypeFor[merlon.Frame]() {
		return map[string]any{"oneOf": []any{
			map[string]any{"enum": []string{"deny", "self", merlon.Remove}},
			object(map[string]any{"by": list(text)}, "by"),
		}}
	}
	if values := choices[name]; values != nil {
		return map[string]any{"enum": values}
	}
	switch t.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Slice:
		return list(valuesOf("", t.Elem()))
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": valuesOf("", t.Elem())}
	case reflect.Struct:
		if t == reflect.TypeFor[merlon.RouteConfig]() {
			return object(properties(t), "match")
		}
		return object(properties(t))
	}
	return text
}

var choices = map[string][]string{
	"preset":                       {"strict", "compat", "api", "off"},
	"nonce-cache":                  {"no-store", "private", "off"},
	"x-content-type-options":       {"nosniff", "off"},
	"cross-origin-resource-policy": {"same-origin", "same-site", "cross-origin", "off"},
	"origin-agent-cluster":         {"?1", "?0", "off"},
	"x-xss-protection":             {"0", "off"},
	"x-dns-prefetch-control":       {"on", "deny", "off"},
	"same-site":                    {"Lax", "Strict", "None"},
}

func described(name string, schema map[string]any) map[string]any {
	if words := descriptions[name]; words != "" {
		schema = maps.Clone(schema)
		schema["description"] = words
	}
	return schema
}

var descriptions = map[string]string{
	"version":              "The version of the file's format.",
	"listen":               "Address of the public listener, such as 127.0.0.1:8080.",
	"admin":                "Address of the dashboard.",
	"data":                 "Directory of the database.",
	"tls":                  "How the public listener speaks HTTPS: cert and key, certs, or acme.",
	"certs":                "Own certificates and their keys, in PEM files; the name that a client asks for chooses.",
	"acme":                 "A CA that issues certificates for the hosts of the sites by itself.",
	"email":                "Where the CA may write to.",
	"directory":            "Address of the CA; Let's Encrypt if absent.",
	"ca_file":              "PEM file of the certificates that the CA's own address is trusted by.",
	"accept_tos":           "true: you have read the CA's terms and accept them.",
	"eab":                  "External account binding, for a CA that knows you already.",
	"min":                  "Lowest version of TLS, 1.2 if absent.",
	"http":                 "Address of a listener for plain HTTP beside it.",
	"log":                  "The error log's format and level; the access log: off, on for standard output, or a file.",
	"shutdown":             "At its end: how long to go on before the listeners stop, and what requests in flight get to complete.",
	"sites":                "Several sites, each with hosts and an upstream.",
	"hosts":                "Host headers that belong to the site; one without a port stands for every port, *.shop.example for all below.",
	"upstream":             "Address of the application, such as http://127.0.0.1:8000, h2c://127.0.0.1:8000 or unix:/run/app.sock.",
	"upstream-may-loosen":  "On this route the application's own framing, policy and other headers go out as they are.",
	"max-body":             "The largest body of a request, such as 10MB.",
	"max-header":           "The largest header of a request, 64KiB unless said.",
	"h2c":                  "Whether the public listener speaks HTTP/2 without TLS too, for a proxy in front.",
	"transport":            "What speaks to applications over plain HTTP: merlon's own client, pooled, or Go's, net/http.",
	"timeouts":             "How long each phase of a request may take, such as 30s.",
	"nonce":                "forward: tell the application the nonce in the request header Merlon-Nonce. placeholder_file, placeholder_env: the application prints the secret of that file or environment variable as its nonces. hash: a manifest of merlon csp hash, for pages that are the same for everybody.",
	"preset":               "The base that absent keys inherit from.",
	"csp":                  "The enforced Content-Security-Policy. 'nonce' becomes a fresh nonce in each document.",
	"trial":                "A second policy that browsers only report about.",
	"frame":                "Who may frame the pages: X-Frame-Options and frame-ancestors are made from it.",
	"reports":              "Where browsers send violations.",
	"report-sample":        "Share of the responses that report, such as 10%.",
	"trial-sample":         "Share of the responses that carry the trial, such as 10%.",
	"reporting-endpoints":  "Endpoints of the Reporting API by name.",
	"report-to":            "The endpoint that violations of the policies go to as well.",
	"nel":                  "How long Chromium reports failed requests, such as 30d.",
	"nonce-cache":          "How documents with a nonce may be cached.",
	"headers":              "Other headers by name; off removes one.",
	"mandatory":            "Headers whose value the application may not change.",
	"cookies":              "Attributes that are added to Set-Cookie.",
	"https":                "Strict-Transport-Security, redirects to HTTPS, proxies in front.",
	"hsts":                 "Age of Strict-Transport-Security, such as 365d, or withdraw.",
	"redirect":             "Send plain HTTP to HTTPS.",
	"exempt":               "Patterns, or regexp: and an expression, that are not redirected.",
	"proxies":              "Whose word on the client's scheme and host is taken.",
	"health":               "Patterns that are answered under every host, for load balancers.",
	"routes":               "What single routes do differently.",
	"match":                "A pattern of Go's ServeMux, such as GET /widget/.",
	"reason":               "Why the route is looser, in words.",
	"set":                  "Directives that replace those of both policies.",
	"allow":                "Directives whose sources are added to both policies.",
	"permissions-policy":   "A dictionary such as camera=(), usb=(self).",
	"referrer-policy":      "One or more tokens, separated by commas.",
	"integrity-policy":     "A dictionary such as blocked-destinations=(script).",
	"cache-control":        "For responses whose application set none.",
	"origin-agent-cluster": "The same on every page of an origin.",
}
