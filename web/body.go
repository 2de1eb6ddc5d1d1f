package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"
)

// minFlow is the least a request body must flow once its grace is over.
const minFlow = 16 << 10 // bytes a second

var errSlow = errors.New("web: the request body arrives too slowly")

// steadyBody ends a request whose body trickles: the time spent waiting for
// bytes may not be more than the grace and what minFlow allows.
type steadyBody struct {
	io.ReadCloser
	rc     *http.ResponseController
	grace  time.Duration
	waited time.Duration
	read   int64
	ended  bool
}

func (b *steadyBody) Read(p []byte) (int, error) {
	left := b.grace + time.Duration(b.read*int64(time.Second)/minFlow) - b.waited
	begin := time.Now()
	if left <= 0 || b.rc.SetReadDeadline(begin.Add(left)) != nil {
		return 0, errSlow
	}
	n, err := b.ReadCloser.Read(p)
	b.waited += time.Since(begin)
	b.read += int64(n)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return n, errSlow
	}
	if err != nil {
		b.ended = true
		_ = b.rc.SetReadDeadline(time.Time{}) // what follows on the connection has deadlines of its own
	}
	return n, err
}

// drain reads away what a client still sends of a body that was refused: were
// the connection closed on it at once, it would not get to read why.
func (b *steadyBody) drain(most int64) {
	if b.rc.SetReadDeadline(time.Now().Add(2*time.Second)) == nil {
		_, _ = io.CopyN(io.Discard, b.ReadCloser, most)
	}
}

// finish bounds what net/http reads away of a body that nobody wanted.
func (b *steadyBody) finish() {
	if !b.ended {
		_ = b.rc.SetReadDeadline(time.Now().Add(time.Second))
	}
}

// maxDepth is how deep JSON from a page may be nested, and maxValues how many
// keys and elements it may have: each costs far more memory than bytes.
const (
	maxDepth  = 24
	maxValues = 10_000
)

// readWhole reads a body that its row bounds. A buffer that grows by copying
// would cost several times what is too much before that is known: pieces cost
// it once, and what came whole twice.
func readWhole(r io.Reader) ([]byte, error) {
	var pieces [][]byte
	for size := 4 << 10; ; size = min(2*size, 256<<10) {
		piece, n := make([]byte, size), 0
		var err error
		for n < size && err == nil {
			var more int
			more, err = r.Read(piece[n:])
			n += more
		}
		pieces = append(pieces, piece[:n])
		if errors.Is(err, io.EOF) {
			return bytes.Join(pieces, nil), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// partsBody ends a multipart body of too many parts: each costs a reader some
// kilobytes before it is known what is in it.
type partsBody struct {
	io.ReadCloser
	mark []byte // what stands between two parts
	tail []byte // of what was read, as much as may be the beginning of a mark
	left int    // parts that may still come
}

func newPartsBody(body io.ReadCloser, boundary string, most int) *partsBody {
	return &partsBody{ReadCloser: body, mark: []byte("\n--" + boundary), left: most}
}

func (b *partsBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	keep := len(b.mark) - 1
	seam := append(b.tail, p[:min(n, keep)]...)
	b.left -= bytes.Count(p[:n], b.mark) + bytes.Count(seam, b.mark)
	b.tail = append(b.tail, p[max(0, n-keep):n]...)
	b.tail = bytes.Clone(b.tail[max(0, len(b.tail)-keep):])
	if b.left < 0 {
		return n, tooManyFields()
	}
	return n, err
}

// readJSON decodes a JSON request body into v. Unknown keys, deep nesting and
// more than one value are refused in one sentence.
func readJSON(r *http.Request, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return fail(http.StatusUnsupportedMediaType, "This address takes JSON. Send Content-Type: application/json.")
	}
	data, err := readWhole(r.Body)
	if err != nil {
		return err
	}
	deep, values := shape(data)
	if deep > maxDepth {
		return fail(http.StatusBadRequest, "The JSON is nested more than %d deep.", maxDepth)
	}
	if values > maxValues {
		return fail(http.StatusBadRequest, "The JSON holds more than %d values.", maxValues)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return &Error{Status: http.StatusBadRequest, Message: jsonMessage(err), Err: err}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fail(http.StatusBadRequest, "The request holds more than one JSON value.")
	}
	return nil
}

func jsonMessage(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("The request is not JSON: it breaks at byte %d.", syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("The field %q of the request cannot be a %s.", kind.Field, kind.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return fmt.Sprintf("The request has the field %s, which means nothing here.", strings.TrimPrefix(err.Error(), "json: unknown field "))
	}
	return "The request is not the JSON that this address takes."
}

// shape is how deep brackets nest in a JSON text, and how many values it has at
// least, without building anything.
func shape(data []byte) (deepest, values int) {
	now, text := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			now++
			values++
			deepest = max(deepest, now)
		case c == ',':
			values++
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest, values
}
