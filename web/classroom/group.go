package classroom

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// SQLite has one writer, and a commit waits for the disk. So transactions that
// come while one is being committed are committed together: each is a
// savepoint of one transaction, and all are acknowledged after its commit. A
// class that saves at once then waits for a few commits, not for one each.

// groupMost bounds how many travel together, so that the first one is not kept
// waiting by those after it.
const groupMost = 64

// pending is a transaction that waits for the writer.
type pending struct {
	ctx      context.Context
	f        func(*sql.Tx) error
	done     chan struct{} // closed when err and panicked count
	err      error
	panicked any
}

// group is the writer of one database. All its work is done by the goroutines
// of those who wait: one of them leads, the others follow.
type group struct {
	db *sql.DB

	mu      sync.Mutex
	waiting []*pending
	leading bool
}

// tx runs f and commits it, perhaps together with others. f may run twice, and
// then only the second time counts.
func (g *group) tx(ctx context.Context, f func(*sql.Tx) error) error {
	p := &pending{ctx: ctx, f: f, done: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, p)
	lead := !g.leading
	g.leading = true
	g.mu.Unlock()
	if lead {
		g.lead(p)
	}
	<-p.done
	if p.panicked != nil {
		panic(p.panicked)
	}
	return p.err
}

// lead commits group after group until nobody waits. Once the leader's own
// transaction is committed it hands over: it has an answer to give.
func (g *group) lead(own *pending) {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), groupMost)
		batch := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		if n == 0 {
			g.leading = false
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
		g.commit(batch)
		for _, p := range batch {
			close(p.done)
		}
		select {
		case <-own.done:
			g.mu.Lock()
			if len(g.waiting) > 0 {
				next := g.waiting[0]
				g.mu.Unlock()
				go g.lead(next) // ends at the latest when next has its answer, which somebody waits for
				return
			}
			g.leading = false
			g.mu.Unlock()
			return
		default:
		}
	}
}

// commit runs a batch in one transaction.
func (g *group) commit(batch []*pending) {
	if len(batch) == 1 {
		g.alone(batch[0])
		return
	}
	tx, err := g.db.BeginTx(context.Background(), nil) // no one's request: it is everybody's
	if err != nil {
		for _, p := range batch {
			p.err = err
		}
		return
	}
	whole := true
	for _, p := range batch {
		if whole = whole && p.within(tx); !whole {
			break
		}
	}
	if !whole {
		// An interrupted statement or a full disk has undone the transaction as a
		// whole. Each gets one of its own now, so that only the culprit fails.
		_ = tx.Rollback() // it is gone already
		for _, p := range batch {
			g.alone(p)
		}
		return
	}
	if err := tx.Commit(); err != nil {
		_ = tx.Rollback() // a transaction that was not committed must not stay open
		for _, p := range batch {
			p.err = errors.Join(p.err, err)
		}
	}
}

// alone runs one in a transaction of its own.
func (g *group) alone(p *pending) {
	var tx *sql.Tx
	if tx, p.err = g.db.BeginTx(context.WithoutCancel(p.ctx), nil); p.err != nil {
		return
	}
	if p.run(tx); p.err != nil || p.panicked != nil {
		p.err = errors.Join(p.err, ignoreDone(tx.Rollback()))
		return
	}
	if p.err = tx.Commit(); p.err != nil {
		p.err = errors.Join(p.err, ignoreDone(tx.Rollback()))
	}
}

// within runs one as a part of a transaction; false when the transaction is gone.
func (p *pending) within(tx *sql.Tx) bool {
	ctx := context.Background()
	if _, err := tx.ExecContext(ctx, `SAVEPOINT one`); err != nil {
		return false
	}
	p.run(tx)
	if p.err != nil || p.panicked != nil {
		if _, err := tx.ExecContext(ctx, `ROLLBACK TO one`); err != nil {
			return false
		}
	}
	_, err := tx.ExecContext(ctx, `RELEASE one`)
	return err == nil
}

// run calls f in the name of whoever waits, whose panic is theirs.
func (p *pending) run(tx *sql.Tx) {
	defer func() { p.panicked = recover() }()
	if p.err = p.ctx.Err(); p.err == nil {
		p.err = p.f(tx)
	}
}
