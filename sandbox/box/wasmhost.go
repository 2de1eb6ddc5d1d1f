package box

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"coldstart/static"
)

// moduleFile is the module as cmd/assets built it.
const moduleFile = "visits.wasm"

// modulePages bounds one instance's memory: 32 MiB.
const modulePages = 512

// moduleHost is the process of Modules. It answers on the connection that it
// inherited, one request after the other, and ends with it.
type moduleHost struct {
	runtime wazero.Runtime
	code    wazero.CompiledModule
	live    map[string]api.Module
}

func hostModules() error {
	ctx := context.Background()
	text, err := static.File(moduleFile)
	if err != nil {
		return err
	}
	h := &moduleHost{live: map[string]api.Module{}}
	h.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithMemoryLimitPages(modulePages))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, h.runtime); err != nil {
		return err
	}
	if h.code, err = h.runtime.CompileModule(ctx, text); err != nil {
		return fmt.Errorf("compile the module: %w", err)
	}
	f := os.NewFile(3, "box")
	conn, err := net.FileConn(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	ln := &oneConn{conn: conn, ended: make(chan struct{})}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Hour, ConnState: func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			_ = ln.Close()
		}
	}}
	if err := srv.Serve(ln); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// ServeHTTP implements http.Handler: /start/N, /ask/N, /stop/N.
func (h *moduleHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what, n, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	ctx := context.Background() // an instance outlives the request that made it
	switch what {
	case "start":
		begin := time.Now()
		m, err := h.runtime.InstantiateModule(ctx, h.code, wazero.NewModuleConfig().WithName("").WithStartFunctions().
			WithSysWalltime().WithSysNanotime())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		h.live[n] = m
		made := time.Since(begin)
		if _, err := m.ExportedFunction("_initialize").Call(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("X-Made", strconv.FormatInt(made.Nanoseconds(), 10))
		w.Header().Set("X-Loaded", strconv.FormatInt(time.Since(begin).Nanoseconds(), 10))
		h.visit(ctx, w, m)
	case "ask":
		if m := h.live[n]; m != nil {
			h.visit(ctx, w, m)
			return
		}
		http.NotFound(w, r)
	case "stop":
		if m := h.live[n]; m != nil {
			delete(h.live, n)
			_ = m.Close(ctx)
		}
	}
}

func (h *moduleHost) visit(ctx context.Context, w http.ResponseWriter, m api.Module) {
	result, err := m.ExportedFunction("visit").Call(ctx)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer, ok := m.Memory().Read(uint32(result[0]), uint32(result[0]>>32))
	if !ok {
		http.Error(w, "the answer lies outside the memory", http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(answer)
}

// oneConn is a listener with one connection, whose end is its own.
type oneConn struct {
	conn  net.Conn
	ended chan struct{}
}

// Accept implements net.Listener.
func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.ended
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (l *oneConn) Close() error {
	select {
	case <-l.ended:
	default:
		close(l.ended)
	}
	return nil
}

// Addr implements net.Listener.
func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "box", Net: "unix"} }
