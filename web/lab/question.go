package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"

	"coldstart/sandbox"
	"coldstart/sandbox/trace"
)

// mostAnswer bounds what a learner's function may answer, in bytes.
const mostAnswer = 256 << 10

// Ask runs a small Worker of a lab around a learner's files and gives question
// to it, as JSON; its answer is read into answer. What the learner's code does
// wrong is a *CodeError. It runs in the site's own sandbox, as a run of the
// learner's does, and leaves nothing behind.
func (l *Labs) Ask(ctx context.Context, key sandbox.Key, p trace.Project, entry string, question, answer any) error {
	const name = "__lab.js"
	files := maps.Clone(p.Files)
	for f := range files {
		switch path.Base(f) {
		case "wrangler.jsonc", "wrangler.json", "wrangler.toml":
			delete(files, f)
		}
	}
	files[name] = []byte(entry)
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	door := l.cfg.Door
	key.Project = "lab/" + sandbox.NewRunID()
	d, err := door.Build(ctx, key, trace.Project{Files: files, Main: name, Limits: p.Limits})
	if err != nil {
		return err
	}
	if d.Fault != nil {
		return faulty(d.Fault)
	}
	if err := door.Deploy(ctx, key, d); err != nil {
		return err
	}
	forget := door.Evict
	if f, ok := door.(interface {
		Forget(ctx context.Context, key sandbox.Key, fresh string) error
	}); ok {
		forget = f.Forget
	}
	defer func() { _ = forget(context.WithoutCancel(ctx), key, "") }()
	resp, err := door.Invoke(ctx, sandbox.Run{
		Key: key, Method: "POST", URL: "https://lab.example/", Body: bytes.NewReader(body), Length: int64(len(body)),
		Headers: [][2]string{{"Content-Type", "application/json"}},
	})
	if err != nil {
		return err
	}
	var out []byte
	if resp.Body != nil {
		out, err = io.ReadAll(io.LimitReader(resp.Body, mostAnswer+1))
		_ = resp.Body.Close()
	}
	sum, serr := resp.Summary(ctx)
	switch {
	case serr != nil:
		return serr
	case sum.Fault != nil:
		return faulty(sum.Fault)
	case err != nil:
		return err
	case len(out) > mostAnswer:
		return &CodeError{"the answer is larger than 256 kB"}
	}
	if err := json.Unmarshal(out, answer); err != nil {
		return &CodeError{fmt.Sprintf("the answer has an unexpected form (%v)", err)}
	}
	return nil
}

// faulty names the place of a fault in the learner's own files.
func faulty(f *trace.Fault) *CodeError {
	for _, at := range f.Frames {
		if at.File != "" && at.File != "__lab.js" {
			return &CodeError{fmt.Sprintf("%s:%d: %s", at.File, at.Line, f.Message)}
		}
	}
	return &CodeError{f.Message}
}
