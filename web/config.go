package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"coldstart/lessons"
	"coldstart/sandbox"
	"coldstart/sandbox/trace"
	"coldstart/web/bus"
	"coldstart/web/classroom"
	"coldstart/web/lab"
)

// Config is what a Site works with. Door, Catalog and Store are needed, and
// they and Bus stay the caller's to close, after the Site.
type Config struct {
	Door    sandbox.Door
	Catalog *lessons.Catalog
	Store   *classroom.Store
	Bus     bus.Bus          // carries messages between the site's servers; nil: there is one
	Logger  *slog.Logger     // nil: nothing is logged
	Now     func() time.Time // nil: time.Now

	// LabDoor starts a sandbox for one lab, which closes it. Nil: labs have no isolates here.
	LabDoor func(ctx context.Context, r lab.Room) (sandbox.Door, error)
	LabNice int    // how much processes of labs give way to all others, 0 to 19
	Workerd string // path of workerd for labs; "" looks on PATH

	// PublicURL is where visitors reach the site, "https://learn.example.org".
	// Empty: wherever a request came to.
	PublicURL string
	// WorkerDomain makes <slug>.<WorkerDomain> a Worker's own host name, beside
	// <slug>.localhost which always is. It must not be the site's own host.
	WorkerDomain string
	// TrustedProxies are the addresses whose X-Forwarded-For and
	// X-Forwarded-Proto are believed.
	TrustedProxies []netip.Prefix
	// Ceiling is the most that a project may ask for; zero: trace.Ceiling.
	Ceiling trace.Limits
	// Build names this binary; bundles that another one built are built anew.
	Build string
	// OIDC is how instructors sign in beside passwords; nil: only with those.
	OIDC *OIDC
	// EmbedFrom are the sites that may show shared links in frames, as
	// frame-ancestors takes them; none when empty.
	EmbedFrom []string
	// AuditKeep is how long the audit log keeps an event; 0: 365 days.
	AuditKeep time.Duration
	// Author shows lint and reloads pages while lessons are being written; nil: nobody writes here.
	Author *Author

	// ReadLessons reads lessons that an instructor brings, apart from this
	// process, and gives their problems: reading them here takes no longer and no
	// more memory than it took there. Nil: instructors bring none, and those that
	// they brought before are not shown.
	ReadLessons func(ctx context.Context, archive []byte, mark string) ([]lessons.Problem, error)

	// Settings are what the host's page says of this server, in that order.
	Settings []Setting

	Rates    Rates
	Timeouts Timeouts
	MaxConns int // open connections; 0 means 8192
	// MaxConnsEach is how many of those one address may have, so that nobody
	// takes them all; 0 means half. A trusted proxy, which speaks for many, may
	// have all.
	MaxConnsEach int
}

// Setting is something that a host sets when a server starts.
type Setting struct {
	Name, Value string // in words
	Flag        string // with which it is set
}

// Rates are budgets, as events a second and how many at once. A zero field
// means its default, a negative one no limit.
type Rates struct {
	Address      Rate // requests of one address to the site: a class shares one, so 200 and 4000
	Session      Rate // writes of one learner: 20 and 60
	Run          Rate // runs and checks of one learner: 4 and 15, so that 20 clicks in a second are too many
	Burst        Rate // bursts of one class, each of which asks all of it ten times: one in 5 s and 3
	Workspace    Rate // new workspaces of one address: 5 and 300
	Worker       Rate // requests to one public Worker: 1000 and 2000
	WorkerCaller Rate // requests of one address to public Workers: 1000 and 2000
	Wrong        Rate // wrong codes, phrases and passwords of one address, each: one in 5 s and 30
	WrongAll     Rate // the same of all addresses together: 5 and 300
}

// Rate is a token bucket.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Timeouts end what a client does too slowly. A zero field means its default.
type Timeouts struct {
	Header time.Duration // of a request: 5 s
	Body   time.Duration // waiting for a request body before it must flow at 16 kB/s: 5 s
	Write  time.Duration // of one piece of a response: 20 s
	Idle   time.Duration // between requests: 60 s
}

// embedSource is the form of a site that may show shared links.
var embedSource = regexp.MustCompile(`^(\*|https?://(\*\.)?[a-z0-9.-]+(:[0-9]{1,5})?)$`)

func (c Config) withDefaults() (Config, error) {
	if c.Door == nil || c.Catalog == nil || c.Store == nil {
		return c, errors.New("web: Config needs Door, Catalog and Store")
	}
	if c.Bus == nil {
		c.Bus = &bus.Local{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Ceiling == (trace.Limits{}) {
		c.Ceiling = trace.Ceiling()
	}
	if c.AuditKeep == 0 {
		c.AuditKeep = 365 * 24 * time.Hour
	}
	if c.MaxConns == 0 {
		c.MaxConns = 8192
	}
	if c.MaxConnsEach == 0 {
		c.MaxConnsEach = max(1, c.MaxConns/2)
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return c, fmt.Errorf("the public address %q must be like https://learn.example.org", c.PublicURL)
		}
		c.PublicURL = u.Scheme + "://" + strings.ToLower(u.Host)
		if c.WorkerDomain != "" && strings.EqualFold(u.Hostname(), c.WorkerDomain) {
			return c, fmt.Errorf("the worker domain %q is the site's own host; Workers need another one", c.WorkerDomain)
		}
	}
	for _, from := range c.EmbedFrom {
		if !embedSource.MatchString(from) {
			return c, fmt.Errorf("the site %q, which may show shared links, must be like https://lms.example.org, or *", from)
		}
	}
	c.WorkerDomain = strings.ToLower(strings.Trim(c.WorkerDomain, "."))
	r, d := &c.Rates, func(r *Rate, perSecond float64, burst int) {
		if *r == (Rate{}) {
			*r = Rate{perSecond, burst}
		}
	}
	d(&r.Address, 200, 4000)
	d(&r.Session, 20, 60)
	d(&r.Run, 4, 15)
	d(&r.Burst, 0.2, 3)
	d(&r.Workspace, 5, 300)
	d(&r.Worker, 1000, 2000)
	d(&r.WorkerCaller, 1000, 2000)
	d(&r.Wrong, 0.2, 30)
	d(&r.WrongAll, 5, 300)
	t := &c.Timeouts
	for _, f := range []struct {
		field *time.Duration
		value time.Duration
	}{{&t.Header, 5 * time.Second}, {&t.Body, 5 * time.Second}, {&t.Write, 20 * time.Second}, {&t.Idle, time.Minute}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return c, nil
}
