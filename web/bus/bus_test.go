package bus

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"coldstart/web/classroom/pgtest"
)

// inbox gathers what a subscriber gets.
type inbox struct {
	mu     sync.Mutex
	all    []Message
	missed int
	more   chan struct{}
}

func subscribe(b Bus) (*inbox, func()) {
	x := &inbox{more: make(chan struct{}, 1)}
	wake := func() {
		select {
		case x.more <- struct{}{}:
		default:
		}
	}
	stop := b.Subscribe(func(m Message) {
		x.mu.Lock()
		x.all = append(x.all, m)
		x.mu.Unlock()
		wake()
	}, func() {
		x.mu.Lock()
		x.missed++
		x.mu.Unlock()
		wake()
	})
	return x, stop
}

// until waits until ok holds of what has come.
func (x *inbox) until(t *testing.T, what string, ok func(all []Message, missed int) bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		x.mu.Lock()
		done := ok(x.all, x.missed)
		x.mu.Unlock()
		if done {
			return
		}
		select {
		case <-x.more:
		case <-deadline:
			t.Fatalf("no %s; got %+v", what, x.all)
		}
	}
}

func count(n int) func([]Message, int) bool {
	return func(all []Message, _ int) bool { return len(all) == n }
}

func TestLocal(t *testing.T) {
	var b Local
	x, stop := subscribe(&b)
	b.Publish(Message{"saved", "1"})
	stop()
	b.Publish(Message{"saved", "2"})
	x.until(t, "message", count(1))
	if x.all[0] != (Message{"saved", "1"}) {
		t.Errorf("got %+v", x.all)
	}
}

func TestPostgres(t *testing.T) {
	url := pgtest.Start(t)
	open := func() *Postgres {
		b, err := OpenPostgres(t.Context(), url, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one, two := open(), open()
	defer one.Close()
	atOne, _ := subscribe(one)
	atTwo, _ := subscribe(two)

	const n = 500
	for i := range n {
		one.Publish(Message{"saved", fmt.Sprint(i)})
	}
	if len(atOne.all) != n {
		t.Errorf("the publisher's own server has %d of %d before Publish returns", len(atOne.all), n)
	}
	atTwo.until(t, "messages at the other server", count(n))
	for i, m := range atTwo.all {
		if m != (Message{"saved", fmt.Sprint(i)}) {
			t.Fatalf("message %d is %+v", i, m)
		}
	}

	// Every connection breaks, as when the database restarts: both servers learn
	// that they may have missed something, and messages flow again.
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'coldstart bus'`); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, x := range []*inbox{atOne, atTwo} {
		x.until(t, "word of lost messages", func(_ []Message, missed int) bool { return missed > 0 })
	}
	two.Publish(Message{"class", "a"})
	atOne.until(t, "message after the break", count(n+1))

	// What waits is sent when a server closes.
	two.Publish(Message{"class", "b"})
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
	atOne.until(t, "message of a server that closed", count(n+2))
}
