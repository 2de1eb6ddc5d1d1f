package webapi

import (
	"bytes"
	"strings"

	"coldstart/sandbox/isolate"
)

func formOps(o *isolate.Ops) {
	// form.decode: application/x-www-form-urlencoded → flat list of names and values
	o.Add("form.decode", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		out := []any{}
		for part := range strings.SplitSeq(str(args, 0), "&") {
			if part == "" {
				continue
			}
			name, value, _ := strings.Cut(part, "=")
			out = append(out, formDecode(name), formDecode(value))
		}
		return out, nil
	})
	// form.encode: flat list → application/x-www-form-urlencoded
	o.Add("form.encode", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		var b strings.Builder
		for i, v := range list(args, 0) {
			if i > 0 {
				b.WriteByte("&="[i%2])
			}
			s, _ := v.(string)
			formEncode(&b, wellFormed(s))
		}
		return b.String(), nil
	})
	// form.multipart: bytes, boundary → [name, filename or undefined, type, value, …]
	o.Add("form.multipart", func(_ *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		out, wrong := parseMultipart(data(args, 0), str(args, 1))
		if wrong != "" {
			return nil, typeError(wrong)
		}
		return out, nil
	})
}

func formDecode(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			b = append(b, ' ')
		case c == '%' && i+2 < len(s) && hexDigit(s[i+1]) >= 0 && hexDigit(s[i+2]) >= 0:
			b = append(b, byte(hexDigit(s[i+1])<<4|hexDigit(s[i+2])))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return replaceBad(b)
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func formEncode(b *strings.Builder, s string) {
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '*', c == '-', c == '.', c == '_':
			b.WriteByte(c)
		case c == ' ':
			b.WriteByte('+')
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
}

const noHeaderEnd = "No multipart message header termination found."

// parseMultipart takes a multipart/form-data body apart. It is stricter than
// mime/multipart about the end, and keeps binary content as it is. wrong says
// what is wrong with it, "" when nothing is.
func parseMultipart(b []byte, boundary string) (entries []any, wrong string) {
	out := []any{}
	mark := []byte("--" + boundary)
	if !bytes.HasPrefix(b, mark) {
		i := bytes.Index(b, append([]byte("\n"), mark...))
		if i < 0 {
			return nil, "No initial boundary string (or you have a truncated message)."
		}
		b = b[i+1:]
	}
	b = b[len(mark):]
	next := append([]byte("\n"), mark...)
	for {
		if bytes.HasPrefix(b, []byte("--")) {
			return out, ""
		}
		b = bytes.TrimLeft(b, " \t")
		rest, ok := cutNewline(b)
		if !ok || len(rest) == 0 {
			return nil, noHeaderEnd
		}
		end := bytes.Index(rest, next)
		if end < 0 {
			return nil, "No subsequent boundary string after multipart message."
		}
		part := rest[:end]
		b = bytes.TrimPrefix(rest[end+len(next)-len(mark):], mark)
		part = bytes.TrimSuffix(part, []byte("\r"))
		var head []string
		for {
			line, after, found := bytes.Cut(part, []byte("\n"))
			if !found {
				return nil, noHeaderEnd
			}
			part = after
			if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
				break
			}
			head = append(head, string(line))
		}
		content := part
		var name, filename, ctype string
		var isFile, named, disposed bool
		for _, line := range head {
			key, value, _ := strings.Cut(line, ":")
			switch strings.ToLower(strings.TrimSpace(key)) {
			case "content-disposition":
				disposed = true
				if kind, _, _ := strings.Cut(value, ";"); strings.TrimSpace(kind) != "form-data" {
					return nil, `Content-Disposition header for FormData part must have the value "form-data", possibly followed by parameters. Got: "` + strings.TrimSpace(kind) + `"`
				}
				name, named = dispositionLookup(value, "name")
				if f, has := dispositionLookup(value, "filename"); has && f != "" {
					filename, isFile = f, true
				}
			case "content-type":
				ctype = strings.TrimSpace(value)
			}
		}
		if !named && len(head) == 0 {
			return nil, noHeaderEnd
		}
		if !disposed {
			return nil, "No valid Content-Disposition header found in FormData part."
		}
		if !named {
			return nil, "Content-Disposition header in FormData part is missing a name."
		}
		if isFile {
			out = append(out, replaceBad([]byte(name)), replaceBad([]byte(filename)), ctype, append([]byte{}, content...))
		} else {
			out = append(out, replaceBad([]byte(name)), nil, ctype, replaceBad(bytes.TrimPrefix(content, []byte("\xEF\xBB\xBF"))))
		}
	}
}

// cutNewline takes a line end, with or without its carriage return, off b.
func cutNewline(b []byte) ([]byte, bool) {
	return bytes.CutPrefix(bytes.TrimPrefix(b, []byte("\r")), []byte("\n"))
}

// dispositionLookup finds a parameter of a Content-Disposition value.
func dispositionLookup(v, key string) (string, bool) {
	for len(v) > 0 {
		i := strings.IndexByte(v, ';')
		if i < 0 {
			return "", false
		}
		v = strings.TrimLeft(v[i+1:], " \t")
		eq := strings.IndexByte(v, '=')
		if eq < 0 {
			return "", false
		}
		name := strings.ToLower(strings.TrimSpace(v[:eq]))
		v = v[eq+1:]
		var value string
		if strings.HasPrefix(v, `"`) {
			end := 1
			for end < len(v) && v[end] != '"' {
				if v[end] == '\\' && end+1 < len(v) {
					end++
				}
				end++
			}
			value = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(v[1:min(end, len(v))])
			v = v[min(end+1, len(v)):]
		} else {
			end := strings.IndexByte(v, ';')
			if end < 0 {
				end = len(v)
			}
			v = v[end:]
			continue // only a value in quotes counts
		}
		if name == key {
			return value, true
		}
	}
	return "", false
}
