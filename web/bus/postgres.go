package bus

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// channel is the one that all servers of a database listen on.
const channel = "coldstart"

// How the connections are kept.
const (
	backlog   = 4096            // messages that wait to be sent; more are dropped, and said to be
	again     = time.Second     // between two tries to connect
	closeWait = 2 * time.Second // for messages that wait when the bus closes
	dialWait  = 10 * time.Second
)

// Postgres is a Bus through a database of PostgreSQL, by LISTEN and NOTIFY. It
// keeps two connections, and makes them again when they break. It does not work
// through a pooler that gives connections away between transactions.
type Postgres struct {
	subscribers
	config *pgx.ConnConfig
	log    *slog.Logger
	self   string // names this server among the senders
	send   chan Message
	ctx    context.Context
	cancel context.CancelFunc
	closed chan struct{}
	wg     sync.WaitGroup
}

// envelope is what travels.
type envelope struct {
	From  string `json:"f"`
	Topic string `json:"t,omitempty"`
	Text  string `json:"x,omitempty"`
	Lost  bool   `json:"l,omitempty"` // the sender could not send everything
}

// OpenPostgres connects to the database at url and listens when it returns; log
// may be nil. The caller closes it.
func OpenPostgres(ctx context.Context, url string, log *slog.Logger) (*Postgres, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("messages between servers: the database's address is not understood") // the driver's words may hold the password
	}
	config.RuntimeParams["application_name"] = "coldstart bus"
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = dialWait
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &Postgres{config: config, log: log, self: rand.Text(), send: make(chan Message, backlog), closed: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	conn, err := p.listen(ctx)
	if err != nil {
		return nil, fmt.Errorf("messages between servers: %w", err)
	}
	p.wg.Go(func() { p.receive(conn) })
	p.wg.Go(p.sender)
	return p, nil
}

func (m Message) check() {
	if len(m.Topic)+len(m.Text) > MaxText || !utf8.ValidString(m.Text) {
		panic(fmt.Sprintf("bus: a message of topic %q is over %d bytes or not UTF-8", m.Topic, MaxText))
	}
}

// Publish implements Bus.
func (p *Postgres) Publish(m Message) {
	m.check()
	p.deliver(m)
	select {
	case p.send <- m:
	default:
		p.log.Warn("messages between servers are dropped: the database takes them too slowly")
	}
}

// Close implements Bus.
func (p *Postgres) Close() error {
	close(p.closed)
	p.wg.Wait()
	return nil
}

func (p *Postgres) listen(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, p.config)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// receive delivers what other servers say, and connects again when it must.
func (p *Postgres) receive(conn *pgx.Conn) {
	for {
		for {
			n, err := conn.WaitForNotification(p.ctx)
			if err != nil {
				break
			}
			var e envelope
			switch err := json.Unmarshal([]byte(n.Payload), &e); {
			case err != nil:
				p.log.Warn("a message between servers was not understood", "error", err)
			case e.From == p.self:
			case e.Lost:
				p.miss()
			default:
				p.deliver(Message{e.Topic, e.Text})
			}
		}
		shut(conn)
		if conn = p.reconnect(p.listen); conn == nil {
			return
		}
		p.miss()
	}
}

// reconnect tries until it succeeds, or until the bus closes and it gives nil.
func (p *Postgres) reconnect(open func(context.Context) (*pgx.Conn, error)) *pgx.Conn {
	for warned := false; p.ctx.Err() == nil; warned = true {
		conn, err := open(p.ctx)
		if err == nil {
			return conn
		}
		if !warned {
			p.log.Warn("messages between servers wait: the database does not answer", "error", err)
		}
		select {
		case <-p.ctx.Done():
		case <-time.After(again):
		}
	}
	return nil
}

func shut(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // it is of no use any more
}

// sender sends what was published here; what waits goes together.
func (p *Postgres) sender() {
	defer p.cancel()
	var conn *pgx.Conn
	defer func() {
		if conn != nil {
			shut(conn)
		}
	}()
	for {
		var batch []Message
		select {
		case m := <-p.send:
			batch = append(batch, m)
		case <-p.closed:
		}
		full := len(p.send) == cap(p.send)
		for more := true; more && len(batch) < 256; {
			select {
			case m := <-p.send:
				batch = append(batch, m)
			default:
				more = false
			}
		}
		if len(batch) == 0 {
			return // closed, and nothing waits
		}
		select {
		case <-p.closed: // the rest gets this long
			time.AfterFunc(closeWait, p.cancel)
		default:
		}
		for {
			if conn == nil {
				if conn = p.reconnect(func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, p.config) }); conn == nil {
					return
				}
			}
			if err := p.notify(conn, batch, full); err == nil {
				break
			}
			shut(conn)
			conn = nil
		}
	}
}

func (p *Postgres) notify(conn *pgx.Conn, batch []Message, lost bool) error {
	var b pgx.Batch
	add := func(e envelope) {
		text, err := json.Marshal(e)
		if err != nil {
			panic(err) // plain fields
		}
		b.Queue("SELECT pg_notify($1, $2)", channel, string(text))
	}
	for _, m := range batch {
		add(envelope{From: p.self, Topic: m.Topic, Text: m.Text})
	}
	if lost {
		add(envelope{From: p.self, Lost: true})
	}
	ctx, cancel := context.WithTimeout(p.ctx, dialWait)
	defer cancel()
	return conn.SendBatch(ctx, &b).Close()
}
