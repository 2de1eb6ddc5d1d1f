package platform

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"coldstart/sandbox/trace"
)

const (
	queueBytes = 16 << 20  // of a project's queues
	messageMax = 128 << 10 // bytes of one message
)

// deliverAgain is how long a queue rests after the store did not answer.
const deliverAgain = 2 * time.Second

// message is what is kept beside a message's encoded body.
type message struct {
	ID       string `json:"id"`
	Sent     int64  `json:"sent"` // Unix milliseconds
	Type     string `json:"type"`
	Attempts int    `json:"attempts"`
}

// queue is the delivery of one queue's messages, while there are any.
type queue struct {
	changed chan struct{} // something was sent
}

func queueSend(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	return nil, p.enqueue(ctx, c, a.str(0), args{a.any(1), a.any(2), a.any(3)})
}

func queueSendBatch(ctx context.Context, p *Platform, c Caller, a args) (any, error) {
	return nil, p.enqueue(ctx, c, a.str(0), a.list(1))
}

// enqueue keeps messages: encoded body, content type and delay for each.
func (p *Platform) enqueue(ctx context.Context, c Caller, name string, flat args) error {
	if err := c.own("queue", name); err != nil {
		return err
	}
	if len(flat) > 300 {
		return plainError("Queue sendBatch failed: a batch holds at most 100 messages.")
	}
	now := p.cfg.Now()
	var batch []Change
	for i := 0; i+2 < len(flat); i += 3 {
		body := flat.str(i)
		if len(body) > messageMax {
			return plainError("Queue send failed: message length of %d bytes exceeds limit of %d.", len(body), messageMax)
		}
		delay := min(max(flat.integer(i+2), 0), 43200)
		m := message{ID: messageID(), Sent: now.UnixMilli(), Type: clip(flat.str(i+1), 16), Attempts: 1}
		batch = append(batch, Change{Record: *messageRecord(now.Add(time.Duration(delay)*time.Second), i, body, m)})
	}
	ns := Namespace{c.Project, "queue", name}
	if err := p.cfg.Store.Write(ctx, ns, batch, p.queueLimit(c.Worker.Limits)); err != nil {
		return p.trouble("queue.send", err)
	}
	p.deliver(ns)
	return nil
}

func (p *Platform) queueLimit(l trace.Limits) func(Usage) error {
	return func(u Usage) error {
		if u.Keys > l.Messages {
			p.cfg.Full()
			return plainError("Queue send failed: %d messages wait in this project's queues, the most that may.", l.Messages)
		}
		if u.Bytes > queueBytes {
			p.cfg.Full()
			return plainError("Queue send failed: this project's %s of queues are full.", trace.SizeText(queueBytes))
		}
		return nil
	}
}

func messageID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// messageRecord orders messages by when they are due.
func messageRecord(due time.Time, i int, body string, m message) *Record {
	meta, err := json.Marshal(m)
	if err != nil {
		panic(err) // plain fields
	}
	return &Record{Key: fmt.Sprintf("%016x%06x%s", due.UnixMilli(), i, m.ID[:8]), Value: []byte(body), Meta: meta}
}

// due is when a message may be delivered, in Unix milliseconds.
func (r Record) due() int64 {
	var n int64
	if len(r.Key) >= 16 {
		_, _ = fmt.Sscanf(r.Key[:16], "%016x", &n) // we wrote it
	}
	return n
}

// deliver makes sure that somebody delivers a queue's messages.
func (p *Platform) deliver(ns Namespace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return
	}
	q := p.queues[ns]
	if q == nil {
		q = &queue{changed: make(chan struct{}, 1)}
		p.queues[ns] = q
		p.wg.Go(func() { p.deliveries(ns, q) })
	}
	select {
	case q.changed <- struct{}{}:
	default:
	}
}

// consumer finds who consumes a queue.
func (p *Platform) consumer(ns Namespace) (string, trace.Consumer, bool) {
	for _, w := range p.workers(ns.Project) {
		for _, c := range w.Consumers {
			if c.Queue == ns.Name {
				if c.BatchSize <= 0 {
					c.BatchSize = 10
				}
				c.BatchSize = min(c.BatchSize, 100)
				return w.Name, c, true
			}
		}
	}
	return "", trace.Consumer{}, false
}

// deliveries gathers and delivers batches until the queue is empty, nobody
// consumes it or the platform closes.
func (p *Platform) deliveries(ns Namespace, q *queue) {
	for p.ctx.Err() == nil {
		worker, c, ok := p.consumer(ns)
		list, err := p.cfg.Store.List(p.ctx, ns, Query{Limit: 100, Values: true})
		if err != nil && p.ctx.Err() == nil {
			p.cfg.Log.Error("queue not read", "queue", ns.Name, "error", err)
		}
		if !ok || len(list) == 0 || err != nil {
			p.mu.Lock()
			select {
			case <-q.changed: // just now
				if ok && err == nil && p.ctx.Err() == nil {
					p.mu.Unlock()
					continue
				}
			default:
			}
			delete(p.queues, ns)
			p.mu.Unlock()
			return
		}
		now := p.cfg.Now()
		ready := slices.DeleteFunc(slices.Clone(list), func(r Record) bool { return r.due() > now.UnixMilli() })
		wait := time.UnixMilli(list[0].due()).Sub(now)
		if len(ready) > 0 {
			// A batch goes when it is full or its first message has waited long enough.
			wait = time.UnixMilli(ready[0].due()).Add(batchWait(c)).Sub(now)
			if len(ready) >= c.BatchSize {
				wait = 0
			}
		}
		if wait > 0 {
			t := time.NewTimer(wait)
			select {
			case <-t.C:
			case <-q.changed:
			case <-p.ctx.Done():
			}
			t.Stop()
			continue
		}
		if err := p.batch(ns, worker, c, ready[:min(len(ready), c.BatchSize)]); err != nil && p.ctx.Err() == nil {
			p.cfg.Log.Error("batch not delivered", "queue", ns.Name, "error", err)
			select {
			case <-time.After(deliverAgain):
			case <-p.ctx.Done():
			}
		}
	}
}

func batchWait(c trace.Consumer) time.Duration {
	return time.Duration(min(max(c.BatchWait, 0), 60)) * time.Second
}

// outcome is what a consumer says of a batch.
type outcome struct {
	Outcome       string     `json:"outcome"`
	AckAll        bool       `json:"ackAll"`
	RetryBatch    retryBatch `json:"retryBatch"`
	RetryDelay    *float64   `json:"retryDelay"`
	ExplicitAcks  []string   `json:"explicitAcks"`
	RetryMessages []string   `json:"retryMessages"`
	RetryDelays   []*float64 `json:"retryDelays"`
}

// retryBatch is a bool or, as workerd's own result has it, {"retry": bool}.
type retryBatch bool

// UnmarshalJSON reads either form.
func (b *retryBatch) UnmarshalJSON(data []byte) error {
	var o struct {
		Retry bool `json:"retry"`
	}
	if json.Unmarshal(data, (*bool)(b)) == nil {
		return nil
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return err
	}
	*b = retryBatch(o.Retry)
	return nil
}

// batch is messages that this server has taken, to deliver them.
type batch struct {
	ns    Namespace
	from  []Record // as they were
	at    []string // the keys that they have while they are taken
	lost  []bool   // the lease was over, and another server has it now
	about []message
}

// takeMessages takes those of a queue's messages that are there still: each is put
// where the lease ends. A delivery that never ends counts as an attempt.
func (p *Platform) takeMessages(ns Namespace, list []Record) (*batch, error) {
	b := &batch{ns: ns}
	moves := make([]Move, len(list))
	about := make([]message, len(list))
	for i, r := range list {
		if err := json.Unmarshal(r.Meta, &about[i]); err != nil {
			p.cfg.Log.Error("message not read", "queue", ns.Name, "error", err)
			about[i] = message{ID: messageID(), Attempts: 1}
		}
		m := about[i]
		m.Attempts++
		moves[i] = Move{From: r.Key, To: messageRecord(p.until(), i, string(r.Value), m)}
	}
	moved, err := p.cfg.Store.Move(p.ctx, ns, moves)
	for i, mine := range moved {
		if mine {
			b.from, b.at, b.about = append(b.from, list[i]), append(b.at, moves[i].To.Key), append(b.about, about[i])
		}
	}
	b.lost = make([]bool, len(b.at))
	return b, err
}

// move gives each of the batch's messages that are this server's still the
// record that to says; nil drops it.
func (b *batch) move(ctx context.Context, p *Platform, to func(i int) (record *Record, queue string)) {
	var moves []Move
	var which []int
	for i, key := range b.at {
		if !b.lost[i] {
			r, queue := to(i)
			moves, which = append(moves, Move{From: key, To: r, Name: queue}), append(which, i)
		}
	}
	moved, err := p.cfg.Store.Move(ctx, b.ns, moves)
	if err != nil { // they are delivered again when the lease ends
		if p.ctx.Err() == nil {
			p.cfg.Log.Error("batch not settled", "queue", b.ns.Name, "error", err)
		}
		return
	}
	for n, i := range which {
		b.lost[i] = !moved[n]
		if r := moves[n].To; r != nil {
			b.at[i] = r.Key
		}
	}
}

// batch delivers those messages of a list that no other server has taken, and
// puts them where they belong. Its error is the store's.
func (p *Platform) batch(ns Namespace, worker string, c trace.Consumer, list []Record) error {
	type item struct {
		ID        string `json:"id"`
		Timestamp int64  `json:"timestamp"`
		Attempts  int    `json:"attempts"`
		Encoded   string `json:"encoded"`
	}
	if !p.turn(ns.Project) {
		return nil
	}
	b, err := p.takeMessages(ns, list)
	if err != nil || len(b.at) == 0 { // another server was quicker
		return err
	}
	items := make([]item, len(b.from))
	for i, m := range b.about {
		items[i] = item{m.ID, m.Sent, m.Attempts, string(b.from[i].Value)}
	}
	payload, err := json.Marshal(map[string]any{"queue": ns.Name, "messages": items})
	if err != nil {
		return err
	}
	var sum *trace.Summary
	var result []byte
	p.leased(func() {
		sum, result, err = p.invoke(Event{Project: ns.Project, Worker: worker, Type: "queue", Payload: payload})
	}, func() {
		b.move(p.ctx, p, func(i int) (*Record, string) {
			m := b.about[i]
			m.Attempts++
			return messageRecord(p.until(), i, string(b.from[i].Value), m), ""
		})
	})
	var o outcome
	failed := err != nil || sum.Fault != nil || json.Unmarshal(result, &o) != nil || o.Outcome != "ok"
	ctx, done := p.settling()
	defer done()
	if failed && p.ctx.Err() != nil { // cut short: as if it had not begun
		b.move(ctx, p, func(i int) (*Record, string) { return &b.from[i], "" })
		return nil
	}
	now, dead := p.cfg.Now(), false
	b.move(ctx, p, func(i int) (*Record, string) {
		m := b.about[i]
		retry, wait := o.retries(m.ID, failed, c)
		if !retry {
			return nil, ""
		}
		body := string(b.from[i].Value)
		if m.Attempts > c.Retries {
			if c.DeadLetter == "" {
				return nil, ""
			}
			dead, m.Attempts = true, 1
			return messageRecord(now, i, body, m), c.DeadLetter
		}
		m.Attempts++
		return messageRecord(now.Add(wait), i, body, m), ""
	})
	if dead {
		p.deliver(Namespace{ns.Project, "queue", c.DeadLetter})
	}
	return nil
}

// retries is whether a message is to be delivered again, and how much later.
func (o *outcome) retries(id string, failed bool, c trace.Consumer) (again bool, wait time.Duration) {
	again, delay := failed || bool(o.RetryBatch), o.RetryDelay
	switch at := slices.Index(o.RetryMessages, id); {
	case slices.Contains(o.ExplicitAcks, id):
		again = false
	case at >= 0:
		again = true
		if at < len(o.RetryDelays) && o.RetryDelays[at] != nil {
			delay = o.RetryDelays[at]
		}
	case o.AckAll && !failed:
		again = false
	}
	wait = time.Duration(c.RetryDelay) * time.Second
	if delay != nil {
		wait = time.Duration(min(max(*delay, 0), 43200)) * time.Second
	}
	return again, wait
}
