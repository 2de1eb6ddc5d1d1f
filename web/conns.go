package web

import (
	"net"
	"net/netip"
	"sync"
)

// fairListener closes connections of an address that has its share of them open.
type fairListener struct {
	net.Listener
	most    int
	trusted func(netip.Addr) bool

	mu   sync.Mutex
	open map[string]int // by address, as budgets count them
}

// Accept gives the next connection of an address that may have one more.
func (l *fairListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer, err := netip.ParseAddrPort(conn.RemoteAddr().String())
		if err != nil || l.trusted(peer.Addr()) {
			return conn, nil
		}
		key := bucketKey(peer.Addr())
		if l.enter(key) {
			return &fairConn{Conn: conn, leave: sync.OnceFunc(func() { l.exit(key) })}, nil
		}
		_ = conn.Close()
	}
}

func (l *fairListener) enter(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[key] >= l.most {
		return false
	}
	l.open[key]++
	return true
}

func (l *fairListener) exit(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[key]--; l.open[key] == 0 {
		delete(l.open, key)
	}
}

// fairConn gives its place back when it is closed.
type fairConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *fairConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
