package web

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
)

// logFields are the attributes that may reach the log. Whatever else is given
// is dropped: bodies, cookies, codes and learners' source have no name here.
var logFields = map[string]bool{
	"request": true, "method": true, "route": true, "status": true, "bytes": true, "duration_us": true,
	"lesson": true, "run": true, "error": true, "panic": true, "stack": true, "addr": true, "count": true, "signal": true,
	"pid": true, "role": true, "why": true, "version": true, "data": true, "op": true, "lab": true, "revision": true,
	"stderr": true, // the beginning of what a child said when it crashed
}

// LogHandler passes records on to next with only the attributes on the
// allow-list, and with every control byte but the newline made visible, so
// that no text a learner made can forge a line or drive a terminal.
func LogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ next slog.Handler }

func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, printable(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a, ok := allowed(a); ok {
			clean.AddAttrs(a)
		}
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var keep []slog.Attr
	for _, a := range attrs {
		if a, ok := allowed(a); ok {
			keep = append(keep, a)
		}
	}
	return logHandler{h.next.WithAttrs(keep)}
}

// WithGroup ignores the group: the allow-list is flat.
func (h logHandler) WithGroup(string) slog.Handler { return h }

func allowed(a slog.Attr) (slog.Attr, bool) {
	if !logFields[a.Key] {
		return a, false
	}
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, printable(v.String())), true
	case slog.KindAny:
		return slog.String(a.Key, printable(fmt.Sprint(v.Any()))), true
	case slog.KindGroup:
		return a, false
	default:
		return slog.Attr{Key: a.Key, Value: v}, true
	}
}

// printable replaces control characters and bounds the length of a text.
func printable(s string) string {
	const most = 8 << 10
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return '\uFFFD'
		}
		return r
	}, s)
}
