package gojajs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dop251/goja"

	"coldstart/sandbox/isolate"
)

// maxDepth bounds nested arrays in either direction.
const maxDepth = 64

// maxLength bounds arrays passed out: a sparse one may claim any length.
const maxLength = 1 << 22

func errCannotCross(what string) error {
	return &isolate.Throw{Name: "TypeError", Message: what + " cannot be passed to the host"}
}

// Kinds of objects, as the prelude numbers them.
const (
	kindArray  = 1
	kindBuffer = 2
	kindView   = 3
)

// toGo copies a value out. An error is a *isolate.Throw for a value without a
// plain form, else what the script threw.
func (v *vm) toGo(x goja.Value, depth int) (isolate.Value, error) {
	switch t := x.(type) {
	case nil:
		return nil, nil
	case goja.String:
		return stringOf(t), nil
	case *goja.Object:
		return v.objectToGo(t, depth)
	}
	if goja.IsUndefined(x) || goja.IsNull(x) {
		return nil, nil
	}
	switch t := x.Export().(type) {
	case bool:
		return t, nil
	case int64:
		return float64(t), nil
	case float64:
		return t, nil
	}
	return nil, errCannotCross("a symbol or bigint")
}

func (v *vm) objectToGo(o *goja.Object, depth int) (isolate.Value, error) {
	kind, err := v.kind(goja.Undefined(), o)
	if err != nil {
		return nil, err
	}
	switch kind.ToInteger() {
	case kindArray:
		return v.arrayToGo(o, depth)
	case kindBuffer:
		if b, ok := o.Export().(goja.ArrayBuffer); ok {
			return append([]byte{}, b.Bytes()...), nil
		}
	case kindView:
		return v.viewToGo(o)
	}
	return nil, errCannotCross("an object that is not an array or buffer")
}

func (v *vm) viewToGo(o *goja.Object) ([]byte, error) {
	var at [2]int64
	for i, f := range []goja.Callable{v.offset, v.length} {
		n, err := f(goja.Undefined(), o)
		if err != nil {
			return nil, err
		}
		at[i] = n.ToInteger()
	}
	buf, err := v.buffer(goja.Undefined(), o)
	if err != nil {
		return nil, err
	}
	b, ok := buf.Export().(goja.ArrayBuffer)
	if !ok || at[0]+at[1] > int64(len(b.Bytes())) {
		return []byte{}, nil // detached
	}
	return append([]byte{}, b.Bytes()[at[0]:at[0]+at[1]]...), nil
}

func (v *vm) arrayToGo(o *goja.Object, depth int) (list []isolate.Value, err error) {
	if depth >= maxDepth {
		return nil, errCannotCross("an array nested this deeply")
	}
	if ex := v.rt.Try(func() {
		n := o.Get("length").ToInteger()
		if n > maxLength {
			err = errCannotCross("an array of this length")
			return
		}
		list = make([]isolate.Value, n)
		for i := range list {
			if list[i], err = v.toGo(o.Get(strconv.Itoa(i)), depth+1); err != nil {
				return
			}
		}
	}); ex != nil {
		return nil, ex
	}
	return list, err
}

// stringOf copies a string out as UTF-8; a lone surrogate gets its three-byte
// form, so that a string passed back is the same string.
func stringOf(s goja.String) string {
	out := s.String()
	if !strings.ContainsRune(out, utf8.RuneError) {
		return out
	}
	var b strings.Builder
	for i := 0; i < s.Length(); i++ {
		c := rune(s.CharAt(i))
		if c >= 0xd800 && c < 0xdc00 && i+1 < s.Length() {
			if d := rune(s.CharAt(i + 1)); d >= 0xdc00 && d < 0xe000 {
				b.WriteRune(0x10000 + (c-0xd800)<<10 + d - 0xdc00)
				i++
				continue
			}
		}
		if c >= 0xd800 && c < 0xe000 {
			b.Write([]byte{0xe0 | byte(c>>12), 0x80 | byte(c>>6)&0x3f, 0x80 | byte(c)&0x3f})
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// newString is the reverse of stringOf.
func (v *vm) newString(s string) goja.Value {
	if utf8.ValidString(s) {
		return v.rt.ToValue(s)
	}
	var units []uint16
	for i := 0; i < len(s); {
		if c := surrogate(s[i:]); c != 0 {
			units = append(units, c)
			i += 3
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r >= 0x10000 {
			r -= 0x10000
			units = append(units, 0xd800+uint16(r>>10), 0xdc00+uint16(r&0x3ff))
		} else {
			units = append(units, uint16(r))
		}
		i += n
	}
	return goja.StringFromUTF16(units)
}

// surrogate reads the three-byte form of a lone surrogate, 0 when s does not
// begin with one.
func surrogate(s string) uint16 {
	if len(s) < 3 || s[0] != 0xed || s[1] < 0xa0 || s[1] > 0xbf || s[2] < 0x80 || s[2] > 0xbf {
		return 0
	}
	return 0xd000 | uint16(s[1]&0x3f)<<6 | uint16(s[2]&0x3f)
}

// toJS copies a value in.
func (v *vm) toJS(val isolate.Value, depth int) (goja.Value, error) {
	switch t := val.(type) {
	case nil:
		return goja.Undefined(), nil
	case bool, float64, int, int64:
		return v.rt.ToValue(t), nil
	case string:
		return v.newString(t), nil
	case []byte:
		return v.rt.ToValue(v.rt.NewArrayBuffer(slices.Clone(t))), nil
	case []isolate.Value:
		if depth >= maxDepth {
			return nil, fmt.Errorf("isolate: a host value is nested deeper than %d arrays", maxDepth)
		}
		list := make([]any, len(t))
		for i, e := range t {
			x, err := v.toJS(e, depth+1)
			if err != nil {
				return nil, err
			}
			list[i] = x
		}
		return v.rt.NewArray(list...), nil
	}
	return nil, fmt.Errorf("isolate: a host value of type %T cannot be passed to a script", val)
}
