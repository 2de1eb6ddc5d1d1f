package jsonline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Error is a fault at a line of a file. Its text is file:line: message; an
// empty File gives the message alone.
type Error struct {
	File    string
	Line    int // from 1
	Message string
}

func (e *Error) Error() string {
	if e.File == "" {
		return e.Message
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
}

// Value is one JSON value.
type Value struct {
	File  string
	Line  int    // where it begins, from 1
	Name  string // its path, "health.every_s"; "" for the whole text
	Kind  string // object array string number true false null
	Text  string // of a string or number
	Items []*Value
	names []string // of an object's Items
}

const (
	mostBytes = 64 << 10
	mostDepth = 32
)

type reader struct {
	file string
	data []byte
	dec  *json.Decoder
}

// Parse reads one JSON value of at most 64 kB. Errors are *Error.
func Parse(file string, data []byte) (*Value, error) {
	if len(data) > mostBytes {
		return nil, &Error{file, 1, "The file is larger than 64 kB; settings need less."}
	}
	r := &reader{file, data, json.NewDecoder(bytes.NewReader(data))}
	r.dec.UseNumber()
	v, err := r.value("", 0)
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{file, r.line(r.dec.InputOffset()), "Something follows the closing bracket; remove it."}
	}
	return v, nil
}

func (r *reader) line(offset int64) int {
	return 1 + bytes.Count(r.data[:max(0, min(int(offset), len(r.data)))], []byte("\n")) // the decoder does not always know an error's place
}

// next is the next token and the line on which it ends.
func (r *reader) next() (json.Token, int, error) {
	t, err := r.dec.Token()
	if err == nil {
		return t, r.line(r.dec.InputOffset()), nil
	}
	at := r.dec.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = syntax.Offset - 1
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		last := bytes.TrimRight(r.data, " \t\r\n")
		return nil, 0, &Error{r.file, r.line(int64(len(last))), "The file ends too early; a closing bracket or a value is missing."}
	}
	return nil, 0, &Error{r.file, r.line(at), "This is not JSON. Names and texts stand in quotation marks, numbers do not, and no comma stands before a closing bracket."}
}

func (r *reader) value(name string, depth int) (*Value, error) {
	t, line, err := r.next()
	if err != nil {
		return nil, err
	}
	v := &Value{File: r.file, Line: line, Name: name}
	if depth > mostDepth {
		return nil, v.Errorf("Brackets are nested deeper than %d.", mostDepth)
	}
	switch t := t.(type) {
	case nil:
		v.Kind = "null"
	case bool:
		v.Kind = fmt.Sprint(t)
	case string:
		v.Kind, v.Text = "string", t
	case json.Number:
		v.Kind, v.Text = "number", t.String()
	case json.Delim:
		if t == '{' {
			return v, r.object(v, depth)
		}
		return v, r.array(v, depth)
	}
	return v, nil
}

func (r *reader) object(v *Value, depth int) error {
	v.Kind = "object"
	for r.dec.More() {
		t, line, err := r.next()
		if err != nil {
			return err
		}
		key, _ := t.(string) // the decoder accepts nothing else here
		if slices.Contains(v.names, key) {
			return &Error{r.file, line, fmt.Sprintf("%s stands here twice; keep one.", child(v.Name, key))}
		}
		item, err := r.value(child(v.Name, key), depth+1)
		if err != nil {
			return err
		}
		v.names, v.Items = append(v.names, key), append(v.Items, item)
	}
	_, _, err := r.next()
	return err
}

func (r *reader) array(v *Value, depth int) error {
	v.Kind = "array"
	for r.dec.More() {
		item, err := r.value(fmt.Sprintf("%s[%d]", v.Name, len(v.Items)), depth+1)
		if err != nil {
			return err
		}
		v.Items = append(v.Items, item)
	}
	_, _, err := r.next()
	return err
}

func child(of, name string) string {
	if of == "" {
		return name
	}
	return of + "." + name
}

// Errorf is a fault at the value's line.
func (v *Value) Errorf(format string, args ...any) *Error {
	return &Error{v.File, v.Line, fmt.Sprintf(format, args...)}
}

// Names lists an object's names in their order.
func (v *Value) Names() []string { return slices.Clone(v.names) }

// Get finds a member of an object, nil when there is none or v is no object.
func (v *Value) Get(name string) *Value {
	if v == nil {
		return nil
	}
	if i := slices.Index(v.names, name); i >= 0 {
		return v.Items[i]
	}
	return nil
}

// Object demands an object whose members all have one of the names.
func (v *Value) Object(names ...string) error {
	if v.Kind != "object" {
		return v.Errorf("%s must be an object, { … }, not %s.", v.called(), v.shown())
	}
	for i, n := range v.names {
		if !slices.Contains(names, n) {
			return v.Items[i].Errorf("There is no setting %s. Known here: %s.", v.Items[i].Name, strings.Join(names, ", "))
		}
	}
	return nil
}

// Number gives the member of an object as a number from low to high. A missing
// one is standard; standard NaN means that it must be there.
func (v *Value) Number(name string, low, high, standard float64) (float64, error) {
	m := v.Get(name)
	if m == nil {
		if math.IsNaN(standard) {
			return 0, v.Errorf("%s is missing; write a number from %s to %s.", child(v.Name, name), plain(low), plain(high))
		}
		return standard, nil
	}
	if m.Kind != "number" {
		return 0, m.Errorf("%s must be a number from %s to %s, not %s.", m.Name, plain(low), plain(high), m.shown())
	}
	n, err := json.Number(m.Text).Float64()
	if err != nil || n < low || n > high {
		return 0, m.Errorf("%s is %s; it must lie between %s and %s.", m.Name, m.Text, plain(low), plain(high))
	}
	return n, nil
}

// Int is Number for whole numbers.
func (v *Value) Int(name string, low, high, standard float64) (int, error) {
	n, err := v.Number(name, low, high, standard)
	if err == nil && n != math.Trunc(n) {
		m := v.Get(name)
		return 0, m.Errorf("%s is %s; it must be a whole number.", m.Name, m.Text)
	}
	return int(n), err
}

// String gives the member of an object as one of some words. A missing one is
// the first of them. Without words any text will do, and a missing one is "".
func (v *Value) String(name string, words ...string) (string, error) {
	m := v.Get(name)
	switch {
	case m == nil && len(words) == 0:
		return "", nil
	case m == nil:
		return words[0], nil
	case m.Kind == "string" && (len(words) == 0 || slices.Contains(words, m.Text)):
		return m.Text, nil
	case len(words) == 0:
		return "", m.Errorf("%s must be a text in quotation marks, not %s.", m.Name, m.shown())
	}
	return "", m.Errorf("%s must be one of %s, not %s.", m.Name, strings.Join(words, ", "), m.shown())
}

func (v *Value) called() string {
	if v.Name == "" {
		return "The file"
	}
	return v.Name
}

// shown is the value as a sentence may name it.
func (v *Value) shown() string {
	switch v.Kind {
	case "string":
		if r := []rune(v.Text); len(r) > 40 {
			return fmt.Sprintf("the text %q", string(r[:39])+"…")
		}
		return fmt.Sprintf("the text %q", v.Text)
	case "number":
		return v.Text
	case "object", "array":
		return "an " + v.Kind
	}
	return v.Kind
}

func plain(n float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.6f", n), "0"), ".")
}
