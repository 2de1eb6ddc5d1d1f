package conformance

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

const origin = "http://example.com"

// Run plays one case on a fresh instance and reports every difference between
// recorded and actual answers, "" when all match.
func Run(ctx context.Context, door sandbox.Door, c Case) string {
	p := player{door: door, c: c, key: sandbox.Key{Learner: "conformance-" + strings.ReplaceAll(c.Name, "/", "-"), Project: "case"}}
	defer func() { _ = door.Evict(context.WithoutCancel(ctx), p.key, p.fresh()) }()
	return p.play(ctx)
}

type player struct {
	door sandbox.Door
	c    Case
	key  sandbox.Key
	mu   sync.Mutex
	logs []string
}

func (p *player) fresh() string { return "case" }

func (p *player) play(ctx context.Context) string {
	d, fault, err := p.build(ctx)
	if err != nil {
		return "build: " + err.Error()
	}
	if p.c.Expect.Startup == "error" {
		return p.startup(ctx, d, fault)
	}
	if fault != nil {
		return "build: " + describe(fault)
	}
	if err := p.door.Deploy(ctx, p.key, d); err != nil {
		return "deploy: " + err.Error()
	}
	var diffs []string
	for i, r := range p.c.Requests {
		if i >= len(p.c.Expect.Responses) {
			break
		}
		if diff := p.request(ctx, r, p.c.Expect.Responses[i]); diff != "" {
			diffs = append(diffs, fmt.Sprintf("request %d, %s %s%s:\n%s", i+1, r.Method, r.Type, r.Path, diff))
		}
	}
	if p.c.Logs && p.c.Expect.Logs != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if diff := lines("log", strings.Join(p.c.Expect.Logs, "\n"), strings.Join(p.logs, "\n")); diff != "" {
			diffs = append(diffs, diff)
		}
	}
	return strings.Join(diffs, "\n")
}

// limits are those of Workers where the site's are smaller: workerd itself has none.
func limits() trace.Limits {
	l := trace.Default()
	l.CPU, l.Wall = time.Second, 10*time.Second
	l.Memory, l.Calls, l.KVKeys, l.KVBytes, l.LogCount = 128<<20, 1000, 20_000, 64<<20, 20_000
	return l
}

// build makes one deployment of the main Worker and its services, each built
// as a project of its own so that file names stay those of the case.
func (p *player) build(ctx context.Context) (*trace.Deployment, *trace.Fault, error) {
	main := Service{Name: "main", Main: p.c.Main, Files: p.c.Files, Vars: p.c.Vars, Bindings: p.c.Bindings, Compat: p.c.Compat}
	all := &trace.Deployment{}
	for i, s := range append([]Service{main}, p.c.Services...) {
		classic := i == 0 && p.c.Format == "service-worker"
		d, err := p.door.Build(ctx, p.key, trace.Project{Files: projectFiles(s, p.c.Date), Limits: limits()})
		if err != nil {
			return nil, nil, err
		}
		if d.Fault != nil {
			return nil, d.Fault, nil
		}
		w := d.Workers[0]
		if i == 0 {
			w.Outbound = p.c.Outbound
			if w.Classic != classic {
				return nil, nil, fmt.Errorf("service-worker syntax: built as %v, recorded as %v", w.Classic, classic)
			}
		}
		all.Workers = append(all.Workers, w)
	}
	return all, nil, nil
}

// projectFiles adds the wrangler file that says what the case says.
func projectFiles(s Service, date string) map[string][]byte {
	if date == "" {
		date = "2026-11-01"
	}
	cfg := map[string]any{"name": s.Name, "main": s.Main, "compatibility_date": date}
	if len(s.Compat) > 0 {
		cfg["compatibility_flags"] = s.Compat
	}
	if len(s.Vars) > 0 {
		cfg["vars"] = json.RawMessage(s.Vars)
	}
	var kv, services, durables, d1, r2, producers, consumers []map[string]any
	var classes []string
	names := make([]string, 0, len(s.Bindings))
	for n := range s.Bindings {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		switch b := s.Bindings[n]; {
		case b.Type == "kv":
			id := b.ID
			if id == "" {
				id = n
			}
			kv = append(kv, map[string]any{"binding": n, "id": id})
		case b.Service != "":
			m := map[string]any{"binding": n, "service": b.Service}
			if b.Entrypoint != "" {
				m["entrypoint"] = b.Entrypoint
			}
			services = append(services, m)
		case b.Type == "durable":
			durables = append(durables, map[string]any{"name": n, "class_name": b.Class})
			classes = append(classes, b.Class)
		case b.Type == "d1":
			d1 = append(d1, map[string]any{"binding": n, "database_name": n, "database_id": n})
		case b.Type == "r2":
			r2 = append(r2, map[string]any{"binding": n, "bucket_name": strings.ToLower(n)})
		case b.Type == "queue":
			name := strings.ToLower(n)
			producers = append(producers, map[string]any{"binding": n, "queue": name})
			if b.Consume {
				consumers = append(consumers, map[string]any{"queue": name, "max_batch_size": b.BatchSize, "max_batch_timeout": 0, "max_retries": b.Retries})
			}
		}
	}
	if kv != nil {
		cfg["kv_namespaces"] = kv
	}
	if services != nil {
		cfg["services"] = services
	}
	if d1 != nil {
		cfg["d1_databases"] = d1
	}
	if r2 != nil {
		cfg["r2_buckets"] = r2
	}
	if producers != nil {
		queues := map[string]any{"producers": producers}
		if consumers != nil {
			queues["consumers"] = consumers
		}
		cfg["queues"] = queues
	}
	if durables != nil {
		cfg["durable_objects"] = map[string]any{"bindings": durables}
		cfg["migrations"] = []map[string]any{{"tag": "v1", "new_sqlite_classes": classes}}
	}
	files := map[string][]byte{"wrangler.jsonc": mustJSON(cfg)}
	for path, c := range s.Files {
		files[path] = c
	}
	return files
}

// startup passes when the program cannot answer with a response of its own.
func (p *player) startup(ctx context.Context, d *trace.Deployment, fault *trace.Fault) string {
	if fault != nil {
		return ""
	}
	if err := p.door.Deploy(ctx, p.key, d); err != nil {
		return "deploy: " + err.Error()
	}
	for _, r := range p.c.Requests {
		resp, err := p.invoke(ctx, r)
		if err != nil {
			return "invoke: " + err.Error()
		}
		if resp.Body != nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		sum, err := resp.Summary(ctx)
		if err != nil {
			return "summary: " + err.Error()
		}
		if sum.Fault == nil || resp.Head.Status < 500 {
			return fmt.Sprintf("the program must not start, but it answered %d", resp.Head.Status)
		}
	}
	return ""
}

func (p *player) invoke(ctx context.Context, r Request) (*sandbox.Response, error) {
	run := sandbox.Run{
		Key: p.key, Worker: "main", Fresh: p.fresh(), Type: "fetch",
		Method: r.Method, URL: origin + r.Path, Length: -1,
		Headers: [][2]string{{"Host", "example.com"}},
		Watch: func(e trace.Event) {
			if e.Kind == trace.KindLog && (e.Log.Level == "log" || e.Log.Level == "info" || e.Log.Level == "debug") {
				p.mu.Lock()
				p.logs = append(p.logs, strings.Split(e.Log.Text, "\n")...)
				p.mu.Unlock()
			}
		},
	}
	if run.Method == "" {
		run.Method = http.MethodGet
	}
	names := make([]string, 0, len(r.Headers))
	for k := range r.Headers {
		names = append(names, k)
	}
	sort.Strings(names)
	for _, k := range names {
		run.Headers = append(run.Headers, [2]string{k, r.Headers[k]})
	}
	if r.Body != nil {
		run.Body, run.Length = bytes.NewReader(*r.Body), int64(len(*r.Body))
		run.Headers = append(run.Headers, [2]string{"Content-Length", fmt.Sprint(len(*r.Body))})
	}
	switch r.Type {
	case "websocket":
		run.Upgrade = true
		run.Headers = append(run.Headers, [2]string{"Upgrade", "websocket"}, [2]string{"Connection", "Upgrade"})
	case "scheduled":
		run.Type = r.Type
		run.Payload = mustJSON(map[string]any{"cron": r.Cron, "scheduledTime": r.ScheduledTime})
	case "queue":
		run.Type = r.Type
		run.Payload = mustJSON(map[string]any{"queue": r.Queue, "messages": r.Messages})
	}
	return p.door.Invoke(ctx, run)
}

func (p *player) request(ctx context.Context, r Request, want Response) string {
	if r.Type == "sleep" {
		time.Sleep(time.Duration(r.MS) * time.Millisecond)
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	resp, err := p.invoke(ctx, r)
	if err != nil {
		return "  " + err.Error()
	}
	switch r.Type {
	case "websocket":
		return p.websocket(ctx, resp, r, want)
	case "scheduled", "queue":
		sum, err := resp.Summary(ctx)
		if err != nil {
			return "  " + err.Error()
		}
		return result(resp.Result, sum, want)
	}
	var body []byte
	if resp.Body != nil {
		b, err := io.ReadAll(io.LimitReader(resp.Body, 32<<20))
		resp.Body.Close()
		if err != nil && want.Body != nil && !errors.Is(err, context.Canceled) {
			return "  reading the body: " + err.Error()
		}
		body = b
	}
	if p.c.Logs {
		if _, err := resp.Summary(ctx); err != nil { // its watcher has then heard everything
			return "  " + err.Error()
		}
	}
	var diffs []string
	if resp.Head.Status != want.Status {
		diffs = append(diffs, fmt.Sprintf("  status\n  - %d\n  + %d", want.Status, resp.Head.Status))
		if sum, err := resp.Summary(ctx); err == nil && sum.Fault != nil {
			diffs = append(diffs, "  ! "+describe(sum.Fault))
		}
	}
	if !slices.Contains(p.c.Ignore, "headers") && want.Headers != nil {
		w, g := wantHeaders(want.Headers), gotHeaders(resp.Head.Headers)
		if diff := lines("headers", w, g); diff != "" {
			diffs = append(diffs, diff)
		}
	}
	if want.Body != nil && !slices.Contains(p.c.Ignore, "body") && r.Method != http.MethodHead {
		recorded := []byte(*want.Body)
		if slices.Contains(encodings(resp.Head.Headers), "gzip") { // how well a body is compressed is free
			recorded, body = unzipped(recorded), unzipped(body)
		}
		if diff := lines("body", text(recorded), text(body)); diff != "" {
			diffs = append(diffs, diff)
		}
	}
	return strings.Join(diffs, "\n")
}

func (p *player) websocket(ctx context.Context, resp *sandbox.Response, r Request, want Response) string {
	if want.Status != 0 && resp.Head.Status != want.Status {
		return fmt.Sprintf("  status\n  - %d\n  + %d", want.Status, resp.Head.Status)
	}
	if resp.Head.Status != http.StatusSwitchingProtocols {
		return ""
	}
	if resp.Socket == nil {
		return "  status 101 without a socket"
	}
	messages, closed := make(chan Content, 1024), make(chan Close, 1)
	resp.Socket.Receive(func(data []byte, _ bool) { messages <- slices.Clone(data) },
		func(code int, reason string, _ bool) { closed <- Close{code, reason} })
	for _, s := range r.Send {
		if err := resp.Socket.Send([]byte(s), false); err != nil {
			break
		}
	}
	var got []Content
	var end *Close
wait:
	for end == nil && (r.UntilClose || len(got) < r.Receive) {
		select {
		case m := <-messages:
			got = append(got, m)
		case c := <-closed:
			for len(messages) > 0 {
				got = append(got, <-messages)
			}
			end = &c
		case <-ctx.Done():
			break wait
		}
	}
	if end == nil {
		resp.Socket.Close(1000, "")
	} else {
		resp.Socket.Close(end.Code, end.Reason) // clients answer a close with the same
	}
	var w, g []string
	for _, m := range want.Messages {
		w = append(w, text(m))
	}
	for _, m := range got {
		g = append(g, text(m))
	}
	diff := lines("messages", strings.Join(w, "\n"), strings.Join(g, "\n"))
	if want.Close != nil && (end == nil || *end != *want.Close) {
		diff += fmt.Sprintf("\n  close\n  - %+v\n  + %+v", *want.Close, end)
	}
	return diff
}

// result compares a scheduled or queue event's outcome.
func result(payload []byte, sum *trace.Summary, want Response) string {
	var got Response
	if len(payload) > 0 {
		if err := json.Unmarshal(payload, &got); err != nil {
			return "  outcome is not JSON: " + err.Error()
		}
	}
	if got.Outcome == "" {
		got.Outcome = "ok"
		if sum.Fault != nil {
			got.Outcome = "exception"
		}
	}
	only := Response{Outcome: got.Outcome}
	if want.AckAll != nil {
		only.AckAll, only.ExplicitAcks = got.AckAll, got.ExplicitAcks
		only.RetryBatch, only.RetryMessages = got.RetryBatch, got.RetryMessages
	}
	if len(only.ExplicitAcks) == 0 {
		only.ExplicitAcks = nil
	}
	if len(want.ExplicitAcks) == 0 {
		want.ExplicitAcks = nil
	}
	return lines("outcome", string(mustJSON(want)), string(mustJSON(only)))
}

// encodings gives the values of Content-Encoding.
func encodings(h [][2]string) []string {
	var out []string
	for _, kv := range h {
		if strings.EqualFold(kv[0], "content-encoding") {
			out = append(out, kv[1])
		}
	}
	return out
}

// unzipped is a body as a client reads it: the door gives it as the Worker made
// it, the recording as it went over the wire.
func unzipped(b []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return b
	}
	out, err := io.ReadAll(io.LimitReader(z, 32<<20))
	if err != nil {
		return b
	}
	return out
}

// listed says whether the recording kept this response header.
func listed(name string) bool {
	switch name {
	case "content-type", "location", "set-cookie", "allow", "etag", "vary", "cache-control", "www-authenticate", "content-encoding":
		return true
	}
	return strings.HasPrefix(name, "access-control-") || strings.HasPrefix(name, "x-")
}

func wantHeaders(h map[string]json.RawMessage) string {
	var out []string
	for k, raw := range h {
		var one string
		var many []string
		if json.Unmarshal(raw, &one) == nil {
			out = append(out, k+": "+one)
		} else if json.Unmarshal(raw, &many) == nil {
			for _, v := range many {
				out = append(out, k+": "+v)
			}
		}
	}
	slices.SortStableFunc(out, byName)
	return strings.Join(out, "\n")
}

func gotHeaders(h [][2]string) string {
	joined, order := map[string]string{}, []string(nil)
	var out []string
	for _, kv := range h {
		k, v := strings.ToLower(kv[0]), kv[1]
		switch {
		case !listed(k):
		case k == "set-cookie":
			out = append(out, k+": "+v)
		default:
			if old, ok := joined[k]; ok {
				joined[k] = old + ", " + v
			} else {
				joined[k] = v
				order = append(order, k)
			}
		}
	}
	for _, k := range order {
		out = append(out, k+": "+joined[k])
	}
	slices.SortStableFunc(out, byName)
	return strings.Join(out, "\n")
}

// byName orders header lines by name and leaves repeats in their order.
func byName(a, b string) int {
	x, _, _ := strings.Cut(a, ":")
	y, _, _ := strings.Cut(b, ":")
	return strings.Compare(x, y)
}

func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return "base64:" + base64.StdEncoding.EncodeToString(b)
}

func describe(f *trace.Fault) string {
	s := string(f.Kind) + ": " + f.Message
	if len(f.Frames) > 0 {
		s += fmt.Sprintf(" (%s:%d:%d)", f.Frames[0].File, f.Frames[0].Line, f.Frames[0].Column)
	}
	return s
}

// lines is a small diff: the lines that differ, wanted with "-", actual with "+".
func lines(what, want, got string) string {
	if want == got {
		return ""
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out strings.Builder
	fmt.Fprintf(&out, "  %s", what)
	for len(w) > 0 || len(g) > 0 {
		if len(w) > 0 && len(g) > 0 && w[0] == g[0] {
			w, g = w[1:], g[1:]
			continue
		}
		lost, added := nearest(w, g)
		for _, l := range w[:lost] {
			fmt.Fprintf(&out, "\n  - %s", clip(l))
		}
		for _, l := range g[:added] {
			fmt.Fprintf(&out, "\n  + %s", clip(l))
		}
		w, g = w[lost:], g[added:]
	}
	return out.String()
}

// nearest says how many lines of each side come before the next line that both
// share, searching the closest first.
func nearest(w, g []string) (lost, added int) {
	for sum := 1; sum < len(w)+len(g); sum++ {
		for i := max(0, sum-len(g)+1); i <= sum && i < len(w); i++ {
			if w[i] == g[sum-i] {
				return i, sum - i
			}
		}
	}
	return len(w), len(g)
}

func clip(s string) string {
	if len(s) > 2000 {
		return s[:2000] + "…"
	}
	return s
}
