package merlon

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/merlon-sec/merlon/cfgerrors"
	"github.com/merlon-sec/merlon/internal/spell"
)

const maxJSONDepth = 20

// decodeStrictly reads one JSON value into the struct that dst points to. Unknown keys, duplicate keys, wrong types and
// text after the value are mistakes; all of them come back joined, each a *cfgerrors.Error with the path of its field,
// where the standard decoder stops at the first and lets duplicates pass. Types with an UnmarshalJSON method decode
// themselves; a *cfgerrors.Error that they return keeps its code and text.
func decodeStrictly(data []byte, dst any) error {
	d := decoder{dec: json.NewDecoder(bytes.NewReader(data))}
	if err := d.value("", reflect.ValueOf(dst).Elem(), 0); err != nil {
		return errors.Join(append(d.errs, err)...)
	}
	if _, err := d.dec.Token(); err != io.EOF {
		d.report("", cfgerrors.Syntax, "", "there is text after the JSON value", "")
	}
	return errors.Join(d.errs...)
}

type decoder struct {
	dec  *json.Decoder
	errs []error
}

func (d *decoder) report(path string, code cfgerrors.Code, value, text, hint string) {
	d.errs = append(d.errs, &cfgerrors.Error{Field: path, Code: code, Value: value, Text: text, Hint: hint})
}

// value decodes the next value. An error that it returns ends the decoding: the text is not JSON.
func (d *decoder) value(path string, v reflect.Value, depth int) error {
	if depth > maxJSONDepth {
		return &cfgerrors.Error{Field: path, Code: cfgerrors.Syntax, Text: fmt.Sprintf("nested deeper than %d levels", maxJSONDepth)}
	}
	var raw json.RawMessage
	if err := d.dec.Decode(&raw); err != nil {
		return d.syntax(path, err)
	}
	if string(raw) == "null" {
		d.report(path, cfgerrors.WrongType, "", "no value", "to inherit leave the key out; to send nothing write off")
		return nil
	}
	if _, ok := v.Addr().Interface().(json.Unmarshaler); ok || !composite(v) {
		d.leaf(path, v, raw)
		return nil
	}
	sub := decoder{dec: json.NewDecoder(bytes.NewReader(raw))}
	var err error
	switch open, _ := sub.dec.Token(); {
	case v.Kind() == reflect.Struct && open == json.Delim('{'):
		err = sub.object(path, v, depth)
	case v.Kind() == reflect.Slice && open == json.Delim('['):
		err = sub.array(path, v, depth)
	case v.Kind() == reflect.Map && open == json.Delim('{'):
		err = sub.dictionary(path, v, depth)
	default:
		d.report(path, cfgerrors.WrongType, clipRaw(raw), "this key takes "+describeType(v.Type()), "")
	}
	d.errs = append(d.errs, sub.errs...)
	return err
}

func composite(v reflect.Value) bool {
	return v.Kind() == reflect.Struct || v.Kind() == reflect.Slice || v.Kind() == reflect.Map
}

func (d *decoder) leaf(path string, v reflect.Value, raw []byte) {
	err := json.Unmarshal(raw, v.Addr().Interface())
	if own := new(cfgerrors.Error); errors.As(err, &own) {
		d.errs = append(d.errs, cfgerrors.Under(path, err))
	} else if err != nil {
		hint := ""
		if v.Kind() == reflect.String && raw[0] != '{' && raw[0] != '[' {
			hint = "write it in quotes"
		}
		d.report(path, cfgerrors.WrongType, clipRaw(raw), "this key takes "+describeType(v.Type()), hint)
	}
}

func (d *decoder) object(path string, v reflect.Value, depth int) error {
	fields := jsonFields(v.Type())
	seen := map[string]bool{}
	for d.dec.More() {
		token, err := d.dec.Token()
		if err != nil {
			return d.syntax(path, err)
		}
		key := token.(string)
		at := strings.TrimPrefix(path+"."+key, ".")
		index, known := fields[key]
		var skipped json.RawMessage
		switch {
		case seen[key]:
			d.report(at, cfgerrors.DuplicateKey, "", "this key is here twice", "")
			err = d.dec.Decode(&skipped)
		case !known:
			d.report(at, cfgerrors.UnknownKey, "", "unknown key", keyHint(key, v.Type()))
			err = d.dec.Decode(&skipped)
		default:
			err = d.value(at, v.Field(index), depth+1)
		}
		seen[key] = true
		if err != nil {
			return d.syntax(at, err)
		}
	}
	return nil
}

// dictionary reads an object whose keys are the user's own.
func (d *decoder) dictionary(path string, v reflect.Value, depth int) error {
	v.Set(reflect.MakeMap(v.Type()))
	for d.dec.More() {
		token, err := d.dec.Token()
		if err != nil {
			return d.syntax(path, err)
		}
		key := reflect.ValueOf(token)
		at := fmt.Sprintf("%s.%s", path, token)
		if v.MapIndex(key).IsValid() {
			d.report(at, cfgerrors.DuplicateKey, "", "this key is here twice", "")
		}
		item := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(at, item, depth+1); err != nil {
			return err
		}
		v.SetMapIndex(key, item)
	}
	return nil
}

func (d *decoder) array(path string, v reflect.Value, depth int) error {
	for i := 0; d.dec.More(); i++ {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(fmt.Sprintf("%s[%d]", path, i), item, depth+1); err != nil {
			return err
		}
		v.Set(reflect.Append(v, item))
	}
	return nil
}

func (d *decoder) syntax(path string, err error) error {
	if own := new(cfgerrors.Error); errors.As(err, &own) {
		return err
	}
	return &cfgerrors.Error{Field: path, Code: cfgerrors.Syntax, Text: "not JSON: " + err.Error()}
}

func jsonFields(t reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" {
			fields[name] = i
		}
	}
	return fields
}

func keyHint(key string, t reflect.Type) string {
	fields := jsonFields(t)
	if near := spell.Nearest(strings.ReplaceAll(key, "_", "-"), maps.Keys(fields)); near != "" {
		return "did you mean " + near + "?"
	}
	return "keys here: " + strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
}

func describeType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Int:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	}
	return "a map of keys"
}

func clipRaw(raw []byte) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = []byte(text)
	}
	if len(raw) > 60 {
		return string(raw[:60]) + "..."
	}
	return string(raw)
}
