package check

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"coldstart/sandbox"
	"coldstart/sandbox/bundle"
	"coldstart/sandbox/trace"
)

// eventOptions are the options of tick, enqueue and upload.
type eventOptions struct {
	Worker   string `json:"worker"`
	Time     int64  `json:"time"`     // tick: scheduled time, ms since 1970
	Attempts int    `json:"attempts"` // enqueue: delivered for the nth time
	ID       string `json:"id"`       // enqueue: message id, to deliver one twice
	Queue    string `json:"queue"`    // upload: the queue that is told
}

// tick runs the scheduled handler as if a cron expression had come due.
func (s *session) tick(ctx context.Context, t *running, raw []json.RawMessage) (any, error) {
	var cron string
	var o eventOptions
	if err := errors.Join(arg("tick", raw, 1, &cron), arg("tick", raw, 2, &o)); err != nil {
		return nil, misuse("tick takes a cron expression: tick(\"*/5 * * * *\")")
	}
	if cron == "" {
		return nil, misuse("tick takes a cron expression: tick(\"*/5 * * * *\")")
	}
	if o.Time == 0 {
		o.Time = s.cfg.Now().Truncate(time.Minute).UnixMilli()
	}
	return s.event(ctx, t, "scheduled", "tick "+cron, o.Worker, map[string]any{"cron": cron, "scheduledTime": o.Time})
}

// message is one queue message as the queue handler gets it.
type message struct {
	ID        string `json:"id"`
	Timestamp int64  `json:"timestamp"`
	Attempts  int    `json:"attempts"`
	Body      any    `json:"body"`
}

// enqueue delivers a batch to the queue's consumer at once.
func (s *session) enqueue(ctx context.Context, t *running, raw []json.RawMessage) (any, error) {
	var queue string
	var bodies []any
	var o eventOptions
	if err := errors.Join(arg("enqueue", raw, 1, &queue), arg("enqueue", raw, 2, &bodies), arg("enqueue", raw, 3, &o)); err != nil {
		return nil, misuse("enqueue takes a queue and a list of message bodies: enqueue(\"jobs\", [{ at: 1 }])")
	}
	return s.deliver(ctx, t, queue, bodies, o)
}

func (s *session) deliver(ctx context.Context, t *running, queue string, bodies []any, o eventOptions) (any, error) {
	worker := o.Worker
	if worker == "" {
		var others []string
		for _, w := range t.project.deploy.Workers {
			for _, c := range w.Consumers {
				if others = append(others, c.Queue); c.Queue == queue {
					worker = w.Name
				}
			}
		}
		if worker == "" && len(others) > 0 {
			return nil, failure(fmt.Sprintf("Nobody would get what is sent to the queue %q; keep its consumer in wrangler.jsonc", queue), queue, strings.Join(others, ", "))
		}
	}
	s.mu.Lock()
	base := fmt.Sprintf("%s-%d-%d", s.id, t.Index, s.messages)
	s.messages++
	s.mu.Unlock()
	batch := make([]message, len(bodies))
	for i, b := range bodies {
		id := fmt.Sprintf("%s-%d", base, i)
		if o.ID != "" {
			id = o.ID
		}
		batch[i] = message{ID: id, Timestamp: s.cfg.Now().UnixMilli(), Attempts: max(o.Attempts, 1), Body: b}
	}
	return s.event(ctx, t, "queue", "enqueue "+queue, worker, map[string]any{"queue": queue, "messages": batch})
}

// upload tells a queue's consumer of a new object, in the shape of R2's event
// notifications. The source is simulated, the handler is real.
func (s *session) upload(ctx context.Context, t *running, raw []json.RawMessage) (any, error) {
	var bucket, key, body string
	var o eventOptions
	if err := errors.Join(arg("upload", raw, 1, &bucket), arg("upload", raw, 2, &key), arg("upload", raw, 3, &body), arg("upload", raw, 4, &o)); err != nil {
		return nil, misuse("upload takes a bucket, a key and a body: upload(\"photos\", \"cat.jpg\", \"…\")")
	}
	if bucket == "" || key == "" {
		return nil, misuse("upload takes a bucket, a key and a body: upload(\"photos\", \"cat.jpg\", \"…\")")
	}
	queue := o.Queue
	for _, w := range t.project.deploy.Workers {
		for _, c := range w.Consumers {
			if queue == "" {
				queue = c.Queue
			}
		}
	}
	if queue == "" {
		return nil, failure("Uploads arrive as messages of a queue; keep the queue consumer in wrangler.jsonc", "a queue consumer", "none")
	}
	note := map[string]any{
		"account": "coldstart", "action": "PutObject", "bucket": bucket, "eventTime": s.cfg.Now().UTC().Format(time.RFC3339Nano),
		"object": map[string]any{"key": key, "size": len(body), "eTag": fmt.Sprintf("%x", len(body))},
	}
	return s.deliver(ctx, t, queue, []any{note}, o)
}

func (s *session) event(ctx context.Context, t *running, kind, say, worker string, payload any) (any, error) {
	b, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	if err := t.project.has(worker); err != nil {
		return nil, err
	}
	a, err := s.invoke(ctx, sandbox.Run{Key: t.project.key, Worker: worker, Type: kind, Payload: b, URL: site + "/", Fresh: s.fresh(t.project, t), Weigh: true})
	if err != nil {
		return nil, err
	}
	s.remember(t, say, a)
	return a.event(), nil
}

// callExport calls one exported function of one of the learner's files.
func (s *session) callExport(ctx context.Context, t *running, raw []json.RawMessage) (any, error) {
	var file, name string
	var args []json.RawMessage
	var o struct {
		Frozen bool `json:"frozen"`
	}
	if err := errors.Join(arg("call", raw, 1, &file), arg("call", raw, 2, &name), arg("call", raw, 3, &args), arg("call", raw, 4, &o)); err != nil {
		return nil, misuse("call takes a file, an export and a list of arguments: call(\"src/fit.js\", \"copies\", [256])")
	}
	p, err := s.caller(ctx, file)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{"name": name, "args": args, "frozen": o.Frozen})
	if err != nil {
		return nil, err
	}
	text := string(body)
	r, err := s.run(p, t, "POST /", sendOptions{Body: &text})
	if err != nil {
		return nil, err
	}
	a, err := s.invoke(ctx, r)
	if err != nil {
		return nil, err
	}
	shown := make([]string, len(args))
	for i, v := range args {
		shown[i] = clip(string(v), 120)
	}
	s.remember(t, fmt.Sprintf("%s: %s(%s)", file, name, join(shown)), a)
	if f := a.summary.Fault; f != nil {
		should := "should not throw"
		switch f.Kind {
		case trace.FaultCPU, trace.FaultWall, trace.FaultMemory, trace.FaultHung:
			should = "should come to an end within its limits; what does it repeat, keep or wait for?"
		}
		return nil, failure(fmt.Sprintf("%s in %s %s", name, file, should), "", faultLine(f))
	}
	var out struct {
		Value   any    `json:"value"`
		Type    string `json:"type"`
		Missing string `json:"missing"`
	}
	if err := json.Unmarshal(a.body, &out); err != nil {
		return nil, failure(fmt.Sprintf("%s in %s should give back plain data", name, file), "data", clip(string(a.body), 120))
	}
	if out.Missing != "" {
		return nil, failure(fmt.Sprintf("%s should export a function %s", file, name), "a function", out.Missing)
	}
	return out.Value, nil
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

func join(s []string) string {
	out := ""
	for i, v := range s {
		if i > 0 {
			out += ", "
		}
		out += v
	}
	return out
}

func (s *session) lab(ctx context.Context, raw []json.RawMessage) (any, error) {
	var id string
	if err := arg("lab", raw, 1, &id); err != nil {
		return nil, err
	}
	if s.cfg.Lab == nil {
		return map[string]any{"available": false, "why": "labs do not run here"}, nil
	}
	v, err := s.cfg.Lab(ctx, id)
	if err != nil {
		return map[string]any{"available": false, "why": err.Error()}, nil //nolint:nilerr // told to the check, which decides
	}
	return map[string]any{"available": v != nil, "why": "you have not run the lab yet", "samples": v}, nil
}

// export gives the project as it is exported, text files by path.
func (s *session) export() (any, error) {
	files, err := s.unzipped()
	if err != nil {
		return nil, failure("The project cannot be exported: "+err.Error(), "", "")
	}
	out := map[string]string{}
	for name, b := range files {
		out[name] = string(b)
	}
	return map[string]any{"files": out}, nil
}

// unzipped packs the learner's files and reads the archive.
func (s *session) unzipped() (map[string][]byte, error) {
	p := trace.Project{Files: s.files, Main: s.lesson.Main()}
	archive, err := bundle.Export(p, bundle.ExportMeta{Name: s.lesson.ID, Title: s.lesson.Title, Workers: s.main.deploy.Workers})
	if err != nil {
		return nil, err
	}
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(in)
		if err := errors.Join(err, in.Close()); err != nil {
			return nil, err
		}
		files[f.Name] = b
	}
	return files, nil
}
