package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"coldstart/lessons"
	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/web"
	"coldstart/web/bus"
	"coldstart/web/classroom"
	"coldstart/web/lab"
	"coldstart/web/oidc"
)

// serveCmd is the site.
type serveCmd struct {
	Addr string `help:"Address to listen on." default:"127.0.0.1:8080" env:"COLDSTART_ADDR" placeholder:"HOST:PORT"`
	storage
	tlsFlags
	limitFlags
	Lessons        string            `help:"Folder or zip of lessons (default: the embedded ones)." env:"COLDSTART_LESSONS" type:"path" placeholder:"DIR"`
	Author         bool              `help:"Reload lessons while they are written and show lint." env:"COLDSTART_AUTHOR"`
	PublicURL      string            `help:"Where visitors reach this site, such as https://learn.example.org (default: what each request says)." env:"COLDSTART_PUBLIC_URL" placeholder:"URL"`
	WorkerDomain   string            `help:"Domain whose subdomains are learners' Workers." env:"COLDSTART_WORKER_DOMAIN" placeholder:"NAME"`
	TrustedProxies []string          `help:"Addresses whose X-Forwarded-* headers are believed." env:"COLDSTART_TRUSTED_PROXIES" placeholder:"CIDR"`
	FetchAllow     map[string]string `help:"Hosts that Workers may fetch, each with the only address it is dialled at." env:"COLDSTART_FETCH_ALLOW" placeholder:"HOST=IP:PORT"`
	DNS            string            `help:"Resolver for hosts allowed without an address." env:"COLDSTART_DNS" placeholder:"ADDR"`
	DebugAddr      string            `help:"Loopback address for metrics, profiles and process figures; off by default." env:"COLDSTART_DEBUG_ADDR" placeholder:"HOST:PORT"`
	LabShare       int               `help:"Percent of a busy processor that labs may take from everyone else." default:"25" env:"COLDSTART_LAB_SHARE" placeholder:"PERCENT"`
	Workerd        string            `help:"Path of workerd, a contender of the race lab (default: the one on PATH)." env:"COLDSTART_WORKERD" type:"path" placeholder:"FILE"`
	EmbedFrom      []string          `help:"Sites that may show shared links in frames, such as https://lms.example.org; * for all (default: none)." env:"COLDSTART_EMBED_FROM" placeholder:"ORIGIN"`
	OIDCIssuer     string            `name:"oidc-issuer" help:"Provider with which instructors may sign in, such as https://id.example.org." env:"COLDSTART_OIDC_ISSUER" placeholder:"URL"`
	OIDCClient     string            `name:"oidc-client" help:"Client id that the provider gave this site; it returns to /signin/return." env:"COLDSTART_OIDC_CLIENT" placeholder:"ID"`
	OIDCSecretFile string            `name:"oidc-secret-file" help:"File with the client's secret." env:"COLDSTART_OIDC_SECRET_FILE" type:"path" placeholder:"FILE"`
	OIDCName       string            `name:"oidc-name" help:"Name of the provider on the button." default:"your school" env:"COLDSTART_OIDC_NAME" placeholder:"NAME"`
	OwnLessons     bool              `name:"instructor-lessons" help:"Let instructors bring lessons for their own classes." default:"true" env:"COLDSTART_INSTRUCTOR_LESSONS"`
	AdminLink      bool              `help:"Print a one-time link that makes a host, also when there is a host already." env:"COLDSTART_ADMIN_LINK"`
	AuditDays      int               `help:"Days for which the audit log of instructors and hosts is kept." default:"365" env:"COLDSTART_AUDIT_DAYS" placeholder:"DAYS"`
	LogFormat      string            `help:"text, or json for machines that read logs." default:"text" enum:"text,json" env:"COLDSTART_LOG_FORMAT"`
	LogLevel       string            `help:"debug, info, warn or error." default:"info" enum:"debug,info,warn,error" env:"COLDSTART_LOG_LEVEL"`
}

// drain is how long runs may take to end after the first signal.
const drain = 8 * time.Second

// heapHeadroom counts as live heap but is never touched, so it takes addresses
// and no memory: a class that begins makes garbage quickly, and collections of
// a small heap were a quarter of what it cost this process.
const heapHeadroom = 64 << 20

// serveBuilders is how many children compile what a class that begins has
// changed: all at once, so that one would be what everybody waits for.
func serveBuilders() int { return min(2, runtime.NumCPU()) }

// niceness is the kernel's way to say a share: at a nice value n, a process has
// 0.8 to the power of n of the weight of one that is not nice.
func niceness(percent int) int {
	share := min(max(float64(percent), 1.5), 50) / 100
	return int(math.Round(math.Log(share/(1-share)) / math.Log(0.8)))
}

// Run serves until ctx ends, then lets runs under way finish.
func (c *serveCmd) Run(ctx context.Context, g *globals) (err error) {
	log, err := c.logger(g)
	if err != nil {
		return err
	}
	if c.AuditDays < 1 || c.AuditDays > 36500 {
		return fmt.Errorf("serve: --audit-days %d must be 1 to 36500", c.AuditDays)
	}
	if err := c.limitFlags.check(); err != nil {
		return err
	}
	proxies, err := prefixes(c.TrustedProxies)
	if err != nil {
		return err
	}
	database, err := c.database()
	if err != nil {
		return err
	}
	catalog, _, err := c.catalog(g)
	if err != nil {
		return err
	}
	author, err := c.authoring(g)
	if err != nil {
		return err
	}
	secure, err := c.tlsFlags.config(c.Data)
	if err != nil {
		return err
	}
	ln, err := listen(c.Addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	store, err := classroom.Open(ctx, database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	messages, err := c.bus(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, messages.Close()) }()
	var shown atomic.Pointer[web.Site] // the sandbox is there before the site that shows it
	isolate := func(key sandbox.Key, state trace.IsolateState) {
		if site := shown.Load(); site != nil {
			site.IsolateChanged(key, state)
		}
	}
	own := func(key sandbox.Key, typ string) func(trace.Event) {
		if site := shown.Load(); site != nil {
			return site.Own(key, typ)
		}
		return nil
	}
	restore := func(ctx context.Context, key sandbox.Key) (*trace.Deployment, error) {
		if site := shown.Load(); site != nil {
			return site.Deployed(ctx, key)
		}
		return nil, nil
	}
	box, err := g.openSandbox(ctx, sandboxOptions{data: c.Data, builders: serveBuilders(), ceiling: c.ceiling(), store: store.Records(), allow: c.FetchAllow, dns: c.DNS, isolate: isolate, own: own, restore: restore, log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	provider, err := c.oidc()
	if err != nil {
		return err
	}
	var readLessons func(context.Context, []byte, string) ([]lessons.Problem, error)
	if c.OwnLessons {
		readLessons = readApart
	}
	site, err := web.New(web.Config{
		ReadLessons: readLessons,
		Door:        box, Catalog: catalog, Store: store, Bus: messages, Logger: log, PublicURL: c.PublicURL, WorkerDomain: c.WorkerDomain,
		LabDoor: func(ctx context.Context, r lab.Room) (sandbox.Door, error) {
			return g.openSandbox(ctx, sandboxOptions{data: c.Data, runners: 1, ceiling: lab.Ceiling(), engine: r.Engine, memory: r.Memory, nice: niceness(c.LabShare), log: log})
		},
		LabNice: niceness(c.LabShare), Workerd: c.Workerd,
		TrustedProxies: proxies, Ceiling: c.ceiling(), Rates: c.rates(), Settings: c.settings(), Build: buildName(), Author: author, EmbedFrom: c.EmbedFrom, OIDC: provider,
		AuditKeep: time.Duration(c.AuditDays) * 24 * time.Hour,
	})
	if err != nil {
		return err
	}
	shown.Store(site)
	var wg sync.WaitGroup
	background, stop := context.WithCancel(ctx)
	defer func() { stop(); wg.Wait() }()
	if c.DebugAddr != "" {
		debug, err := newDebug(c.DebugAddr, box, site)
		if err != nil {
			return err
		}
		wg.Go(func() { debug.serve(background) })
	}
	if author != nil {
		wg.Go(func() { c.author(background, g, site) })
	}
	headroom := make([]byte, heapHeadroom)
	defer runtime.KeepAlive(headroom)
	srv := site.Server()
	served := make(chan error, 1)
	wg.Go(func() {
		if secure == nil {
			served <- srv.Serve(site.Listener(ln))
			return
		}
		srv.TLSConfig = secure
		served <- srv.ServeTLS(site.Listener(ln), "", "")
	})
	if err := c.greet(ctx, g, site, ln.Addr()); err != nil {
		srv.Close()
		return err
	}
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	log.Info("stopping")
	sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	site.Close(sctx)
	if srv.Shutdown(sctx) != nil {
		srv.Close()
	}
	return nil
}

// bus connects this server with the others on the same database.
func (c *serveCmd) bus(ctx context.Context, log *slog.Logger) (bus.Bus, error) {
	if c.DB == "" {
		return &bus.Local{}, nil
	}
	return bus.OpenPostgres(ctx, c.DB, log)
}

// buildName tells this binary from every other one, also from another build of
// the same version, so that no bundle of an older bundler is deployed again.
func buildName() string {
	exe, err := os.Executable()
	if err != nil {
		return version
	}
	info, err := os.Stat(exe)
	if err != nil {
		return version
	}
	return fmt.Sprintf("%s %d %d", version, info.Size(), info.ModTime().UnixNano())
}

// greet says where everything is.
func (c *serveCmd) greet(ctx context.Context, g *globals, site *web.Site, addr net.Addr) error {
	base := "http://" + browsable(addr)
	if c.TLSCert != "" || len(c.TLSDomain) > 0 {
		base = "https://" + browsable(addr)
	}
	link, err := site.AdminLink(ctx, base, c.AdminLink)
	if err != nil {
		return err
	}
	if c.PublicURL != "" {
		base = c.PublicURL
	}
	fmt.Fprintf(g.Stderr, "\n  Coldstart    %s\n", base)
	if link != "" {
		fmt.Fprintf(g.Stderr, "  Admin, once  %s\n", link)
	}
	fmt.Fprintf(g.Stderr, "  Data         %s\n\n", c.Data)
	return nil
}

// oidc is the provider that the flags name, nil for none.
func (c *serveCmd) oidc() (*web.OIDC, error) {
	if c.OIDCIssuer == "" {
		return nil, nil
	}
	var secret []byte
	if c.OIDCSecretFile != "" {
		var err error
		if secret, err = os.ReadFile(c.OIDCSecretFile); err != nil {
			return nil, fmt.Errorf("serve: --oidc-secret-file: %w", err)
		}
	}
	p, err := oidc.New(oidc.Config{Issuer: c.OIDCIssuer, Client: c.OIDCClient, Secret: strings.TrimSpace(string(secret))})
	if err != nil {
		return nil, fmt.Errorf("serve: --oidc-issuer, --oidc-client: %w", err)
	}
	return &web.OIDC{Provider: p, Name: c.OIDCName}, nil
}

// browsable is an address a browser on this machine can open.
func browsable(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err == nil && ap.Addr().IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", ap.Port())
	}
	return a.String()
}

func (c *serveCmd) logger(g *globals) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, err
	}
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(g.Stderr, o)
	if c.LogFormat == "json" {
		h = slog.NewJSONHandler(g.Stderr, o)
	}
	return slog.New(web.LogHandler(h)), nil // the sandbox and the bus log through it as the site does
}

// catalog loads the lessons; a mistake in them is told with its place.
func (c *serveCmd) catalog(g *globals) (*lessons.Catalog, []lessons.Problem, error) {
	files, err := c.lessonFiles()
	if err != nil {
		return nil, nil, err
	}
	catalog, problems := lessons.Config{Ceiling: c.ceiling()}.Load(files)
	broken := 0
	for _, p := range problems {
		fmt.Fprintln(g.Stderr, p)
		if p.Error() && p.Code != "E006" { // over this host's limits: cut to them, and there
			broken++
		}
	}
	if catalog == nil || len(catalog.Tracks) == 0 {
		return nil, nil, fmt.Errorf("serve: no lessons in %s: it needs folders such as 01-track/track.md", c.Lessons)
	}
	if broken > 0 {
		what := "1 mistake"
		if broken > 1 {
			what = fmt.Sprintf("%d mistakes", broken)
		}
		fmt.Fprintf(g.Stderr, "coldstart: %s in the lessons; what cannot be read is left out\n", what)
	}
	return catalog, problems, nil
}

func (c *serveCmd) lessonFiles() (fs.FS, error) {
	files, err := lessonFiles(c.Lessons)
	if err != nil {
		return nil, fmt.Errorf("serve: --lessons %w", err)
	}
	return files, nil
}

// dataDir makes the data folder and tries whether it can be written.
func dataDir(dir string) (string, error) {
	if dir == "" {
		base := os.Getenv("XDG_DATA_HOME")
		if base == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", errors.New("serve: no home folder to keep data in; name a folder with --data")
			}
			base = filepath.Join(home, ".local", "share")
		}
		dir = filepath.Join(base, "coldstart")
	}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = writable(dir)
	}
	if err != nil {
		return "", fmt.Errorf("serve: the data folder %s cannot be written: %w; choose another with --data", dir, errors.Unwrap(err))
	}
	return dir, nil
}

func prefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return nil, fmt.Errorf("serve: --trusted-proxies %q is neither an address nor a range such as 10.0.0.0/8", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p)
	}
	return out, nil
}
