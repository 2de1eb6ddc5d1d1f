package hostile

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// reply is a response read byte by byte from the public URL of a Worker.
type reply struct {
	status  int
	header  http.Header
	body    []byte
	outcome string // the platform's own word for a fault, "" when the Worker answered
	cut     bool   // the platform broke the body off
	worker  bool   // it comes from a Worker's address, and not from the site before it
}

// raw sends one request to /w/<slug>/… on a connection of its own and demands
// one well-formed HTTP/1.1 message whose length is what it declares, with nothing after it.
func raw(ctx context.Context, s *server, slug string, r Request, body string, names *strings.Replacer) (*reply, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s /w/%s%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", r.Method, slug, names.Replace(r.Path), s.addr)
	for k, v := range r.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", k, names.Replace(v))
	}
	if body != "" || r.Body != nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	head := b.Bytes()
	go func() { // a refusal may come before the body has been taken
		if _, err := conn.Write(head); err == nil && body != "" {
			_, _ = io.WriteString(conn, body)
		}
	}()
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, &http.Request{Method: r.Method})
	if err != nil {
		return nil, fmt.Errorf("not a well-formed response: %w", err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 1 || resp.ProtoMinor != 1 {
		return nil, fmt.Errorf("answered in %s", resp.Proto)
	}
	if len(resp.TransferEncoding) > 0 && resp.Header.Get("Content-Length") != "" {
		return nil, fmt.Errorf("both Transfer-Encoding and Content-Length")
	}
	out := &reply{status: resp.StatusCode, header: resp.Header, outcome: resp.Header.Get("Coldstart-Fault")}
	out.worker = strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "sandbox")
	out.body, err = io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil && out.outcome == "" {
		// A body that the platform cut at a limit ends in a broken stream: that is framing doing its work.
		if int64(len(out.body)) < resp.ContentLength || resp.ContentLength < 0 {
			out.cut = true
			return out, nil
		}
		return nil, fmt.Errorf("body: %w", err)
	}
	if rest, _ := io.ReadAll(io.LimitReader(br, 1<<16)); len(rest) > 0 {
		return nil, fmt.Errorf("%d bytes after the message: %.80q", len(rest), rest)
	}
	return out, nil
}
