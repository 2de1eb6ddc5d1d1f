package platform

import (
	"context"
	"errors"
	"sync"
	"time"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/query"
	"coldstart/sandbox/trace"
)

// Bounds of open databases.
const (
	sqlOpen  = 64              // held open, at most
	sqlIdle  = 3 * time.Second // without use, after which one is closed
	sqlFlush = 50 * time.Millisecond
	sqlWait  = 10 * time.Second // for whoever answers queries
)

// databases are SQLite databases in memory, each stored as one record: those
// of Durable Objects and of D1. They are held, and their statements run, by
// Config.SQL, which can lose them all at any time.
type databases struct {
	p     *Platform
	flush time.Duration // after which what changed is saved
	alone sync.RWMutex  // held whole by what is tried again after a death

	mu     sync.Mutex
	list   map[Namespace]*database
	number uint64 // of the newest
}

// database is one of them. Its mutex is held while it is asked something.
type database struct {
	ns     Namespace
	number uint64
	used   time.Time // guarded by databases.mu
	refs   int       // guarded by databases.mu

	mu    sync.Mutex
	open  bool  // as far as is known
	dirty bool  // something is not stored
	tx    int   // transactions of its object that are open in one another
	lost  error // what was not stored is gone, and its object has not been told
	most  int64 // bytes of all databases of its project, as who asked last may have
	flush *time.Timer
}

func sqlNamespace(ns Namespace) Namespace {
	ns.Kind = "sql"
	return ns
}

// hold finds or makes a database, which stays until it is let go of; nil when
// there is none and none is to be made.
func (d *databases) hold(ns Namespace, make bool) *database {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.list == nil {
		d.list = map[Namespace]*database{}
	}
	b := d.list[ns]
	if b == nil {
		if !make {
			return nil
		}
		d.number++
		b = &database{ns: ns, number: d.number, most: trace.Default().SQLBytes}
		d.list[ns] = b
	}
	b.refs++
	b.used = time.Now()
	return b
}

func (d *databases) release(b *database) {
	d.mu.Lock()
	b.refs--
	d.mu.Unlock()
	d.shrink(time.Time{})
}

// with runs f on a database when its learner's turn comes. f gives the CPU
// time that it took.
func (d *databases) with(ctx context.Context, ns Namespace, make bool, f func(*database) (time.Duration, error)) error {
	b := d.hold(ns, make)
	if b == nil {
		return nil
	}
	defer d.release(b)
	var err error
	waited := d.p.lanes.do(ctx, ns.Project.Learner, func() (cpu time.Duration) {
		b.mu.Lock()
		defer b.mu.Unlock()
		cpu, err = f(b)
		return cpu
	})
	if waited != nil {
		return waited
	}
	return err
}

// do asks a database something. then is told of a success, with the database's
// mutex held.
func (d *databases) do(ctx context.Context, ns Namespace, q query.Request, then func(*database, query.Reply) error) error {
	return d.with(ctx, ns, true, func(b *database) (time.Duration, error) {
		r, err := d.ask(ctx, b, q)
		if err == nil {
			err = then(b, r)
		}
		return r.CPU, err
	})
}

// errSQLLost is what an object is told whose writes are gone.
var errSQLLost = plainError("The process that ran its SQL stopped, and what was written since the last answer is gone.")

// ask asks a database something, opening it if need be. When what held it is
// gone and all was stored, it is opened again and asked again, now with nothing
// else at work. b.mu is held.
func (d *databases) ask(ctx context.Context, b *database, q query.Request) (query.Reply, error) {
	for deaths := 0; ; {
		if b.lost != nil {
			return query.Reply{}, b.lost
		}
		was := b.open
		r, err := d.once(ctx, b, q, deaths > 0)
		died, stuck := errors.Is(err, query.ErrDied), errors.Is(err, query.ErrTime)
		switch {
		case err == nil && !(r.Unknown && was):
			b.dirty = r.Changed
			if r.Error != nil {
				err = &isolate.Throw{Name: r.Error.Name, Message: r.Error.Message}
			}
			return r, err
		case err != nil && !died && !stuck:
			return r, err
		}
		b.open = false
		if b.dirty || b.tx > 0 {
			b.dirty, b.lost = false, errSQLLost
		}
		if died {
			deaths++
		}
		if b.lost == nil && (stuck || deaths > 1) {
			return r, plainError("The query took longer than %v, or made the process stop that ran it; nothing of it was kept.", query.Wall)
		}
	}
}

// once asks once; alone is as in ask. b.mu is held.
func (d *databases) once(ctx context.Context, b *database, q query.Request, alone bool) (query.Reply, error) {
	if alone {
		d.alone.Lock()
		defer d.alone.Unlock()
	} else {
		d.alone.RLock()
		defer d.alone.RUnlock()
	}
	ctx, cancel := context.WithTimeout(ctx, sqlWait)
	defer cancel()
	q.Database = b.number
	if !b.open {
		r, err := d.p.cfg.Store.Get(ctx, b.ns, "db")
		if err != nil {
			return query.Reply{}, err
		}
		if q.Open = true; r != nil {
			q.Data = r.Value
		}
	}
	r, err := d.p.cfg.SQL(ctx, q)
	b.open = b.open || err == nil && q.Open && !r.Unknown
	return r, err
}

// keep stores what a database gave out. Where that fails nothing of it is
// kept. b.mu is held.
func (d *databases) keep(b *database, data []byte) error {
	if data == nil {
		return nil
	}
	err := d.p.cfg.Store.Write(context.WithoutCancel(d.p.ctx), b.ns, []Change{{Record: Record{Key: "db", Value: data}}}, func(u Usage) error {
		if u.Bytes > b.most {
			d.p.cfg.Full()
			return plainError("SQL: this project's %s of databases are full; delete some rows first.", trace.SizeText(b.most))
		}
		return nil
	})
	if err != nil {
		d.forget(b)
	}
	return err
}

// save stores a database if it changed. b.mu is held.
func (d *databases) save(b *database) error {
	if !b.dirty || b.tx > 0 {
		return nil
	}
	r, err := d.ask(context.WithoutCancel(d.p.ctx), b, query.Request{Op: query.Save, Save: true})
	if err != nil {
		return err
	}
	return d.keep(b, r.Data)
}

// forget closes a database without saving. b.mu is held.
func (d *databases) forget(b *database) {
	if b.flush != nil {
		b.flush.Stop()
	}
	b.dirty, b.tx = false, 0
	if b.open {
		b.open = false
		_, _ = d.p.cfg.SQL(context.WithoutCancel(d.p.ctx), query.Request{Database: b.number, Op: query.Close}) // who holds it no more has forgotten it
	}
}

// later saves soon, for writes whose caller waits for every microsecond. b.mu is held.
func (d *databases) later(b *database) {
	if b.flush != nil {
		b.flush.Stop()
	}
	b.flush = time.AfterFunc(d.flush, func() {
		d.mu.Lock()
		b.refs++
		d.mu.Unlock()
		defer d.release(b)
		b.mu.Lock()
		defer b.mu.Unlock()
		if err := d.save(b); err != nil {
			b.lost = err
			d.p.cfg.Log.Error("database not saved", "error", err)
		}
	})
}

// tidy closes what nobody uses.
func (d *databases) tidy() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-d.p.ctx.Done():
			return
		case at := <-t.C:
			d.shrink(at.Add(-sqlIdle))
		}
	}
}

// shrink closes the databases that were used longest ago: those before a time,
// and others while there are too many. Saving one takes a while, in which others
// are found and made; who wants that one waits for it.
func (d *databases) shrink(before time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		var oldest *database
		for _, b := range d.list {
			if b.refs == 0 && b.tx == 0 && b.lost == nil && (oldest == nil || b.used.Before(oldest.used)) {
				oldest = b
			}
		}
		if oldest == nil || len(d.list) <= sqlOpen && oldest.used.After(before) {
			return
		}
		oldest.refs++
		d.mu.Unlock()
		d.retire(oldest)
		d.mu.Lock()
		oldest.refs--
		if oldest.refs == 0 && !oldest.open && oldest.tx == 0 && oldest.lost == nil {
			delete(d.list, oldest.ns)
		}
	}
}

// retire saves and closes a database, unless somebody has begun with it again.
func (d *databases) retire(b *database) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tx > 0 || b.lost != nil {
		return
	}
	if err := d.save(b); err != nil {
		d.p.cfg.Log.Error("database not saved", "error", err)
	}
	d.forget(b)
}

// Settle returns once what an object's database holds is stored. A database
// that cannot be stored goes back to what is.
func (p *Platform) Settle(c Caller) error {
	d := &p.sql
	b := d.hold(sqlNamespace(objectNamespace(c)), false)
	if b == nil {
		return nil
	}
	defer d.release(b)
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.lost
	if err == nil {
		err = d.save(b)
	}
	b.lost = nil
	return p.trouble("storage", err)
}

// close saves and closes all of them.
func (d *databases) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for ns, b := range d.list {
		b.mu.Lock()
		for b.tx > 0 {
			errs = append(errs, d.end(context.WithoutCancel(d.p.ctx), b, false))
		}
		errs = append(errs, d.save(b))
		d.forget(b)
		b.mu.Unlock()
		delete(d.list, ns)
	}
	return errors.Join(errs...)
}

// drop forgets a project's databases without saving them.
func (d *databases) drop(pr Project) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ns, b := range d.list {
		if ns.Project == pr {
			b.mu.Lock()
			d.forget(b)
			b.mu.Unlock()
			delete(d.list, ns)
		}
	}
}

// remove deletes one database.
func (d *databases) remove(ctx context.Context, ns Namespace) error {
	d.mu.Lock()
	if b := d.list[ns]; b != nil {
		b.mu.Lock()
		d.forget(b)
		b.mu.Unlock()
	}
	d.mu.Unlock()
	return d.p.cfg.Store.Write(ctx, ns, []Change{{Record: Record{Key: "db"}, Delete: true}}, nil)
}

// begin opens a transaction on a database that is open or stored; one that an
// object never used has nothing to undo.
func (d *databases) begin(ctx context.Context, ns Namespace) error {
	return d.do(ctx, ns, query.Request{Op: query.Begin}, func(b *database, _ query.Reply) error {
		b.tx++
		return nil
	})
}

// undo undoes all transactions of a database.
func (d *databases) undo(ctx context.Context, ns Namespace) error {
	return d.with(ctx, ns, false, func(b *database) (time.Duration, error) {
		var err error
		for b.tx > 0 {
			err = errors.Join(err, d.end(ctx, b, false))
		}
		d.later(b)
		return 0, err
	})
}

// finish ends a database's innermost transaction, if it has one.
func (d *databases) finish(ctx context.Context, ns Namespace, commit bool) error {
	return d.with(ctx, ns, false, func(b *database) (time.Duration, error) {
		if b.tx == 0 {
			return 0, nil
		}
		err := d.end(ctx, b, commit)
		d.later(b)
		return 0, err
	})
}

// end ends a transaction. One that is lost is undone already. b.mu is held.
func (d *databases) end(ctx context.Context, b *database, commit bool) error {
	op := query.Rollback
	if commit {
		op = query.Commit
	}
	_, err := d.ask(context.WithoutCancel(ctx), b, query.Request{Op: op})
	b.tx--
	if !commit && b.lost != nil {
		return nil
	}
	return err
}

func sqlExec(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := storageOf(c, a)
	if err == nil {
		err = plainObject(c)
	}
	if err != nil {
		return nil, err
	}
	var res query.Result
	q := query.Request{Op: query.Exec, Queries: []query.Query{{Text: a.str(1), Values: a.list(2)}}}
	err = p.sql.with(ctx, sqlNamespace(ns), true, func(b *database) (time.Duration, error) {
		b.most = c.Worker.Limits.SQLBytes
		r, err := p.sql.ask(ctx, b, q)
		if b.dirty { // also what comes before a statement that fails
			p.sql.later(b)
		}
		if err == nil && len(r.Results) > 0 {
			res = r.Results[0]
		}
		return r.CPU, err
	})
	if err != nil {
		return nil, p.trouble("sql.exec", err)
	}
	return append([]any{columns(res), res.Read, res.Wrote}, res.Values...), nil
}

func columns(r query.Result) []any {
	l := make([]any, len(r.Columns))
	for i, c := range r.Columns {
		l[i] = c
	}
	return l
}

func sqlSize(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	ns, err := storageOf(c, a)
	if err == nil {
		err = plainObject(c)
	}
	if err != nil {
		return nil, err
	}
	var n int64
	err = p.sql.do(ctx, sqlNamespace(ns), query.Request{Op: query.Size}, func(_ *database, r query.Reply) error {
		n = r.Number
		return nil
	})
	return n, p.trouble("sql.size", err)
}

// d1 asks a D1 database. Acknowledged is stored.
func (p *Platform) d1(ctx context.Context, c Caller, a args, op query.Op, list []query.Query) (r query.Reply, err error) {
	id := a.str(0)
	if err := c.own("d1", id); err != nil {
		return r, err
	}
	err = p.sql.do(ctx, Namespace{c.Project, "sql", "d1\n" + id}, query.Request{Op: op, Queries: list, Save: true}, func(b *database, got query.Reply) error {
		r, b.most = got, c.Worker.Limits.SQLBytes
		return p.sql.keep(b, got.Data)
	})
	return r, p.trouble("d1."+string(op), err)
}

func d1Query(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	flat := a.list(1)
	var list []query.Query
	for i := 0; i+1 < len(flat); i += 2 {
		list = append(list, query.Query{Text: flat.str(i), Values: flat.list(i + 1)})
	}
	r, err := p.d1(ctx, c, a, query.Batch, list)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, res := range r.Results {
		out = append(out, append([]any{columns(res), res.Read, res.Wrote, res.Last, res.Wrote, res.Took, res.Changed, r.Number}, res.Values...))
	}
	return out, nil
}

func d1Exec(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	begin := time.Now()
	r, err := p.d1(ctx, c, a, query.Lines, []query.Query{{Text: a.str(1)}})
	if err != nil {
		return nil, err
	}
	return []any{r.Number, float64(time.Since(begin).Microseconds()) / 1000}, nil
}

// Said is an error's message without its class.
func Said(err error) string {
	var t *isolate.Throw
	if errors.As(err, &t) {
		return t.Message
	}
	return err.Error()
}
