package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"coldstart/docs"
	"coldstart/lessons"
	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/static"
	"coldstart/web/lab"
	"coldstart/web/live"
)

// Site is the whole site. It is an http.Handler, safe for concurrent use.
type Site struct {
	config      Config
	log         *slog.Logger
	secret      []byte
	catalog     atomic.Pointer[lessons.Catalog]
	sets        lessonSets // that instructors brought
	manual      *lessons.Manual
	hub         *live.Hub
	deploy      *live.Deployer
	labs        *lab.Labs
	experiments []experiment
	router      http.Handler
	routes      []route
	static      http.Handler
	origin      *http.CrossOriginProtection
	workers     workers
	closing     atomic.Bool
	leave       func()     // the bus
	author      *authoring // nil: nobody writes lessons here
	boards      *boards
	members     members // of open pages
	revisions   revisions
	telling     sync.Mutex // held while a page is told what its class says
	metrics     metrics
	ctx         context.Context // ends when the site closes
	stop        context.CancelFunc
	mu          sync.Mutex
	closed      bool           // nothing new begins beside requests; guarded by mu
	wg          sync.WaitGroup // what goes on beside requests

	byAddress, bySession, byClass, newWorkspaces, byWorker, byCaller *limiter

	codes, phrases, passwords *guard
	byName                    *limiter // wrong passwords of one name
	names                     turns    // of tries with one name
}

// New makes a Site. The caller closes it before the Door and the Store.
func New(c Config) (*Site, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Site{config: c, log: slog.New(LogHandler(c.Logger.Handler())), static: static.Handler()}
	if s.secret, err = c.Store.Secret(context.Background(), "session"); err != nil {
		return nil, err
	}
	s.manual, _ = lessons.LoadManual(docs.Files) // its problems fail a test of lessons
	s.catalog.Store(c.Catalog.WithManual(s.manual))
	s.origin = http.NewCrossOriginProtection()
	if c.PublicURL != "" {
		if err := s.origin.AddTrustedOrigin(c.PublicURL); err != nil {
			return nil, fmt.Errorf("public address: %w", err)
		}
	}
	s.byAddress = newLimiter(c.Rates.Address, c.Now)
	s.bySession = newLimiter(c.Rates.Session, c.Now)
	s.byClass = newLimiter(c.Rates.Burst, c.Now)
	s.newWorkspaces = newLimiter(c.Rates.Workspace, c.Now)
	s.byWorker = newLimiter(c.Rates.Worker, c.Now)
	s.byCaller = newLimiter(c.Rates.WorkerCaller, c.Now)
	s.codes = newGuard(c.Rates.Wrong, c.Rates.WrongAll, c.Now)
	s.phrases = newGuard(c.Rates.Wrong, c.Rates.WrongAll, c.Now)
	s.passwords = newGuard(c.Rates.Wrong, c.Rates.WrongAll, c.Now)
	s.byName = newLimiter(Rate{1.0 / 30, 10}, c.Now)
	s.boards, s.metrics = newBoards(), newMetrics()
	s.members.ask = func(tokens []string) (map[string]string, error) { return c.Store.Sessions(s.ctx, tokens) }
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.workers.known = map[string]*worker{}
	s.deploy = live.NewDeployer(c.Door, c.Store, s.log, c.Ceiling, c.Build)
	s.deploy.Changed = s.changed
	s.labs = lab.New(lab.Config{Door: c.Door, Open: c.LabDoor, Now: c.Now, Nice: c.LabNice, Workerd: c.Workerd})
	s.experiments = s.labList()
	run := c.Rates.Run
	if run.PerSecond < 0 {
		run = Rate{1e9, 1 << 30}
	}
	s.hub = live.NewHub(live.Config{
		Door: c.Door, Store: seen{c.Store, s.touched}, Deployer: s.deploy, Checker: checker{s}, Labs: labRunner{s}, Logger: s.log, Now: c.Now,
		RunRate: run.PerSecond, RunBurst: run.Burst,
	})
	if c.Author != nil {
		s.author = newAuthoring(s, *c.Author)
	}
	s.sets.turn = make(chan struct{}, 1)
	if err := s.refreshSets(s.ctx); err != nil {
		return nil, err
	}
	s.routes = s.table()
	s.router = s.newRouter()
	s.leave = c.Bus.Subscribe(s.heard, s.missed)
	s.wg.Go(s.forgetAudit)
	s.wg.Go(s.keepRevisions)
	return s, nil
}

// SetCatalog replaces the lessons, for authors whose folder changed. Open pages
// are told, and shown the problems. Drafts go on with the revisions that they
// began with.
func (s *Site) SetCatalog(c *lessons.Catalog, problems []lessons.Problem) {
	if err := s.revisions.replacing(s.catalog.Load(), c); err != nil {
		s.log.Error("replaced lessons are not remembered", "error", err)
	}
	s.catalog.Store(c.WithManual(s.manual))
	s.sets.one.Lock()
	s.showSets()
	s.sets.one.Unlock()
	s.background(s.keepRevisions)
	if s.author != nil {
		s.author.reloaded(problems)
	}
}

// Server is an http.Server for this site with its limits and deadlines set.
// The caller serves a Listener with it and shuts it down, then closes the Site.
func (s *Site) Server() *http.Server {
	t := s.config.Timeouts
	return &http.Server{
		Handler: s, ReadHeaderTimeout: t.Header, IdleTimeout: t.Idle, MaxHeaderBytes: 32 << 10,
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is answered as every other address, with the site's headers
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// Listener bounds the connections of l. One too many waits for a place; one too
// many of an address is closed.
func (s *Site) Listener(l net.Listener) net.Listener {
	return &fairListener{Listener: netutil.LimitListener(l, s.config.MaxConns), most: s.config.MaxConnsEach, trusted: s.trusted, open: map[string]int{}}
}

// Close lets runs under way end until ctx is done, keeps their results and
// tells every page to connect again. From its begin on /readyz says no.
func (s *Site) Close(ctx context.Context) {
	s.closing.Store(true)
	s.stop()
	if s.author != nil {
		s.author.close()
	}
	s.hub.Close(ctx)
	s.deploy.Close()
	if err := s.labs.Close(); err != nil {
		s.log.Error("a lab's processes were not stopped", "error", err)
	}
	s.leave()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.wg.Wait()
}

// background does something beside requests, unless the site is closing.
func (s *Site) background(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.wg.Go(f)
	}
}

// IsolateChanged is for sandbox.Config.Isolate: it shows an isolate that was
// evicted or killed outside a run to the pages of its project. It returns at
// once. Changes that happen in a run reach the pages as its events.
func (s *Site) IsolateChanged(key sandbox.Key, state trace.IsolateState) {
	if state.State == "evicted" || state.State == "killed" {
		s.hub.IsolateChanged(key)
	}
}

// Own is for sandbox.Config.Own: the pages of a project show what the platform
// itself gives to it.
func (s *Site) Own(key sandbox.Key, typ string) func(trace.Event) { return s.hub.Own(key, typ) }

// Deployed is for sandbox.Config.Restore: what the store keeps as deployed
// under a key, nil for nothing.
func (s *Site) Deployed(ctx context.Context, key sandbox.Key) (*trace.Deployment, error) {
	return s.deploy.Restore(ctx, key)
}

// AdminLink makes the one-time link that turns whoever opens it within an hour
// into this server's host. It is empty when there is a host already, unless
// another one is asked for.
func (s *Site) AdminLink(ctx context.Context, base string, another bool) (string, error) {
	has, err := s.config.Store.HasHost(ctx)
	if err != nil || has && !another {
		return "", err
	}
	token, err := s.config.Store.OfferHost(ctx, time.Hour)
	if err != nil {
		return "", err
	}
	if s.config.PublicURL != "" {
		base = s.config.PublicURL
	}
	return strings.TrimSuffix(base, "/") + "/setup?token=" + url.QueryEscape(token), nil
}

// trusted reports whether the peer of a request may say who it speaks for.
func (s *Site) trusted(a netip.Addr) bool {
	for _, p := range s.config.TrustedProxies {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr()
}

// caller is the address of the visitor: the peer, or what trusted proxies in a
// row from here outwards say of theirs.
func (s *Site) caller(r *http.Request) netip.Addr {
	addr := peer(r)
	if !s.trusted(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = next
		if !s.trusted(addr) {
			break
		}
	}
	return addr
}

// secure reports whether the visitor came over https.
func (s *Site) secure(r *http.Request) bool {
	if r.TLS != nil || strings.HasPrefix(s.config.PublicURL, "https://") {
		return true
	}
	return s.trusted(peer(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// base is the site's address as this visitor sees it, without a final slash.
func (s *Site) base(r *http.Request) string {
	if s.config.PublicURL != "" {
		return s.config.PublicURL
	}
	if s.secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// sameOrigin is the strict form of the origin check, for sockets: the header
// must be there and must be this site's own.
func (s *Site) sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || len(r.Header.Values("Origin")) != 1 {
		return false
	}
	scheme := "http://"
	if s.secure(r) {
		scheme = "https://"
	}
	return strings.EqualFold(origin, scheme+r.Host) || s.config.PublicURL != "" && strings.EqualFold(origin, s.config.PublicURL)
}

// crossOrigin refuses state changes that another site's page asked for: what
// net/http refuses, an opaque origin, and a cookie without any sign of a page.
func (s *Site) crossOrigin(r *http.Request) error {
	refused := &Error{Status: http.StatusForbidden, Message: "This request came from another site's page, so it was not done. Use this site's own pages."}
	if err := s.origin.Check(r); err != nil {
		refused.Err = err
		return refused
	}
	origins, site := r.Header.Values("Origin"), r.Header.Get("Sec-Fetch-Site")
	switch {
	case len(origins) > 1 || len(origins) == 1 && (origins[0] == "null" || site == "" && !s.sameOrigin(r)):
		refused.Err = errors.New("foreign origin")
		return refused
	case len(origins) == 0 && site == "" && len(r.CookiesNamed(s.cookieName(r))) > 0:
		refused.Err = errors.New("a cookie without an origin")
		return refused
	}
	return nil
}
