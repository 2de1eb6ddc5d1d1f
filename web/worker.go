package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/web/classroom"
	"coldstart/web/live"
)

// workerBody is the most that a request to a public Worker may carry.
const workerBody = 16 << 20

// workers remembers which public names are known and brought to the sandbox,
// so that a request to a warm Worker touches no database.
type workers struct {
	mu    sync.Mutex
	known map[string]*worker
}

// worker is one public name.
type worker struct {
	slug  string
	fresh atomic.Bool // the newest save is what the sandbox has
	mu    sync.Mutex  // held while it is brought there
	key   sandbox.Key
	fault *trace.Fault // why the newest save does not build
}

// maxWorkers bounds the memory; a forgotten one is looked up again.
const maxWorkers = 20_000

// find gives the worker of a name, made from the store if it is not known yet.
func (s *Site) worker(ctx context.Context, slug string) (*worker, error) {
	s.workers.mu.Lock()
	w := s.workers.known[slug]
	s.workers.mu.Unlock()
	if w == nil {
		p, err := s.config.Store.ProjectBySlug(ctx, slug)
		if errors.Is(err, classroom.ErrNotFound) {
			return nil, fail(http.StatusNotFound, "No Worker answers at this address. Run it once, then it does.")
		}
		if err != nil {
			return nil, err
		}
		s.workers.mu.Lock()
		if w = s.workers.known[slug]; w == nil {
			for old := range s.workers.known {
				if len(s.workers.known) < maxWorkers {
					break
				}
				delete(s.workers.known, old)
			}
			w = &worker{slug: slug, key: live.Key(p)}
			s.workers.known[slug] = w
		}
		s.workers.mu.Unlock()
	}
	if !w.fresh.Load() {
		if err := s.refresh(ctx, w); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// refresh brings the newest save to the sandbox.
func (s *Site) refresh(ctx context.Context, w *worker) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fresh.Swap(true) { // set first: a save from here on clears it again
		return nil
	}
	p, err := s.config.Store.ProjectBySlug(ctx, w.slug)
	if err == nil {
		var d live.Deployed
		if d, err = s.deploy.DeployNewest(ctx, p); err == nil {
			w.fault = d.Fault
			return nil
		}
	}
	w.fresh.Store(false)
	if errors.Is(err, classroom.ErrNotFound) {
		s.dropWorker(w.slug)
		return fail(http.StatusNotFound, "No Worker answers at this address any more.")
	}
	return err
}

// changed notes that a project has a newer save, or is gone.
func (s *Site) changed(slug string) {
	s.workers.mu.Lock()
	defer s.workers.mu.Unlock()
	if w := s.workers.known[slug]; w != nil {
		w.fresh.Store(false)
	}
}

func (s *Site) dropWorker(slug string) {
	s.workers.mu.Lock()
	defer s.workers.mu.Unlock()
	delete(s.workers.known, slug)
}

func (w *worker) broken() *trace.Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault
}

// workerHost takes the slug out of <slug>.localhost and <slug>.<worker domain>.
func (s *Site) workerHost(hostport string) (slug string, ok bool) {
	name := strings.ToLower(hostport)
	if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.HasSuffix(name, "]") {
		name = name[:i]
	}
	name = strings.TrimSuffix(name, ".")
	for _, domain := range []string{"localhost", s.config.WorkerDomain} {
		if domain == "" {
			continue
		}
		if slug, ok = strings.CutSuffix(name, "."+domain); ok {
			return slug, true
		}
	}
	return "", false
}

// serveWorkerPath answers /w/<slug>/…; rest is what follows "/w/", as it came.
func (s *Site) serveWorkerPath(c *call, rest string) error {
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	slug, target := rest[:end], rest[end:]
	if !strings.HasPrefix(target, "/") {
		// Without the slash, every relative link of the Worker's page would miss its prefix.
		if !slugForm.MatchString(slug) {
			return fail(http.StatusNotFound, "No Worker answers at this address.")
		}
		workerHeaders(c.w.Header(), false)
		c.w.Header().Set("Location", "/w/"+slug+"/"+target)
		c.w.WriteHeader(http.StatusPermanentRedirect)
		return nil
	}
	if err := intoPage(c.r); err != nil {
		return err
	}
	return s.serveWorker(c, slug, target, false)
}

// intoPage refuses what would bring a learner's bytes into a page of the site
// itself as code or style: the pages' policy trusts this origin, and a Worker's
// path is on it. Workers' own pages have an opaque origin, so their requests
// come as cross-site.
func intoPage(r *http.Request) error {
	if r.Header.Get("Service-Worker") != "" {
		return fail(http.StatusForbidden, "A Worker's address cannot give a service worker to this site.")
	}
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		switch r.Header.Get("Sec-Fetch-Dest") {
		case "", "document", "iframe", "empty", "websocket":
		default:
			return fail(http.StatusForbidden, "A Worker's answer cannot be used as a part of this site's own pages.")
		}
	}
	return nil
}

// workerPolicy makes every page of a Worker a stranger to every origin, also
// when its address is opened directly.
const workerPolicy = "sandbox allow-scripts allow-forms"

// workerHeaders are what every answer of a Worker's address carries. own says
// that it is on a host name of its own, where its own policy counts too.
func workerHeaders(h http.Header, own bool) {
	if !own {
		h.Del("Content-Security-Policy")
	}
	h["Content-Security-Policy"] = append([]string{workerPolicy}, h["Content-Security-Policy"]...)
	h.Set("X-Content-Type-Options", "nosniff")
	// Answers are public and carry no cookie; a Worker's page, being opaque,
	// could not load its own images under a stricter value.
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Referrer-Policy", "no-referrer")
}

// notPassedOn are response headers that would act on the site's own origin.
var notPassedOn = []string{
	faultHeader,
	"Set-Cookie", "Set-Cookie2", "Clear-Site-Data", "Strict-Transport-Security", "Public-Key-Pins", "Expect-Ct", "Refresh", "Alt-Svc", "Nel", "Report-To",
	"Reporting-Endpoints", "Service-Worker-Allowed", "Content-Security-Policy-Report-Only", "Access-Control-Allow-Credentials", "Accept-Ch", "Critical-Ch",
	"Origin-Agent-Cluster", "Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy", "Speculation-Rules", "Supports-Loading-Mode", "Set-Login",
	"Attribution-Reporting-Register-Source", "Attribution-Reporting-Register-Trigger", "Observe-Browsing-Topics", "Use-As-Dictionary", "Proxy-Authenticate",
	"Sec-Session-Registration", "Secure-Session-Registration", "Sec-Session-Challenge", "Secure-Session-Challenge", "Secure-Session-Skipped",
	"Shared-Storage-Write", "Activate-Storage-Access", "Ad-Auction-Allowed", "Ad-Auction-Signals", "Ad-Auction-Result", "Ad-Auction-Additional-Bid",
}

// notReceived are request headers that are not the Worker's to see.
var notReceived = []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-Ip", "Forwarded", "Via", "Proxy-Authorization", "Proxy-Connection"}

// serveWorker answers one request for a Worker. target is the path and query,
// byte for byte; own says that the Worker has a host name of its own.
func (s *Site) serveWorker(c *call, slug, target string, own bool) error {
	if !slugForm.MatchString(slug) {
		return fail(http.StatusNotFound, "No Worker answers at this address.")
	}
	if err := errors.Join(s.byWorker.take(slug, "This Worker gets more requests than one may. Slow down."),
		s.byCaller.take(bucketKey(s.caller(c.r)), "Too many requests to Workers from your network. Slow down.")); err != nil {
		return err
	}
	c.w.deadline = s.config.Timeouts.Write
	w, err := s.worker(c.r.Context(), slug)
	if err != nil {
		return err
	}
	if f := w.broken(); f != nil {
		return c.brokenWorker(f, own)
	}
	ctx, cancel := context.WithCancelCause(c.r.Context())
	defer cancel(nil)
	var tooBig atomic.Bool
	req := s.workerRequest(c, slug, own).WithContext(ctx)
	if req.Body != nil {
		req.Body = &cappedBody{ReadCloser: http.MaxBytesReader(c.w, req.Body, workerBody), over: func(err error) {
			tooBig.Store(true)
			cancel(err)
		}}
	}
	if c.r.ContentLength > workerBody {
		return &http.MaxBytesError{Limit: workerBody}
	}
	door := sandbox.HTTP{
		Door: s.config.Door, Filter: func(h http.Header) { s.filter(c, h, slug, own) },
		Fault: func(_ http.ResponseWriter, status int, f *trace.Fault) { _ = c.stoppedWorker(status, f, own) },
	}
	run := sandbox.Run{Key: w.key, URL: "https://" + slug + ".example" + target, Watch: s.hub.Outside(w.key)}
	err = door.Serve(c.w, req, run)
	switch {
	case err == nil:
		return nil
	case tooBig.Load():
		return &http.MaxBytesError{Limit: workerBody}
	case c.r.Context().Err() != nil:
		return fail(499, "The visitor went away.")
	}
	// The sandbox may have forgotten what it had; the next request brings it anew.
	s.deploy.Forget(w.key)
	w.fresh.Store(false)
	return &Error{Status: http.StatusServiceUnavailable, Message: "Our runner stopped. It was not the Worker's code. Ask again.", Retry: 1, Err: err}
}

// workerRequest is the request as the Worker gets it: under its own name,
// without what belongs to the site or to the proxies before it.
func (s *Site) workerRequest(c *call, slug string, own bool) *http.Request {
	req := c.r.WithContext(c.r.Context())
	req.Host = slug + ".example"
	req.Header = c.r.Header.Clone()
	for _, name := range notReceived {
		req.Header.Del(name)
	}
	if own {
		keepForeignCookies(req)
	} else {
		req.Header.Del("Cookie")
	}
	return req
}

// keepForeignCookies drops the site's own cookies, should a browser ever send
// them to a Worker's host name.
func keepForeignCookies(r *http.Request) {
	cookies := r.Cookies()
	r.Header.Del("Cookie")
	for _, k := range cookies {
		if k.Name != cookieName && k.Name != secureCookieName {
			r.AddCookie(k)
		}
	}
}

// cappedBody ends the run when the body is over its limit, since a Worker that
// got a part of it must not answer as if it were the whole.
type cappedBody struct {
	io.ReadCloser
	over func(error)
}

func (b *cappedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) {
		b.over(err)
	}
	return n, err
}

// filter changes a Worker's response headers into what may leave this host.
func (s *Site) filter(c *call, h http.Header, slug string, own bool) {
	for _, name := range []string{"Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Connection"} {
		h.Del(name)
	}
	h.Del(faultHeader)
	if own {
		keepOwnCookies(h)
		h.Del("Clear-Site-Data") // its cookies are those of the whole domain, the site's too if it is below the same one
	} else {
		for _, name := range notPassedOn {
			h.Del(name)
		}
	}
	prefix := ""
	if !own {
		prefix = "/w/" + slug
	}
	for i, to := range h["Location"] {
		h["Location"][i] = relocate(to, slug, prefix)
	}
	workerHeaders(h, own)
}

// relocate gives a redirect the address at which the visitor reaches its target.
func relocate(to, slug, prefix string) string {
	for _, scheme := range []string{"https://", "http://"} {
		rest, ok := strings.CutPrefix(to, scheme+slug+".example")
		if !ok || rest != "" && !strings.ContainsRune("/?#", rune(rest[0])) {
			continue
		}
		if !strings.HasPrefix(rest, "/") {
			rest = "/" + rest
		}
		if strings.HasPrefix(rest, "//") && prefix == "" {
			return to // would name another host
		}
		return prefix + rest
	}
	if strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.HasPrefix(to, `/\`) {
		return prefix + to
	}
	return to
}

// keepOwnCookies drops cookies that a Worker sets for more than its own host
// name: they would reach the site and other learners' Workers.
func keepOwnCookies(h http.Header) {
	var keep []string
	for _, line := range h["Set-Cookie"] {
		if _, err := http.ParseSetCookie(line); err == nil && !namesDomain(line) {
			keep = append(keep, line)
		}
	}
	h.Del("Set-Cookie")
	if len(keep) > 0 {
		h["Set-Cookie"] = keep
	}
}

// namesDomain reports whether a cookie is for a domain, by whatever a browser
// might read so: browsers take spaces around an attribute's name away, which
// net/http takes for a part of it, as it takes a value that it does not like for
// none.
func namesDomain(line string) bool {
	_, attributes, _ := strings.Cut(line, ";")
	for part := range strings.SplitSeq(attributes, ";") {
		name, _, _ := strings.Cut(part, "=")
		if strings.EqualFold(strings.TrimFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f }), "domain") {
			return true
		}
	}
	return false
}

// brokenWorker answers for a Worker whose newest save does not build.
func (c *call) brokenWorker(f *trace.Fault, own bool) error {
	return c.workerFault(http.StatusInternalServerError, "This Worker does not build.", f, own)
}

// stoppedWorker answers for a Worker that was stopped before it answered.
func (c *call) stoppedWorker(status int, f *trace.Fault, own bool) error {
	say := "This Worker was stopped before it could answer."
	switch {
	case status == http.StatusRequestEntityTooLarge:
		say = "This Worker was not asked."
	case f.Kind == trace.FaultBusy:
		say = "This Worker is busy."
		c.w.Header().Set("Retry-After", "2")
	}
	return c.workerFault(status, say, f, own)
}

// faultHeader names the kind of fault on answers that the platform gives in a
// Worker's place. A Worker's own header of that name is not passed on.
const faultHeader = "Coldstart-Fault"

func (c *call) workerFault(status int, say string, f *trace.Fault, own bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n", say, f.Message)
	if len(f.Frames) > 0 && f.Frames[0].Line > 0 {
		fmt.Fprintf(&b, "  at %s:%d:%d\n", f.Frames[0].File, f.Frames[0].Line, f.Frames[0].Column)
	}
	if f.Hint != "" {
		fmt.Fprintf(&b, "%s\n", f.Hint)
	}
	workerHeaders(c.w.Header(), own)
	c.w.Header().Set("Cache-Control", "no-store")
	c.w.Header().Set(faultHeader, string(f.Kind))
	return c.send(status, "text/plain; charset=utf-8", []byte(b.String()))
}
