package webapi

import (
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"coldstart/sandbox/isolate"
)

// wellFormed replaces lone surrogates, which arrive as three bytes each, and
// other bad UTF-8 by U+FFFD.
func wellFormed(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b.WriteString("\uFFFD")
			if s[i] == 0xED && i+2 < len(s) && s[i+1] >= 0xA0 {
				n = 3
			}
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

func textOps(o *isolate.Ops) {
	o.Add("utf8.encode", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return []byte(wellFormed(str(args, 0))), nil
	})
	// text.label: label → name of the encoding, "" when there is none
	o.Add("text.label", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		_, name := lookup(str(args, 0))
		return name, nil
	})
	// text.decode: encoding, bytes, fatal, keep BOM, last → [text, bytes left over]
	o.Add("text.decode", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		name, b, fatal, keep, last := str(args, 0), data(args, 1), flag(args, 2), flag(args, 3), flag(args, 4)
		if name == "utf-8" {
			return decodeUTF8(b, fatal, keep, last)
		}
		return decodeOther(name, b, fatal, keep, last)
	})
	o.Add("base64.encode", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		s := str(args, 0)
		b := make([]byte, 0, len(s))
		for _, r := range s {
			if r > 0xff {
				return nil, domError("InvalidCharacterError", "btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range.")
			}
			b = append(b, byte(r))
		}
		return base64.StdEncoding.EncodeToString(b), nil
	})
	o.Add("base64.decode", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		s := strings.Map(func(r rune) rune {
			if strings.ContainsRune(" \t\n\f\r", r) {
				return -1
			}
			return r
		}, str(args, 0))
		if len(s)%4 == 0 {
			s = strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
		}
		b, err := base64.RawStdEncoding.DecodeString(s)
		if err != nil {
			return nil, domError("InvalidCharacterError", "atob() called with invalid base64-encoded data. (Only whitespace, '+', '/', alphanumeric ASCII, and up to two terminal '=' signs when the input data length is divisible by 4 are allowed.)")
		}
		r := make([]rune, len(b))
		for i, c := range b {
			r[i] = rune(c)
		}
		return string(r), nil
	})
}

var errDecode = &isolate.Throw{Name: "TypeError", Message: "Failed to decode input."}

func decodeUTF8(b []byte, fatal, keepBOM, last bool) (isolate.Value, error) {
	left := 0
	if !last {
		left = incomplete(b)
		b = b[:len(b)-left]
	}
	if !keepBOM && len(b) >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF {
		b = b[3:]
	}
	if utf8.Valid(b) {
		return []any{string(b), left}, nil
	}
	if fatal {
		return nil, errDecode
	}
	return []any{replaceBad(b), left}, nil
}

// incomplete counts the bytes at the end that may begin a longer sequence.
func incomplete(b []byte) int {
	for n := 1; n <= 3 && n <= len(b); n++ {
		c := b[len(b)-n]
		if c < 0x80 {
			return 0
		}
		if c >= 0xC0 {
			if utf8.FullRune(b[len(b)-n:]) {
				return 0
			}
			return n
		}
	}
	return 0
}

// replaceBad replaces each maximal bad part by U+FFFD, as the Encoding
// standard has it: a truncated sequence is one, not one for each byte.
func replaceBad(b []byte) string {
	var out strings.Builder
	out.Grow(len(b))
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r != utf8.RuneError || n > 1 {
			out.Write(b[i : i+n])
			i += n
			continue
		}
		out.WriteString("\uFFFD")
		i += badLength(b[i:])
	}
	return out.String()
}

// badLength is how many bytes one replacement stands for.
func badLength(b []byte) int {
	need, lo, hi := 0, byte(0x80), byte(0xBF)
	switch c := b[0]; {
	case c >= 0xC2 && c <= 0xDF:
		need = 1
	case c >= 0xE0 && c <= 0xEF:
		need = 2
		if c == 0xE0 {
			lo = 0xA0
		}
		if c == 0xED {
			hi = 0x9F
		}
	case c >= 0xF0 && c <= 0xF4:
		need = 3
		if c == 0xF0 {
			lo = 0x90
		}
		if c == 0xF4 {
			hi = 0x8F
		}
	}
	n := 1
	for ; n <= need && n < len(b); n++ {
		if b[n] < lo || b[n] > hi {
			break
		}
		lo, hi = 0x80, 0xBF
	}
	return n
}

func lookup(label string) (encoding.Encoding, string) {
	e, err := htmlindex.Get(strings.Trim(label, "\t\n\f\r "))
	if err != nil {
		return nil, ""
	}
	name, err := htmlindex.Name(e)
	if err != nil || name == "replacement" {
		return nil, ""
	}
	return e, name
}

// decodeSingle decodes an encoding of one byte a character. A byte from 0x80 to
// 0x9F that stands for no character of its own is the control code of that
// number, as the Encoding standard's indexes have it.
func decodeSingle(m *charmap.Charmap, b []byte, fatal bool) (isolate.Value, error) {
	var out strings.Builder
	out.Grow(len(b) * 2)
	for _, c := range b {
		r := m.DecodeByte(c)
		if r == utf8.RuneError && c >= 0x80 && c <= 0x9F {
			r = rune(c)
		}
		if r == utf8.RuneError && fatal {
			return nil, errDecode
		}
		out.WriteRune(r)
	}
	return []any{out.String(), 0}, nil
}

func decodeOther(name string, b []byte, fatal, keepBOM, last bool) (isolate.Value, error) {
	e, _ := lookup(name)
	if e == nil {
		return nil, typeError("unknown encoding")
	}
	switch name {
	case "utf-16le":
		e = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case "utf-16be":
		e = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	}
	if m, ok := e.(*charmap.Charmap); ok {
		return decodeSingle(m, b, fatal)
	}
	if n := len(b); last && strings.HasPrefix(name, "utf-16") && n%2 == 1 && n > 2 {
		// A leading surrogate and half a unit at the end are one error.
		high := b[n-2]
		if name == "utf-16be" {
			high = b[n-3]
		}
		if high>>2 == 0xD8>>2 {
			b = b[:n-1]
		}
	}
	out := make([]byte, 0, len(b)*3+16)
	buf := make([]byte, 4096)
	t := e.NewDecoder().Transformer
	rest := b
	for {
		n, used, err := t.Transform(buf, rest, last)
		out = append(out, buf[:n]...)
		rest = rest[used:]
		if errors.Is(err, transform.ErrShortDst) {
			continue
		}
		break
	}
	text := string(out)
	if fatal && strings.Contains(text, "\uFFFD") {
		return nil, errDecode
	}
	if !keepBOM && strings.HasPrefix(name, "utf-16") {
		text = strings.TrimPrefix(text, "\uFEFF")
	}
	return []any{text, len(rest)}, nil
}
