package starter

import "slices"

// braces reads a dictionary or a set.
func (p *pyParser) braces() (any, error) {
	pairs, items := pyDict{}, pyList{}
	for p.pos < len(p.tokens) && p.peek() != "}" {
		var err error
		if pairs, items, err = p.entry(pairs, items); err != nil {
			return nil, err
		}
		if len(pairs) > maxPyPairs || len(items) > maxPySize || len(pairs) > 0 && len(items) > 0 {
			return nil, errNotLiteral
		}
		if !p.take(",") {
			break
		}
	}
	switch {
	case !p.take("}"):
		return nil, errNotLiteral
	case len(items) > 0:
		return items, nil
	}
	return pairs, nil
}

// entry reads one entry of a dictionary or a set.
func (p *pyParser) entry(pairs pyDict, items pyList) (pyDict, pyList, error) {
	if p.take("**") {
		v, err := p.item("}")
		inner, ok := v.(pyDict)
		switch {
		case err != nil || len(inner) > maxPyPairs:
			return nil, nil, errNotLiteral
		case !ok:
			return pairs.with(pyPair{pyUnknown{}, pyUnknown{}}), items, nil
		}
		for _, pair := range inner {
			pairs = pairs.with(pair)
		}
		return pairs, items, nil
	}
	key, err := p.sum()
	if err != nil {
		return nil, nil, err
	}
	if !p.take(":") {
		return pairs, append(items, key), nil
	}
	value, err := p.item("}")
	return pairs.with(pyPair{key, value}), items, err
}

// with has the pair in the place of one with the same key.
func (d pyDict) with(pair pyPair) pyDict {
	key, isText := pair.key.(string)
	for i := range d {
		if other, ok := d[i].key.(string); ok && isText && other == key {
			d[i] = pair
			return d
		}
	}
	return append(d, pair)
}

// unsure reports whether part of a value is not known.
func unsure(v any) bool {
	switch v := v.(type) {
	case pyUnknown:
		return true
	case pyList:
		return slices.ContainsFunc(v, unsure)
	case pyDict:
		return slices.ContainsFunc(v, func(p pyPair) bool { return unsure(p.key) || unsure(p.value) })
	}
	return false
}

func (d pyDict) get(key string) (any, bool) {
	for _, pair := range d {
		if pair.key == any(key) {
			return pair.value, true
		}
	}
	return nil, false
}
