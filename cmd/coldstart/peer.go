package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"coldstart/sandbox"
	boxes "coldstart/sandbox/box"
)

// The peer comparison runs workerd and Coldstart, each server pinned to
// processor 0 and the load on processor 1, and compares ratios. What takes
// long enough for the machine's own speed to change in the meantime is asked
// of both in turn, while the other side is idle.

// peerResult is one side of the table.
type peerResult struct {
	ColdUS    quantiles          `json:"cold_us"`           // new isolate in a running process, request to first answer, over HTTP
	MemoryMB  map[string]float64 `json:"memory_mb"`         // proportional resident memory with that many isolates
	PerKB     float64            `json:"per_isolate_kb"`    // slope between 1 and 200
	WarmRPS   map[string]float64 `json:"warm_rps"`          // by connections
	WarmCPU   map[string]float64 `json:"warm_cpu_us"`       // CPU per request by connections
	ReloadMS  quantiles          `json:"save_to_answer_ms"` // file saved to new code answering
	StartedMS float64            `json:"start_ms"`          // process start to first answer
}

var (
	peerCounts = []int{1, 50, 200}
	peerConns  = []int{1, 16, 64}
)

// peerTurns is how often each side gets its turn under load, and peerTurn how long one takes.
const (
	peerTurns = 8
	peerTurn  = 500 * time.Millisecond
)

// peerServerCmd is our side: path /<n> is the hello Worker of tenant n, each with an isolate of its own.
type peerServerCmd struct {
	Addr string `required:""`
}

// Run serves until ctx ends.
func (c *peerServerCmd) Run(ctx context.Context, g *globals) error {
	ln, err := listen(c.Addr)
	if err != nil {
		return err
	}
	box, err := g.openSandbox(ctx, sandboxOptions{isolates: 1000})
	if err != nil {
		return err
	}
	defer box.Close()
	b := &bench{door: box}
	if err := b.deploy(ctx, sandbox.Key{Learner: "peer-", Project: "p"}); err != nil {
		return err
	}
	var known sync.Map
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := sandbox.Key{Learner: "peer-" + r.URL.Path[1:], Project: "p"}
		if _, ok := known.LoadOrStore(key, true); !ok {
			if err := b.deploy(r.Context(), key); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		if err := (sandbox.HTTP{Door: box}).Serve(w, r, sandbox.Run{Key: key, Type: "fetch", URL: "http://" + r.Host + r.RequestURI}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

const dispatcher = `const code = %q;
export default { async fetch(request, env) {
  const id = new URL(request.url).pathname.slice(1);
  if (id === "") return new Response("hello");
  const worker = env.LOADER.get(id, async () => ({ compatibilityDate: "2026-11-01", mainModule: "w.js", modules: { "w.js": code } }));
  return worker.getEntrypoint().fetch(request);
} };
`

const capnp = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .w) ],
  sockets = [ (name = "http", address = "%s", http = (), service = "main") ]
);
const w :Workerd.Worker = ( modules = [ (name = "worker", esModule = embed "%s") ], compatibilityDate = "2026-11-01", bindings = [%s] );
`

// peerSide knows how to start one of the two.
type peerSide struct {
	name    string
	many    func(addr string) *exec.Cmd       // serves /<n>
	plain   func(addr, file string) *exec.Cmd // serves the one Worker in file, and nothing else
	reloads func(addr, file string) *exec.Cmd // the same, watching the file
	result  peerResult
}

func newPeerResult() peerResult {
	return peerResult{MemoryMB: map[string]float64{}, WarmRPS: map[string]float64{}, WarmCPU: map[string]float64{}}
}

// peerSides are workerd and then Coldstart.
func peerSides(workerd, dir string) []*peerSide {
	self := "/proc/self/exe"
	if exe, err := os.Executable(); err == nil {
		self = exe
	}
	capnpFile := func(name, addr, module, bindings string) string {
		p := filepath.Join(dir, name)
		_ = os.WriteFile(p, fmt.Appendf(nil, capnp, addr, module, bindings), 0o644)
		return p
	}
	_ = os.WriteFile(filepath.Join(dir, "dispatch.js"), fmt.Appendf(nil, dispatcher, helloWorker), 0o644)
	return []*peerSide{
		{
			name:   "workerd",
			result: newPeerResult(),
			many: func(addr string) *exec.Cmd {
				return exec.Command(workerd, "serve", "--experimental", capnpFile("many.capnp", addr, "dispatch.js", `(name = "LOADER", workerLoader = (id = "l"))`))
			},
			plain: func(addr, file string) *exec.Cmd {
				return exec.Command(workerd, "serve", capnpFile("plain.capnp", addr, filepath.Base(file), ""))
			},
			reloads: func(addr, file string) *exec.Cmd {
				return exec.Command(workerd, "serve", "--watch", capnpFile("watch.capnp", addr, filepath.Base(file), ""))
			},
		},
		{
			name:    "coldstart",
			result:  newPeerResult(),
			many:    func(addr string) *exec.Cmd { return exec.Command(self, "peer-server", "--addr", addr) },
			plain:   func(addr, file string) *exec.Cmd { return exec.Command(self, "dev", "--quiet", "--addr", addr, file) },
			reloads: func(addr, file string) *exec.Cmd { return exec.Command(self, "dev", "--quiet", "--addr", addr, file) },
		},
	}
}

// comparePeer measures both sides and prints the table.
func comparePeer(ctx context.Context, g *globals, workerd string, asJSON bool) error {
	if _, err := os.Stat(workerd); err != nil {
		return fmt.Errorf("bench: no workerd at %s; run make assets, or give its path with --peer", workerd)
	}
	workerd, err := filepath.Abs(workerd)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "coldstart-peer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pinSelf()
	sides := peerSides(workerd, dir)
	for _, measure := range []func(context.Context, []*peerSide, string) error{peerCold, peerWarm, peerReload} {
		if err := measure(ctx, sides, dir); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	theirs, ours := &sides[0].result, &sides[1].result
	if asJSON {
		return json.NewEncoder(g.Stdout).Encode(map[string]any{"machine": machine(), "workerd": theirs, "coldstart": ours})
	}
	printPeer(g.Stdout, theirs, ours)
	return nil
}

func printPeer(w io.Writer, theirs, ours *peerResult) {
	fmt.Fprintf(w, "%s\nservers pinned to processor 0, load on processor 1, each in turn while the other is idle; 5 ms of rest before each new isolate\n\n", machine())
	fmt.Fprintf(w, "%-44s %12s %12s %10s\n", "", "workerd", "coldstart", "ratio")
	row := func(name, format string, t, o float64, lowerIsBetter bool) {
		ratio := o / t
		if lowerIsBetter {
			ratio = t / o
		}
		fmt.Fprintf(w, "%-44s %12s %12s %9.2f×\n", name, fmt.Sprintf(format, t), fmt.Sprintf(format, o), ratio)
	}
	row("new isolate, first answer, p50 (µs)", "%.0f", theirs.ColdUS.P50, ours.ColdUS.P50, true)
	for _, n := range peerCounts {
		k := strconv.Itoa(n)
		row("memory with "+k+" isolates (MB)", "%.0f", theirs.MemoryMB[k], ours.MemoryMB[k], true)
	}
	row("memory each further isolate adds (kB)", "%.0f", theirs.PerKB, ours.PerKB, true)
	for _, c := range peerConns {
		k := strconv.Itoa(c)
		row("warm requests a second, "+k+" connections", "%.0f", theirs.WarmRPS[k], ours.WarmRPS[k], false)
		row("CPU a request, "+k+" connections (µs)", "%.0f", theirs.WarmCPU[k], ours.WarmCPU[k], true)
	}
	row("file saved, new code answers, p50 (ms)", "%.0f", theirs.ReloadMS.P50, ours.ReloadMS.P50, true)
	row("process start to first answer (ms)", "%.0f", theirs.StartedMS, ours.StartedMS, true)
	fmt.Fprintln(w, "\nratio above 1: coldstart is better")
}

// pinSelf moves this process to processor 1 when there are two.
func pinSelf() {
	if runtime.NumCPU() < 2 {
		return
	}
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, t := range tasks {
		if tid, err := strconv.Atoi(t.Name()); err == nil {
			_ = setCPU(tid, 1)
		}
	}
}

func setCPU(tid, cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	return unix.SchedSetaffinity(tid, &set)
}

// startPinned starts cmd on processor 0 and waits until it answers.
func startPinned(ctx context.Context, cmd *exec.Cmd, url string) (stop func(), started time.Duration, err error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begin := time.Now()
	runtime.LockOSThread()
	_ = setCPU(0, 0) // a child starts where its parent's thread is
	err = cmd.Start()
	_ = setCPU(0, min(1, runtime.NumCPU()-1))
	runtime.UnlockOSThread()
	if err != nil {
		return nil, 0, err
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for time.Since(begin) < 30*time.Second && ctx.Err() == nil {
		if resp, err := client.Get(url); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			return stop, time.Since(begin), nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	stop()
	return nil, 0, fmt.Errorf("%s does not answer: %s", filepath.Base(cmd.Path), tailText(out.String()))
}

func tailText(s string) string {
	if len(s) > 500 {
		return "…" + s[len(s)-500:]
	}
	return s
}

// running is a side's server under measurement.
type running struct {
	*peerSide
	addr    string
	cmd     *exec.Cmd
	started time.Duration // from its start to its first answer
	stop    func()
}

// startSides starts a server of each side on a port of its own; stop ends them.
func startSides(ctx context.Context, sides []*peerSide, command func(*peerSide, string) *exec.Cmd) (all []running, stop func(), err error) {
	stop = func() {
		for _, r := range all {
			r.stop()
		}
	}
	for _, side := range sides {
		addr, err := freePort()
		if err != nil {
			stop()
			return nil, nil, err
		}
		cmd := command(side, addr)
		end, started, err := startPinned(ctx, cmd, "http://"+addr+"/")
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("%s: %w", side.name, err)
		}
		all = append(all, running{side, addr, cmd, started, end})
	}
	return all, stop, nil
}

// peerCold asks for tenants that neither process has ever seen, and weighs both on the way.
func peerCold(ctx context.Context, sides []*peerSide, _ string) error {
	servers, stop, err := startSides(ctx, sides, func(s *peerSide, addr string) *exec.Cmd { return s.many(addr) })
	if err != nil {
		return err
	}
	defer stop()
	client := &http.Client{Timeout: 10 * time.Second}
	us := make([][]float64, len(servers))
	next := 0
	for _, n := range peerCounts {
		for ; next < n; next++ {
			for i, s := range servers {
				time.Sleep(5 * time.Millisecond) // latency, not throughput: each finds the server at rest
				begin := time.Now()
				resp, err := client.Get(fmt.Sprintf("http://%s/t%d", s.addr, next))
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				b, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if string(b) != "hello" {
					return fmt.Errorf("%s: tenant %d answered %d %.100q", s.name, next, resp.StatusCode, b)
				}
				if next >= 5 {
					us[i] = append(us[i], float64(time.Since(begin).Microseconds()))
				}
			}
		}
		for _, s := range servers {
			s.result.MemoryMB[strconv.Itoa(n)] = float64(treePSS(s.cmd.Process.Pid)) / (1 << 20)
		}
	}
	lo, hi := peerCounts[0], peerCounts[len(peerCounts)-1]
	for i, s := range servers {
		s.result.ColdUS = summarize(us[i])
		s.result.PerKB = (s.result.MemoryMB[strconv.Itoa(hi)] - s.result.MemoryMB[strconv.Itoa(lo)]) * 1024 / float64(hi-lo)
	}
	return nil
}

// peerWarm drives keep-alive connections, in turns.
func peerWarm(ctx context.Context, sides []*peerSide, dir string) error {
	file := filepath.Join(dir, "hello.js")
	if err := os.WriteFile(file, []byte(helloWorker), 0o644); err != nil {
		return err
	}
	servers, stop, err := startSides(ctx, sides, func(s *peerSide, addr string) *exec.Cmd { return s.plain(addr, file) })
	if err != nil {
		return err
	}
	defer stop()
	for _, s := range servers {
		s.result.StartedMS = float64(s.started.Microseconds()) / 1e3
	}
	for _, conns := range peerConns {
		answered := make([]int, len(servers))
		took, used := make([]time.Duration, len(servers)), make([]time.Duration, len(servers))
		for turn := range peerTurns + 1 {
			for i, s := range servers {
				before, begin := treeCPU(s.cmd.Process.Pid), time.Now()
				n, err := hammer(s.addr, conns, peerTurn)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				if turn == 0 {
					continue // warms up
				}
				answered[i] += n
				took[i] += time.Since(begin)
				used[i] += treeCPU(s.cmd.Process.Pid) - before
			}
		}
		k := strconv.Itoa(conns)
		for i, s := range servers {
			s.result.WarmRPS[k] = float64(answered[i]) / took[i].Seconds()
			s.result.WarmCPU[k] = float64(used[i].Microseconds()) / float64(answered[i])
		}
	}
	return nil
}

// hammer sends requests on each of conns connections, one at a time, and counts the answers.
func hammer(addr string, conns int, d time.Duration) (int, error) {
	deadline := time.Now().Add(d)
	counts, errs := make([]int, conns), make([]error, conns)
	var wg sync.WaitGroup
	request := []byte("GET / HTTP/1.1\r\nHost: " + addr + "\r\n\r\n")
	for i := range conns {
		wg.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				errs[i] = err
				return
			}
			defer c.Close()
			br := bufio.NewReader(c)
			for time.Now().Before(deadline) {
				if _, err := c.Write(request); err != nil {
					errs[i] = err
					return
				}
				resp, err := http.ReadResponse(br, nil)
				if err != nil {
					errs[i] = err
					return
				}
				n, _ := io.Copy(io.Discard, resp.Body)
				if resp.StatusCode != http.StatusOK || n != 5 {
					errs[i] = fmt.Errorf("answered %s with %d bytes", resp.Status, n)
					return
				}
				counts[i]++
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return total, errors.Join(errs...)
}

// peerReload saves a file and asks until the new code answers, of one side after the other.
func peerReload(ctx context.Context, sides []*peerSide, dir string) error {
	for _, s := range sides {
		if err := s.reload(ctx, dir); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (s *peerSide) reload(ctx context.Context, dir string) error {
	addr, err := freePort()
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "reload.js")
	write := func(n int) error {
		return os.WriteFile(file, fmt.Appendf(nil, "export default { fetch() { return new Response(\"version %d\"); } };\n", n), 0o644)
	}
	if err := write(0); err != nil {
		return err
	}
	stop, _, err := startPinned(ctx, s.reloads(addr, file), "http://"+addr+"/")
	if err != nil {
		return err
	}
	defer stop()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var ms []float64
	for n := 1; n <= 10; n++ {
		time.Sleep(300 * time.Millisecond) // let the watcher come to rest
		begin, want := time.Now(), fmt.Sprintf("version %d", n)
		if err := write(n); err != nil {
			return err
		}
		for {
			if resp, err := client.Get("http://" + addr + "/"); err == nil {
				b, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if string(b) == want {
					break
				}
			}
			if time.Since(begin) > 10*time.Second {
				return fmt.Errorf("version %d does not answer within 10 s of saving", n)
			}
			time.Sleep(time.Millisecond)
		}
		ms = append(ms, float64(time.Since(begin).Microseconds())/1e3)
	}
	s.result.ReloadMS = summarize(ms)
	return nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// processTree lists a process and its descendants.
func processTree(root int) []int {
	children := map[int][]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if f := statFields(pid); len(f) > 1 {
			ppid, _ := strconv.Atoi(f[1])
			children[ppid] = append(children[ppid], pid)
		}
	}
	all := []int{root}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// statFields are the fields of /proc/PID/stat after the command's name.
func statFields(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return nil
	}
	return strings.Fields(string(b[i+1:]))
}

// treePSS is the proportional resident size of a process tree in bytes.
func treePSS(root int) int64 {
	var sum int64
	for _, pid := range processTree(root) {
		if n, err := boxes.PSS(pid); err == nil { // a child that has just ended holds nothing
			sum += n
		}
	}
	return sum
}

// treeCPU is the CPU time a process tree has used, to 10 ms.
func treeCPU(root int) time.Duration {
	var ticks int64
	for _, pid := range processTree(root) {
		if f := statFields(pid); len(f) > 12 {
			user, _ := strconv.ParseInt(f[11], 10, 64)
			sys, _ := strconv.ParseInt(f[12], 10, 64)
			ticks += user + sys
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
