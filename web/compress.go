package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// Pages are made for each request, so compression is quick rather than
// tightest: these levels take about a millisecond for a lesson page.
const (
	brotliLevel = 4
	gzipLevel   = 5
	leastPacked = 1 << 10 // bytes; below, headers and latency decide
)

type packer interface {
	io.WriteCloser
	Reset(io.Writer)
}

var packers = map[string]*sync.Pool{
	"br": {New: func() any { return brotli.NewWriterLevel(nil, brotliLevel) }},
	"gzip": {New: func() any {
		w, err := gzip.NewWriterLevel(nil, gzipLevel)
		if err != nil {
			panic(err) // the level is a constant in range
		}
		return w
	}},
}

// compressed packs data with the best encoding that the header accepts; the
// encoding is "" when that is none, or not worth it.
func compressed(accept string, data []byte) (encoding string, packed []byte) {
	if len(data) < leastPacked {
		return "", nil
	}
	for _, name := range []string{"br", "gzip"} {
		if !accepts(accept, name) {
			continue
		}
		pool := packers[name]
		w, ok := pool.Get().(packer)
		if !ok {
			continue
		}
		var buf bytes.Buffer
		w.Reset(&buf)
		_, err := w.Write(data)
		if cerr := w.Close(); err != nil || cerr != nil {
			return "", nil // a buffer takes everything; if not, plain is right too
		}
		pool.Put(w)
		return name, buf.Bytes()
	}
	return "", nil
}

// accepts reports whether an Accept-Encoding header names an encoding with a
// weight above zero (RFC 9110, 12.5.3).
func accepts(header, encoding string) bool {
	for entry := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(entry), ";")
		if !strings.EqualFold(strings.TrimSpace(name), encoding) {
			continue
		}
		k, v, ok := strings.Cut(strings.TrimSpace(params), "=")
		if !ok || !strings.EqualFold(strings.TrimSpace(k), "q") {
			return true
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return err == nil && q > 0
	}
	return false
}
