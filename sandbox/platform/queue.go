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

// Limits of a queue, per project.
const (
	queueBytes = 16 << 20
	queueKeys  = 10_000
	messageMax = 128 << 10
)

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
		batch = append(batch, messageRecord(now.Add(time.Duration(delay)*time.Second), i, body, message{ID: messageID(), Sent: now.UnixMilli(), Type: clip(flat.str(i+1), 16), Attempts: 1}))
	}
	ns := Namespace{c.Project, "queue", name}
	if err := p.cfg.Store.Write(ctx, ns, batch, queueLimit); err != nil {
		return p.trouble("queue.send", err)
	}
	p.deliver(ns)
	return nil
}

func queueLimit(u Usage) error {
	if u.Bytes > queueBytes || u.Keys > queueKeys {
		return plainError("Queue send failed: the project's queues are full.")
	}
	return nil
}

func messageID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// messageRecord orders messages by when they are due.
func messageRecord(due time.Time, i int, body string, m message) Change {
	meta, err := json.Marshal(m)
	if err != nil {
		panic(err) // plain fields
	}
	return Change{Record: Record{Key: fmt.Sprintf("%016x%06x%s", due.UnixMilli(), i, m.ID[:8]), Value: []byte(body), Meta: meta}}
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
		p.batch(ns, worker, c, ready[:min(len(ready), c.BatchSize)])
	}
}

func batchWait(c trace.Consumer) time.Duration {
	if c.BatchWait > 0 {
		return time.Duration(min(c.BatchWait, 60)) * time.Second
	}
	return 5 * time.Second
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

// batch delivers one batch and puts its messages where they belong.
func (p *Platform) batch(ns Namespace, worker string, c trace.Consumer, list []Record) {
	type item struct {
		ID        string `json:"id"`
		Timestamp int64  `json:"timestamp"`
		Attempts  int    `json:"attempts"`
		Encoded   string `json:"encoded"`
	}
	messages := make([]message, len(list))
	items := make([]item, len(list))
	for i, r := range list {
		if err := json.Unmarshal(r.Meta, &messages[i]); err != nil {
			p.cfg.Log.Error("message not read", "queue", ns.Name, "error", err)
		}
		items[i] = item{messages[i].ID, messages[i].Sent, messages[i].Attempts, string(r.Value)}
	}
	payload, err := json.Marshal(map[string]any{"queue": ns.Name, "messages": items})
	if err != nil {
		return
	}
	if !p.turn(ns.Project) {
		return
	}
	sum, result, err := p.cfg.Invoke(p.ctx, Event{Project: ns.Project, Worker: worker, Type: "queue", Payload: payload})
	if p.ctx.Err() != nil {
		return // delivered again after the next start
	}
	var o outcome
	failed := err != nil || sum.Fault != nil || json.Unmarshal(result, &o) != nil || o.Outcome != "ok"
	var own, dead []Change
	now := p.cfg.Now()
	for i, m := range messages {
		own = append(own, Change{Record: Record{Key: list[i].Key}, Delete: true})
		retry, delay := failed || bool(o.RetryBatch), o.RetryDelay
		switch at := slices.Index(o.RetryMessages, m.ID); {
		case slices.Contains(o.ExplicitAcks, m.ID):
			retry = false
		case at >= 0:
			retry = true
			if at < len(o.RetryDelays) && o.RetryDelays[at] != nil {
				delay = o.RetryDelays[at]
			}
		case o.AckAll && !failed:
			retry = false
		}
		if !retry {
			continue
		}
		retries := c.Retries
		if retries == 0 {
			retries = 3
		}
		body := string(list[i].Value)
		if m.Attempts > retries {
			if c.DeadLetter != "" {
				dead = append(dead, messageRecord(now, i, body, message{ID: m.ID, Sent: m.Sent, Type: m.Type, Attempts: 1}))
			}
			continue
		}
		m.Attempts++
		wait := time.Duration(c.RetryDelay) * time.Second
		if delay != nil {
			wait = time.Duration(min(max(*delay, 0), 43200)) * time.Second
		}
		own = append(own, messageRecord(now.Add(wait), i, body, m))
	}
	if len(dead) > 0 {
		to := Namespace{ns.Project, "queue", c.DeadLetter}
		if err := p.cfg.Store.Write(p.ctx, to, dead, nil); err != nil {
			p.cfg.Log.Error("dead letters not kept", "queue", ns.Name, "error", err)
		}
		p.deliver(to)
	}
	if err := p.cfg.Store.Write(p.ctx, ns, own, nil); err != nil {
		p.cfg.Log.Error("batch not settled", "queue", ns.Name, "error", err)
	}
}
