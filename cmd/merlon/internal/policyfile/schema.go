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
	route := site["routes"].(map[string]any)["items"].(map[string]any)["properties"].(map[string]any)
	appKeys.into(site)
	siteKeys.into(site)
	routeKeys.into(route)
	top := map[string]any{}
	fileKeys.into(top)
	top["sites"] = described("sites", list(object(site, "upstream")))
	maps.Copy(top, site)
	schema := object(top, "version")
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["$id"] = "https://github.com/merlon-sec/merlon/policy.schema.json"
	schema["title"] = "merlon policy file"
	schema["oneOf"] = []any{map[string]any{"required": []string{"sites"}}, map[string]any{"required": []string{"upstream"}}}
	return schema
}

// schema returns the schema of a map with these keys.
func (g group) schema(required ...string) map[string]any {
	out := map[string]any{}
	g.into(out)
	return object(out, required...)
}

// into adds the keys to a map of properties.
func (g group) into(properties map[string]any) {
	for _, k := range g {
		properties[k.name] = described(k.name, k.value)
	}
}

func choice(values ...string) map[string]any { return map[string]any{"enum": values} }

// saying is a value with a description of its own.
func saying(words string, schema map[string]any) map[string]any {
	schema = maps.Clone(schema)
	schema["description"] = words
	return schema
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
			choice("deny", "self", merlon.Remove),
			object(map[string]any{"by": list(text)}, "by"),
		}}
	}
	if values := choices[name]; values != nil {
		return choice(values...)
	}
	switch t.Kind() {
	case reflect.Bool:
		return boolean
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

// choices are the values of keys of the library that take no others.
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
	if words := descriptions[name]; words != "" && schema["description"] == nil {
		schema = maps.Clone(schema)
		schema["description"] = words
	}
	return schema
}
