package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"coldstart/web/classroom"
)

// ServeHTTP answers every request of every host name. It gives each a number,
// logs it, and survives a handler that panics.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	out := &response{ResponseWriter: w, status: http.StatusOK}
	id := classroom.NewID(10)
	rc := http.NewResponseController(w)
	c := &call{site: s, w: out, r: r, id: id}
	if r.Body != nil && r.Body != http.NoBody {
		c.body = &steadyBody{ReadCloser: r.Body, rc: rc, grace: s.config.Timeouts.Body}
		r.Body = c.body
		defer c.body.finish()
	}
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	c.r = r
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				s.access(c, out, begin)
				panic(p) // the connection is to be cut: a response broke off
			}
			s.log.Error("handler panicked", "request", id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if !out.wrote {
				s.respond(c, &Error{Status: http.StatusInternalServerError, Message: "Something failed on our side. It was not your code. Try again."})
			}
		}
		s.access(c, out, begin)
	}()
	if err := s.serve(c); err != nil {
		s.respond(c, err)
	}
}

type callKey struct{}

// serve finds the host and the path's owner.
func (s *Site) serve(c *call) error {
	if slug, ok := s.workerHost(c.r.Host); ok {
		c.route = "worker host"
		return s.serveWorker(c, slug, requestTarget(c.r), true)
	}
	if rest, ok := strings.CutPrefix(requestTarget(c.r), "/w/"); ok {
		c.route = "/w/:slug/*"
		return s.serveWorkerPath(c, rest)
	}
	c.headers() // here, so that what echo answers by itself carries them too
	s.router.ServeHTTP(c.w, c.r)
	return nil
}

// requestTarget is the path and query exactly as they came.
func requestTarget(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI() // absolute form, as proxies send it; or a test without a wire
}

// newRouter hangs the table on echo.
func (s *Site) newRouter() http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		s.respond(callOf(c.Request()), err)
	}
	for _, row := range s.routes {
		e.Add(row.method, row.path, func(ec echo.Context) error {
			c := callOf(ec.Request())
			c.route = row.path
			c.param = ec.Param
			return s.dispatch(c, row)
		})
	}
	return e
}

func callOf(r *http.Request) *call {
	c, ok := r.Context().Value(callKey{}).(*call)
	if !ok {
		panic("web: a request that did not come through ServeHTTP")
	}
	return c
}

// dispatch applies what the row says, then does the work.
func (s *Site) dispatch(c *call, row route) error {
	if row.changes() {
		if err := s.crossOrigin(c.r); err != nil {
			return err
		}
	}
	if row.body > 0 {
		if c.r.ContentLength > row.body {
			return &http.MaxBytesError{Limit: row.body}
		}
		c.r.Body = http.MaxBytesReader(c.w, c.r.Body, row.body)
	} else if c.r.ContentLength != 0 && row.changes() {
		return fail(http.StatusRequestEntityTooLarge, "This address takes no request body.")
	}
	if row.access != public {
		if err := s.byAddress.take(bucketKey(s.caller(c.r)), "Too many requests from your network. Wait a moment."); err != nil {
			return err
		}
		if err := s.admit(c, row); err != nil {
			return err
		}
	}
	if err := row.handle(c); err != nil {
		return err
	}
	s.audit(c, row)
	return nil
}

// forAccounts refuses who has no account of the kind that a page asks for.
func forAccounts(status int, wants access) *Error {
	if wants == host {
		return &Error{Status: status, Heading: "This is for the host", Message: "Sign in with a host's account, or open the link that the server printed when it started.", SignIn: true}
	}
	return &Error{Status: status, Heading: "This is for instructors", Message: "Sign in with an instructor's account to see it.", SignIn: true}
}

// admit finds out who asks and whether the row is theirs.
func (s *Site) admit(c *call, row route) error {
	x, err := s.session(c.r.Context(), c.r)
	if err != nil {
		return err
	}
	fresh := x == nil
	if fresh {
		switch row.access {
		case instructor, host:
			return forAccounts(http.StatusUnauthorized, row.access)
		case learner:
			return fail(http.StatusUnauthorized, "Your session is not known here. Load a lesson again; work that was saved under another session stays with it.")
		}
		x = s.newSession()
	}
	c.session = x
	if row.access == host && x.workspace.Role != classroom.RoleHost {
		return forAccounts(http.StatusForbidden, host)
	}
	if row.access == instructor && !teacher(x.workspace) {
		return forAccounts(http.StatusForbidden, instructor)
	}
	if row.changes() {
		if err := s.bySession.take(x.workspace.ID, "That is more than one learner may do at a time. Wait a moment."); err != nil {
			return err
		}
		if !x.stored {
			if err := s.newWorkspaces.take(bucketKey(s.caller(c.r)), "Too many new learners from your network at once. Wait a moment."); err != nil {
				return err
			}
			if err := s.store(c.r.Context(), x); err != nil {
				return err
			}
		}
	}
	if row.access == visitor && (fresh || !row.changes()) {
		s.setCookie(c.w, c.r, x.token)
	}
	return nil
}

// access writes the one line that the log gets of a request, and counts it.
func (s *Site) access(c *call, out *response, begin time.Time) {
	took := time.Since(begin)
	s.metrics.observe(c, out.status, took)
	level := slog.LevelDebug
	ours := out.status >= 500 && c.failure != nil // what a visitor did wrong may quote their own words
	if ours {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("request", c.id), slog.String("method", method(c.r.Method)), slog.String("route", c.route),
		slog.Int("status", out.status), slog.Int64("bytes", out.bytes), slog.Int64("duration_us", took.Microseconds()),
	}
	if ours {
		attrs = append(attrs, slog.String("error", c.failure.Error()))
	}
	s.log.LogAttrs(c.r.Context(), level, "request", attrs...)
}

// method keeps invented methods out of the log.
func method(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}

// response counts what is written and puts a deadline on every piece, so that
// a reader who does not read is cut off.
type response struct {
	http.ResponseWriter
	status   int
	bytes    int64
	wrote    bool
	deadline time.Duration // for each piece; 0 for none
}

func (w *response) WriteHeader(status int) {
	if !w.wrote {
		w.wrote, w.status = true, status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	w.wrote = true
	if w.deadline > 0 {
		if err := http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(w.deadline)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return 0, err
		}
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack is for the WebSocket upgrade, which wants the interface itself.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.wrote, w.status = true, http.StatusSwitchingProtocols
		err = conn.SetDeadline(time.Time{})
	}
	return conn, rw, err
}
