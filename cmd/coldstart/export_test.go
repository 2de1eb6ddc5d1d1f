package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/tailscale/hujson"

	"coldstart/lessons"
	"coldstart/sandbox"
	"coldstart/sandbox/bundle"
	"coldstart/sandbox/runner"
	"coldstart/sandbox/trace"
)

const workerdPath = "../../web/node_modules/@cloudflare/workerd-linux-64/bin/workerd"

func TestExportCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out, errs bytes.Buffer
	run := func(args ...string) error {
		out.Reset()
		errs.Reset()
		return run(t.Context(), append([]string{"export"}, args...), &out, &errs)
	}
	zip := filepath.Join(dir, "hello.zip")
	if err := run("workers/hello-worker", "--solution", "-o", zip); err != nil {
		t.Fatal(err, errs.String())
	}
	data, err := os.ReadFile(zip)
	if err != nil {
		t.Fatal(err)
	}
	p, err := bundle.Import(data, trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"src/index.js", "wrangler.jsonc", "package.json", "README.md", "test/index.spec.ts"} {
		if p.Files[name] == nil {
			t.Errorf("the archive lacks %s", name)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "w.js"), []byte(helloWorker), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(filepath.Join(dir, "w.js"), "-o", "-"); err != nil || !strings.HasPrefix(out.String(), "PK") {
		t.Errorf("a file to standard output: %v", err)
	}
	for want, args := range map[string][]string{
		"neither a folder, a file nor a lesson": {"no/such"},
		"--solution is for lessons":             {dir, "--solution"},
		"name another file with -o":             {"workers/hello-worker", "-o", filepath.Join(dir, "no", "x.zip")},
	} {
		if err := run(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// TestExportedSolutions runs every lesson's solution here, and as it is exported
// in the real runtime, and compares the answers of each Worker.
func TestExportedSolutions(t *testing.T) {
	workerd := findWorkerd(t)
	door := exportDoor(t)
	catalog, _ := lessons.Load(lessons.Shipped())
	for _, l := range catalog.Lessons() {
		if l.Solution == nil {
			continue
		}
		t.Run(l.ID, func(t *testing.T) {
			p, meta, err := lessonProject(lessons.Shipped(), l.ID, true)
			if err != nil {
				t.Fatal(err)
			}
			api := l.Request
			api.Path = "/api" + pathOf(l.Request.Path) // where Azure puts functions
			requests := []lessons.Request{l.Request, l.Request, {Method: "GET", Path: "/"}, api}
			if l.ID == "runaway-code" {
				t.Log("its own request is left out, because it runs for ever and workerd alone sets no CPU limit")
				requests = requests[2:]
			}
			compareExport(t, workerd, door, p, meta, requests)
		})
	}
}

// TestDialectsAgainstWorkerd compares programs that were written for Node and
// for other clouds, the course notes' own among them.
func TestDialectsAgainstWorkerd(t *testing.T) {
	workerd, door := findWorkerd(t), exportDoor(t)
	cases, err := filepath.Glob("testdata/dialects/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range cases {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := trace.Project{Files: map[string][]byte{}}
			for _, f := range a.Files {
				p.Files[f.Name] = f.Data
			}
			// Each line of the comment is a request: METHOD /path [content-type body].
			var requests []lessons.Request
			for line := range strings.Lines(string(a.Comment)) {
				f := strings.SplitN(strings.TrimSpace(line), " ", 4)
				if len(f) < 2 || strings.HasPrefix(line, "#") {
					continue
				}
				r := lessons.Request{Method: f[0], Path: f[1]}
				if len(f) == 4 {
					r.Headers, r.Body = [][2]string{{"content-type", f[2]}}, f[3]
				}
				requests = append(requests, r)
			}
			compareExport(t, workerd, door, p, bundle.ExportMeta{Name: name}, requests)
		})
	}
}

func findWorkerd(t *testing.T) string {
	t.Helper()
	workerd, err := filepath.Abs(workerdPath)
	if err == nil {
		_, err = os.Stat(workerd)
	}
	if err != nil {
		t.Skipf("no workerd to compare with (run make assets): %v", err)
	}
	return workerd
}

func exportDoor(t *testing.T) sandbox.Door {
	t.Helper()
	if instrumented {
		t.Skip("it holds programs to the product's bounds on CPU time; make test runs it without the race detector")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache = filepath.Join(cache, "coldstart-test")
	image, err := runner.Image(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	door, err := sandbox.New(t.Context(), sandbox.Config{Image: image, Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := door.Close(); err != nil {
			t.Error(err)
		}
		_ = image.Close() // read only
	})
	return door
}

func compareExport(t *testing.T, workerd string, door sandbox.Door, p trace.Project, meta bundle.ExportMeta, requests []lessons.Request) {
	archive, fault, err := packProject(t.Context(), p, meta)
	if err != nil || fault != nil {
		t.Fatal(err, fault)
	}
	exported, err := bundle.Import(archive, trace.Limits{Files: 200})
	if err != nil {
		t.Fatal(err)
	}
	key := sandbox.Key{Learner: "export", Project: meta.Name}
	ours, err := door.Build(t.Context(), key, p)
	if err != nil || ours.Fault != nil {
		t.Fatal(err, ours.Fault)
	}
	if err := door.Deploy(t.Context(), key, ours); err != nil {
		t.Fatal(err)
	}
	ports := serveExported(t, workerd, exported, ours.Workers)
	for _, w := range ours.Workers {
		if meta.Name == "noisy-neighbour" && slices.Contains([]string{"hoarder", "spinner", "sleeper"}, w.Name) {
			t.Logf("%s is left out: it wastes all it gets, and workerd alone sets no limits", w.Name)
			continue
		}
		for _, r := range requests {
			r.Path = pathOf(r.Path)
			if r.Method == "" {
				r.Method = "GET"
			}
			got, want := askDoor(t, door, key, w.Name, r), askWorkerd(t, ports[w.Name], r)
			if v := varying[meta.Name]; v != nil {
				got, want = v.ReplaceAllString(got, "…"), v.ReplaceAllString(want, "…")
			}
			if got != want {
				t.Errorf("%s: %s %s\n--- workerd\n%s\n--- here\n%s", w.Name, r.Method, r.Path, want, got)
			}
		}
	}
}

// pathOf is the path and query of a lesson's request, which may be a whole URL.
func pathOf(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		_, s, _ = strings.Cut(rest, "/")
		return "/" + s
	}
	return s
}

const exportHost = "site.example"

func askDoor(t *testing.T, door sandbox.Door, key sandbox.Key, worker string, r lessons.Request) string {
	run := sandbox.Run{
		Key: key, Worker: worker, Type: "fetch", Method: r.Method, URL: "http://" + exportHost + r.Path,
		Headers: append([][2]string{{"host", exportHost}, {"accept-encoding", "identity"}}, r.Headers...), Length: int64(len(r.Body)),
	}
	if r.Body != "" {
		run.Body = strings.NewReader(r.Body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	resp, err := door.Invoke(ctx, run)
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	if resp.Body != nil {
		if body, err = io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if resp.Fault != nil {
		t.Logf("%s %s: %s %+v", worker, r.Path, resp.Fault.Message, resp.Fault.Frames)
	}
	h := http.Header{}
	for _, f := range resp.Head.Headers {
		h.Add(f[0], f[1])
	}
	return shown(resp.Head.Status, h, body)
}

func askWorkerd(t *testing.T, port int, r lessons.Request) string {
	req, err := http.NewRequestWithContext(t.Context(), r.Method, fmt.Sprintf("http://127.0.0.1:%d%s", port, r.Path), strings.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	if r.Body == "" {
		req.Body = nil
	}
	req.Host = exportHost
	req.Header.Set("User-Agent", "")
	req.Header.Set("Accept-Encoding", "identity")
	for _, h := range r.Headers {
		req.Header.Set(h[0], h[1])
	}
	client := &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return shown(resp.StatusCode, resp.Header, body)
}

// varying is what differs from run to run in lessons' answers.
var varying = map[string]*regexp.Regexp{
	"mini-backend": regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`),
	"tiny-links":   regexp.MustCompile(`\b[0-9a-f]{8}\b`),
	"pack-it":      regexp.MustCompile(`Measure twice\.|Load later\.|Ship small\.`),
	"fine-print":   regexp.MustCompile(`"done":\d+`), // no queue delivers beside workerd
}

// shown is an answer as text, without the headers that belong to the connection.
func shown(status int, h http.Header, body []byte) string {
	for _, name := range []string{"Date", "Connection", "Transfer-Encoding", "Content-Length", "Keep-Alive", "Server"} {
		h.Del(name)
	}
	var b strings.Builder
	fmt.Fprintln(&b, status)
	names := make([]string, 0, len(h))
	for n := range h {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		fmt.Fprintf(&b, "%s: %s\n", strings.ToLower(n), strings.Join(h[n], " | "))
	}
	if status >= 500 {
		return b.String() // what an unhandled error looks like is the runtime's own
	}
	b.WriteString("\n")
	b.Write(body)
	return b.String()
}

// wranglerFile is what this test needs of an exported wrangler file.
type wranglerFile struct {
	Name  string            `json:"name"`
	Main  string            `json:"main"`
	Date  string            `json:"compatibility_date"`
	Flags []string          `json:"compatibility_flags"`
	Alias map[string]string `json:"alias"`
}

// serveExported bundles each Worker of an unpacked export as wrangler does, starts workerd
// with all of them, and gives the port of each. workers tells their bindings.
func serveExported(t *testing.T, workerd string, p trace.Project, workers []trace.Worker) map[string]int {
	t.Helper()
	dir := t.TempDir()
	for name, data := range p.Files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var services, sockets, defs []string
	for i, w := range configsOf(t, p.Files) {
		code := bundleExported(t, filepath.Join(dir, filepath.FromSlash(w.dir)), w.wranglerFile)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("out%d.js", i)), code, 0o600); err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(workers, func(x trace.Worker) bool { return x.Name == w.Name })
		if at < 0 && len(workers) == 1 {
			at = 0
		}
		if at < 0 {
			t.Fatalf("the export has a Worker %q that the project has not", w.Name)
		}
		name := workers[at].Name
		services = append(services, fmt.Sprintf("(name = %q, worker = .w%d)", name, i))
		sockets = append(sockets, fmt.Sprintf(`(name = %q, address = "127.0.0.1:0", http = (), service = %q)`, name, name))
		defs = append(defs, fmt.Sprintf("const w%d :Workerd.Worker = (modules = [(name = \"worker\", esModule = embed \"out%d.js\")], compatibilityDate = %q, compatibilityFlags = [%s], bindings = [%s]%s);",
			i, i, w.Date, quoted(w.Flags), capnpBindings(t, workers[at].Bindings), durables(workers[at])))
	}
	for _, w := range workers {
		for _, b := range w.Bindings {
			if s := fmt.Sprintf(`(name = "kv:%s", worker = .kv)`, b.ID); b.Type == "kv" && !slices.Contains(services, s) {
				services = append(services, s)
			}
		}
	}
	services = append(services, `(name = "queue", worker = .queue)`)
	for _, stub := range []string{"kv", "queue"} {
		data, err := os.ReadFile("testdata/" + stub + ".js")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "stub-"+stub+".js"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		defs = append(defs, fmt.Sprintf(`const %s :Workerd.Worker = (modules = [(name = "stub", esModule = embed "stub-%s.js")], compatibilityDate = %q);`, stub, stub, bundle.DefaultDate))
	}
	config := fmt.Sprintf("using Workerd = import \"/workerd/workerd.capnp\";\nconst config :Workerd.Config = (services = [%s], sockets = [%s]);\n%s\n",
		strings.Join(services, ", "), strings.Join(sockets, ", "), strings.Join(defs, "\n"))
	file := filepath.Join(dir, "config.capnp")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return startWorkerd(t, workerd, file, len(sockets))
}

// startWorkerd waits until every socket listens.
func startWorkerd(t *testing.T, workerd, config string, sockets int) map[string]int {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(workerd, "serve", "--control-fd=3", config)
	cmd.ExtraFiles, cmd.Stderr, cmd.Stdout = []*os.File{w}, &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		r.Close()
		if t.Failed() && log.Len() > 0 {
			t.Logf("workerd says:\n%s", log.String())
		}
	})
	ports := map[string]int{}
	for d := json.NewDecoder(r); len(ports) < sockets; {
		var e struct {
			Event, Socket string
			Port          int
		}
		if err := d.Decode(&e); err != nil {
			_ = cmd.Wait()
			t.Fatalf("workerd does not start: %v\n%s", err, log.String())
		}
		if e.Event == "listen" {
			ports[e.Socket] = e.Port
		}
	}
	return ports
}

type exportedWorker struct {
	wranglerFile
	dir string
}

func configsOf(t *testing.T, files map[string][]byte) []exportedWorker {
	t.Helper()
	var list []exportedWorker
	for name, data := range files {
		if path.Base(name) != "wrangler.jsonc" && path.Base(name) != "wrangler.json" {
			continue
		}
		plain, err := hujson.Standardize(slices.Clone(data))
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, data)
		}
		w := exportedWorker{dir: path.Dir(name)}
		if err := json.Unmarshal(plain, &w.wranglerFile); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list = append(list, w)
	}
	if len(list) == 0 {
		t.Fatal("the export has no wrangler.jsonc")
	}
	return list
}

// bundleExported makes one module of a Worker, with the options that wrangler uses.
func bundleExported(t *testing.T, dir string, w wranglerFile) []byte {
	t.Helper()
	modules, err := filepath.Abs("../../web/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	alias := map[string]string{}
	for spec, to := range w.Alias {
		alias[spec] = filepath.Join(dir, to)
	}
	builtins := regexp.MustCompile(`^(buffer|crypto|events|fs|http|net|os|path|querystring|stream|string_decoder|url|util|zlib|async_hooks|tty)$`)
	r := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join(dir, w.Main)}, AbsWorkingDir: dir, Bundle: true, Format: api.FormatESModule, Target: api.ES2024,
		Platform: api.PlatformNeutral, MainFields: []string{"browser", "module", "main"}, Conditions: []string{"workerd", "worker", "browser"},
		External: []string{"node:*", "cloudflare:*"}, Alias: alias, NodePaths: []string{modules}, Write: false,
		Define: map[string]string{"process.env.NODE_ENV": `"production"`}, Loader: map[string]api.Loader{".html": api.LoaderText, ".txt": api.LoaderText},
		Banner: map[string]string{"js": `import { createRequire as $createRequire } from "node:module"; const require = $createRequire("/");`},
		Plugins: []api.Plugin{{Name: "builtins", Setup: func(b api.PluginBuild) {
			b.OnResolve(api.OnResolveOptions{Filter: builtins.String()}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
				return api.OnResolveResult{Path: "node:" + a.Path, External: true}, nil
			})
		}}},
	})
	if len(r.Errors) > 0 {
		t.Fatalf("bundle %s: %+v", w.Main, r.Errors)
	}
	return r.OutputFiles[0].Contents
}

func quoted(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(q, ", ")
}

func capnpBindings(t *testing.T, bindings []trace.Binding) string {
	t.Helper()
	var list []string
	for _, b := range bindings {
		var value string
		switch b.Type {
		case "text", "secret":
			value = fmt.Sprintf("text = %q", b.Value)
		case "json":
			value = fmt.Sprintf("json = %q", b.Value)
		case "kv":
			value = fmt.Sprintf(`kvNamespace = "kv:%s"`, b.ID)
		case "queue":
			value = `queue = "queue"`
		case "service":
			value = fmt.Sprintf("service = (name = %q)", b.Service)
			if b.Entrypoint != "" {
				value = fmt.Sprintf("service = (name = %q, entrypoint = %q)", b.Service, b.Entrypoint)
			}
		case "durable":
			value = fmt.Sprintf("durableObjectNamespace = %q", b.Class)
		default:
			t.Fatalf("this test cannot give workerd a binding of type %q yet", b.Type)
		}
		list = append(list, fmt.Sprintf("(name = %q, %s)", b.Name, value))
	}
	return strings.Join(list, ", ")
}

func durables(w trace.Worker) string {
	if len(w.Durables) == 0 {
		return ""
	}
	var list []string
	for _, class := range w.Durables {
		list = append(list, fmt.Sprintf("(className = %q, uniqueKey = %q, enableSql = true)", class, w.Name+"-"+class))
	}
	return fmt.Sprintf(", durableObjectNamespaces = [%s], durableObjectStorage = (inMemory = void)", strings.Join(list, ", "))
}
