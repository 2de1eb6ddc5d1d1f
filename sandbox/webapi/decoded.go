package webapi

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"

	"github.com/andybalholm/brotli"
)

// decoded is a fetched body as the script reads it: what its Content-Encoding
// says is undone, where Workers know it.
func decoded(body io.ReadCloser, encoding string) io.ReadCloser {
	d := &decodedBody{from: body}
	switch encoding {
	case "gzip":
		d.what = "Gzip"
		d.open = func(r *bufio.Reader) (io.Reader, error) {
			if two, _ := r.Peek(2); !bytes.HasPrefix(two, gzipMagic[:len(two)]) {
				return nil, gzip.ErrHeader
			}
			return gzip.NewReader(r)
		}
	case "br":
		d.what = "Brotli"
		d.open = func(r *bufio.Reader) (io.Reader, error) { return brotli.NewReader(r), nil }
	default:
		return body
	}
	return d
}

// decodedBody decompresses as it is read: what is small compressed takes no more
// memory than its reader does.
type decodedBody struct {
	from io.ReadCloser
	what string
	open func(*bufio.Reader) (io.Reader, error)
	r    io.Reader // nil before the first read
}

func (d *decodedBody) Read(p []byte) (int, error) {
	if d.r == nil {
		r, err := d.open(bufio.NewReader(d.from))
		if err != nil {
			return 0, d.wrong(err)
		}
		d.r = r
	}
	n, err := d.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = d.wrong(err)
	}
	return n, err
}

// wrong says what is wrong with the data as Workers do; an error of the body's own stays.
func (d *decodedBody) wrong(err error) error {
	if f, ok := errors.AsType[*FaultError](err); ok {
		return f
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return typeError(d.what + " compressed stream ended prematurely.")
	}
	return typeError(d.what + " decompression failed.")
}

// Close implements io.Closer.
func (d *decodedBody) Close() error { return d.from.Close() }
