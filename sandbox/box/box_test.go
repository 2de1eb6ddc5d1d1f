package box

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is also a program that starts a box and waits to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		os.Exit(Main())
	}
	name := os.Getenv("BOX_TEST_KEEPER")
	if name == "" {
		os.Exit(m.Run())
	}
	p, err := kinds[name](Config{Most: 1})
	if err == nil {
		_, err = p.Start(context.Background())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, pid := range p.PIDs() {
		fmt.Print(pid, " ")
	}
	fmt.Println()
	select {}
}

// kinds are the programs that this host may run in boxes.
var kinds = map[string]func(Config) (*Commands, error){
	"process": plain, "container": NewContainers, "oci": NewOCI, "workerd": workerd, "docker": NewDocker,
}

func plain(cfg Config) (*Commands, error) {
	p, err := NewProcesses(cfg)
	if err != nil {
		return nil, err
	}
	return p.Commands, nil
}

// workerd is the one that npm fetched for the export tests, or the host's.
func workerd(cfg Config) (*Commands, error) {
	found, err := filepath.Glob("../../web/node_modules/@cloudflare/workerd-*/bin/workerd")
	if err != nil || len(found) == 0 {
		return NewWorkerd(cfg)
	}
	cfg.Path = found[0]
	return NewWorkerd(cfg)
}

// TestEveryKind starts two of each kind that this host has, and looks at what
// they say of their start, at their memory and at their end.
func TestEveryKind(t *testing.T) {
	for name, open := range kinds {
		t.Run(name, func(t *testing.T) {
			k, err := open(Config{Most: 2})
			var missing *MissingError
			if errors.As(err, &missing) {
				t.Skip("not on this host, because ", missing.Why)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer k.Close()
			for range 2 {
				b, err := k.Start(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				var at time.Duration
				for _, p := range b.Phases() {
					if p.From != at || p.To < p.From {
						t.Errorf("phases %+v have gaps", b.Phases())
					}
					at = p.To
				}
				if at != b.FirstByte() || len(b.Phases()) < 2 {
					t.Errorf("phases %+v end at %v, the first byte came after %v", b.Phases(), at, b.FirstByte())
				}
				if took, err := b.Request(t.Context()); err != nil || took <= 0 || took > b.FirstByte() {
					t.Errorf("a second request took %v, %v; the first %v", took, err, b.FirstByte())
				}
				t.Log(b.FirstByte(), b.Phases())
			}
			m, err := k.Memory()
			if err != nil || m < 1<<20 || m > 2<<30 {
				t.Errorf("they hold %d bytes, %v", m, err)
			}
			pids := k.PIDs()
			if err := k.Close(); err != nil {
				t.Fatal(err)
			}
			for _, pid := range pids {
				// One that has ended may still wait for its parent to notice.
				if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !bytes.Contains(stat, []byte(") Z ")) {
					t.Errorf("process %d after Close: %s", pid, stat)
				}
			}
		})
	}
}

func processes(t *testing.T, most int) *Processes {
	t.Helper()
	p, err := NewProcesses(Config{Most: most})
	if err != nil {
		t.Skip("not on this host, because ", err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestProcessAnswersAndStops(t *testing.T) {
	p := processes(t, 1)
	b, err := p.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	took, err := b.Request(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b.FirstByte() <= took || took <= 0 {
		t.Errorf("the first request took %v from the start, the second %v", b.FirstByte(), took)
	}
	if _, err := p.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "no more are allowed") {
		t.Errorf("a box beyond the cap: %v", err)
	}
	pid := p.PIDs()[0]
	if group, err := unix.Getpgid(pid); err != nil || group != pid {
		t.Errorf("process %d is in group %d, %v; want its own", pid, group, err)
	}
	for range 2 {
		if err := b.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("process %d after Stop: %v", pid, err)
	}
	if len(p.PIDs()) != 0 {
		t.Errorf("%v are said to live", p.PIDs())
	}
}

func TestBoxesGiveWay(t *testing.T) {
	p, err := NewProcesses(Config{Most: 1, Nice: 7})
	if err != nil {
		t.Skip("not on this host, because ", err)
	}
	defer p.Close()
	if _, err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range p.PIDs() {
		n, err := unix.Getpriority(unix.PRIO_PROCESS, pid)
		if want := min(own, 20-7); err != nil || n != want { // the system call counts from 40 down to 1
			t.Errorf("process %d has the priority %d, %v; want %d, own %d", pid, n, err, want, own)
		}
	}
}

func TestMissingNodeSaysSo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := NewProcesses(Config{Most: 1})
	var missing *MissingError
	if !errors.As(err, &missing) || missing.Why != "no node is on PATH" {
		t.Errorf("got %v", err)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "node"), []byte("#!/bin/sh\nexec /bin/sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	p := processes(t, 1)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("the learner left"))
	defer cancel()
	if _, err := p.Start(ctx); err == nil || !strings.Contains(err.Error(), "the learner left") {
		t.Errorf("got %v", err)
	}
	if len(p.PIDs()) != 0 {
		t.Errorf("%v are said to live", p.PIDs())
	}
}

func TestBrokenProcessSaysWhatItSaid(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "node"), []byte("#!/bin/sh\necho bad option >&2\nexit 9\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	p := processes(t, 1)
	if _, err := p.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "bad option") {
		t.Errorf("got %v", err)
	}
}

// A server that is killed runs no clean-up of its own.
func TestBoxesDieWithAKilledProgram(t *testing.T) {
	for name, open := range kinds {
		t.Run(name, func(t *testing.T) {
			k, err := open(Config{Most: 1})
			var missing *MissingError
			if errors.As(err, &missing) {
				t.Skip("not on this host, because ", missing.Why)
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Close(); err != nil {
				t.Fatal(err)
			}
			keeper := exec.Command(os.Args[0])
			keeper.Env = append(os.Environ(), "BOX_TEST_KEEPER="+name)
			out, err := keeper.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := keeper.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			var watch []unix.PollFd
			for _, f := range strings.Fields(line) {
				pid, err := strconv.Atoi(f)
				if err != nil {
					t.Fatalf("the keeper said %q", line)
				}
				fd, err := unix.PidfdOpen(pid, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Close(fd)
				watch = append(watch, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
			}
			if err := keeper.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = keeper.Wait() // it was killed
			for i := range watch {
				n, err := unix.Poll(watch[i:i+1], 10_000)
				if err != nil || n != 1 {
					t.Errorf("process %s lives 10 s after its program was killed (%d, %v)", strings.Fields(line)[i], n, err)
				}
			}
		})
	}
}

// A page that two processes map from one file counts once, a page of their own each time.
func TestMemoryCountsSharedPagesOnce(t *testing.T) {
	p := processes(t, 2)
	var single []int64
	for range 2 {
		if _, err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, pid := range p.PIDs() {
		m, err := Memory(pid)
		if err != nil {
			t.Fatal(err)
		}
		rss, err := rollup(pid, "Rss:")
		if err != nil {
			t.Fatal(err)
		}
		if ratio := float64(m) / float64(rss); ratio < 0.97 || ratio > 1.03 {
			t.Errorf("alone, process %d holds %d bytes by Memory, %d by the kernel's Rss", pid, m, rss)
		}
		single = append(single, m)
	}
	both, err := p.Memory()
	if err != nil {
		t.Fatal(err)
	}
	pss, err := PSS(p.PIDs()...)
	if err != nil {
		t.Fatal(err)
	}
	if most := slices.Max(single); both < most || both > single[0]+single[1]-most/4 {
		t.Errorf("together %d bytes, single %v: shared pages are not counted once", both, single)
	}
	if float64(pss) > 1.03*float64(both) {
		t.Errorf("PSS %d is more than Memory %d, though strangers can only lower it", pss, both)
	}
}

func rollup(pid int, name string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			kB, err := kilobytes(string(rest))
			return kB << 10, err
		}
	}
	return 0, io.ErrUnexpectedEOF
}

// The slope that Fill finds agrees with what the kernel's own sums say of the
// same processes: between private pages alone, and those plus shared ones.
func TestFillSlopeAgreesWithTheKernel(t *testing.T) {
	p := processes(t, 6)
	row := &Row{Kind: p, Counts: []int{1, 3, 6}}
	var outside []Sample
	err := Fill(t.Context(), []*Row{row}, 1<<30, func(*Row) {
		var own int64
		for _, pid := range p.PIDs() {
			for _, name := range []string{"Private_Clean:", "Private_Dirty:"} {
				n, err := rollup(pid, name)
				if err != nil {
					t.Fatal(err)
				}
				own += n
			}
		}
		outside = append(outside, Sample{len(p.PIDs()), own})
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(row.Samples) != 3 || row.Full || len(row.First) != 6 {
		t.Fatalf("got %+v", row)
	}
	// From 3 to 6 the shared part is shared both times, so private pages alone rise by as much.
	ours := float64(row.Samples[2].Bytes-row.Samples[1].Bytes) / 3
	theirs := float64(outside[2].Bytes-outside[1].Bytes) / 3
	if ratio := ours / theirs; ratio < 1/1.5 || ratio > 1.5 {
		t.Errorf("each process adds %.1f MB by Fill, %.1f MB by its private pages", ours/(1<<20), theirs/(1<<20))
	}
	t.Logf("each %.1f MB, by private pages %.1f MB", ours/(1<<20), theirs/(1<<20))
}

// fake holds a fixed amount and so much for each copy.
type fake struct{ live, fixed, each int64 }

func (f *fake) Start(context.Context) (Box, error) { f.live++; return fakeBox{}, nil }
func (f *fake) Memory() (int64, error)             { return f.fixed + f.live*f.each, nil }
func (f *fake) Close() error                       { return nil }

type fakeBox struct{}

func (fakeBox) Phases() []Phase                                { return nil }
func (fakeBox) FirstByte() time.Duration                       { return time.Millisecond }
func (fakeBox) Request(context.Context) (time.Duration, error) { return time.Millisecond, nil }
func (fakeBox) Stop() error                                    { return nil }

func TestFillStopsAtTheLimit(t *testing.T) {
	for _, c := range []struct {
		each, most int64 // copies that may have been started
		samples    []int
	}{
		{1, 200, []int{1, 20, 60, 200}},
		{10, 96, []int{1, 20, 60, 96}},
		{100, 10, []int{1, 10}},
		{500, 2, []int{1, 2}},
	} {
		f := &fake{fixed: 40, each: c.each}
		row := &Row{Kind: f, Counts: []int{1, 20, 60, 200}}
		if err := Fill(t.Context(), []*Row{row}, 1000, func(*Row) {}); err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, s := range row.Samples {
			got = append(got, s.Copies)
			if s.Bytes != 40+int64(s.Copies)*c.each {
				t.Errorf("each %d: %+v", c.each, s)
			}
		}
		if f.live > c.most+1 || len(got) != len(c.samples) || got[0] != 1 || got[1] < 2 {
			t.Errorf("each %d: %d started, samples at %v; want at most %d, about %v", c.each, f.live, got, c.most, c.samples)
		}
	}
}

// tired is a kind whose copies hold twice as much until they rest.
type tired struct {
	fake
	resting bool
}

func (k *tired) Start(ctx context.Context) (Box, error) { k.resting = false; return k.fake.Start(ctx) }
func (k *tired) Rest(context.Context) error             { k.resting = true; return nil }
func (k *tired) Memory() (int64, error) {
	held, err := k.fake.Memory()
	if !k.resting {
		held *= 2
	}
	return held, err
}

func TestFillReadsCopiesAtRest(t *testing.T) {
	row := &Row{Kind: &tired{fake: fake{fixed: 40, each: 1}}, Counts: []int{1, 20, 60}}
	if err := Fill(t.Context(), []*Row{row}, 1000, func(*Row) {}); err != nil {
		t.Fatal(err)
	}
	if want := []Sample{{1, 41}, {20, 60}, {60, 100}}; !slices.Equal(row.Samples, want) {
		t.Errorf("%v, want %v", row.Samples, want)
	}
}

// A program that does what the docker command does, as far as boxes go, with
// plain processes. What it was asked is in the file "asked".
const fakeDocker = `#!/bin/sh
here=${0%/*}
echo "$*" >> "$here/asked"
case $1 in
version) echo 28.0.0 ;;
image) [ -e "$here/image" ] ;;
import) cat > "$here/image" ;;
inspect) cat "$here/$4.pid" ;;
rm) rm -f "$here/$3.pid" ;;
run)
  while [ "$1" != coldstart-box ]; do
    [ "$1" = --name ] && name=$2
    shift
  done
  shift
  echo $$ > "$here/$name.pid"
  BOX_STDIO=1 exec "$@" ;;
esac
`

func TestDockerThroughItsCommand(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node is on PATH")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte(fakeDocker), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+filepath.Dir(node)+":/usr/bin:/bin")
	k, err := NewDocker(Config{Most: 2})
	if err != nil {
		t.Fatal(err)
	}
	b, err := k.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if took, err := b.Request(t.Context()); err != nil || took <= 0 || took > b.FirstByte() {
		t.Errorf("a second request took %v, %v", took, err)
	}
	if m, err := k.Memory(); err != nil || m < 8<<20 {
		t.Errorf("it holds %d bytes, %v", m, err)
	}
	pids := k.PIDs()
	if err := k.Close(); err != nil || len(pids) != 1 {
		t.Errorf("processes %v, %v", pids, err)
	}
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"--network none", "--read-only", "--rm", "--memory", "rm --force coldstart-box-"} {
		if !strings.Contains(string(asked), want) {
			t.Errorf("docker was never asked for %q:\n%s", want, asked)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "docker"), []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	var missing *MissingError
	if _, err := NewDocker(Config{Most: 1}); !errors.As(err, &missing) || missing.Why != "no Docker daemon answers" {
		t.Errorf("without a daemon: %v", err)
	}
}
