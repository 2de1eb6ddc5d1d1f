package bus

import (
	"slices"
	"sync"
)

// Message says that something changed.
type Message struct {
	Topic string // what kind of thing, such as "saved"; the publisher's choice
	Text  string // which one: ids, at most MaxText bytes; the publisher's encoding
}

// MaxText is the most that a message may hold, in bytes: PostgreSQL takes less
// than 8000, and a character may be escaped.
const MaxText = 1000

// Bus brings every message that is published at any server of the site to every
// subscriber of every server, in the order of each publisher. Equal messages
// that follow each other closely may come once, and after a broken connection
// twice. Its methods may be used by many goroutines.
type Bus interface {
	// Publish gives the message to this server's subscribers before it returns,
	// and to the other servers soon after. It never waits for the network. A
	// Text over MaxText, or one that is not UTF-8, is the caller's mistake and panics.
	Publish(m Message)
	// Subscribe calls message for each message from now on, from one goroutine
	// for those of other servers; it must return soon. missed, which may be nil,
	// is called after messages of other servers may have been lost. stop ends
	// it; no call begins after stop has returned.
	Subscribe(message func(Message), missed func()) (stop func())
	// Close ends the bus; messages that wait are sent first if the network lets them.
	Close() error
}

// Local is the bus of a site that is one server. Its zero value is ready.
type Local struct{ subscribers }

// Publish implements Bus.
func (l *Local) Publish(m Message) {
	m.check()
	l.deliver(m)
}

// Close implements Bus.
func (l *Local) Close() error { return nil }

// subscribers are those of this server.
type subscribers struct {
	mu  sync.RWMutex
	all []*subscriber
}

type subscriber struct {
	mu      sync.RWMutex // held for reading during a call
	stopped bool
	message func(Message)
	missed  func()
}

// Subscribe implements Bus.
func (s *subscribers) Subscribe(message func(Message), missed func()) (stop func()) {
	one := &subscriber{message: message, missed: missed}
	s.mu.Lock()
	s.all = append(slices.Clone(s.all), one)
	s.mu.Unlock()
	return func() {
		s.mu.Lock()
		s.all = slices.DeleteFunc(slices.Clone(s.all), func(x *subscriber) bool { return x == one })
		s.mu.Unlock()
		one.mu.Lock()
		one.stopped = true
		one.mu.Unlock()
	}
}

func (s *subscribers) list() []*subscriber {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.all
}

func (s *subscribers) deliver(m Message) {
	for _, one := range s.list() {
		one.call(func() { one.message(m) })
	}
}

func (s *subscribers) miss() {
	for _, one := range s.list() {
		if one.missed != nil {
			one.call(one.missed)
		}
	}
}

func (s *subscriber) call(f func()) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.stopped {
		f()
	}
}
