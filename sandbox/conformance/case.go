package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

// Case is one program of the corpus with its requests and recorded answers.
// See README.md for the meaning of each field.
type Case struct {
	Name        string             `json:"name"`
	Area        string             `json:"area"`
	About       string             `json:"about"`
	Main        string             `json:"main"`
	Files       map[string]Content `json:"files"`
	Format      string             `json:"format"`
	Compat      []string           `json:"compat"`
	Date        string             `json:"date"`
	Vars        Vars               `json:"vars"`
	Bindings    map[string]Binding `json:"bindings"`
	Services    []Service          `json:"services"`
	Outbound    string             `json:"outbound"`
	NPM         []string           `json:"npm"`
	NPMVersions map[string]string  `json:"npmVersions"`
	Logs        bool               `json:"logs"`
	Ignore      []string           `json:"ignore"`
	Requests    []Request          `json:"requests"`
	Expect      Expect             `json:"expect"`
}

// Service is another Worker that a case binds.
type Service struct {
	Name     string             `json:"name"`
	Main     string             `json:"main"`
	Files    map[string]Content `json:"files"`
	Vars     Vars               `json:"vars"`
	Bindings map[string]Binding `json:"bindings"`
	Compat   []string           `json:"compat"`
}

// Vars is an object of variables, as written: a program sees their order.
type Vars json.RawMessage

// UnmarshalJSON keeps the text of an object.
func (v *Vars) UnmarshalJSON(b []byte) error {
	*v = bytes.Clone(b)
	var m map[string]json.RawMessage
	return json.Unmarshal(b, &m)
}

// Content is text, or {"base64": …}.
type Content []byte

// UnmarshalJSON reads either form.
func (c *Content) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*c = Content(s)
		return nil
	}
	var o struct {
		Base64 []byte `json:"base64"`
	}
	if err := strict(b, &o); err != nil {
		return err
	}
	*c = o.Base64
	return nil
}

func mustJSON(v any) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n")
}

// Binding is "kv", or an object that says more. The types d1, r2 and queue, and
// a queue's consumer, are in the project's own cases only.
type Binding struct {
	Type       string `json:"type"`
	ID         string `json:"id"`
	Service    string `json:"service"`
	Entrypoint string `json:"entrypoint"`
	Class      string `json:"class"`
	Consume    bool   `json:"consume"`        // the Worker gets the queue's messages
	BatchSize  int    `json:"max_batch_size"` // messages
	Retries    int    `json:"max_retries"`
}

// UnmarshalJSON reads either form.
func (b *Binding) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		b.Type = s
		return nil
	}
	type plain Binding
	return strict(data, (*plain)(b))
}

// Request is one event sent to the Worker.
type Request struct {
	Type          string            `json:"type"` // "" for HTTP, websocket, scheduled, queue, sleep
	Method        string            `json:"method"`
	Path          string            `json:"path"`
	Headers       map[string]string `json:"headers"`
	Body          *Content          `json:"body"`
	Send          []string          `json:"send"`
	Receive       int               `json:"receive"`
	UntilClose    bool              `json:"untilClose"`
	Cron          string            `json:"cron"`
	ScheduledTime int64             `json:"scheduledTime"`
	Queue         string            `json:"queue"`
	Messages      []json.RawMessage `json:"messages"`
	MS            int               `json:"ms"`
}

// Expect is what the real runtime answered.
type Expect struct {
	Startup   string     `json:"startup"`
	Responses []Response `json:"responses"`
	Logs      []string   `json:"logs"`
}

// Response is one recorded answer. A nil field was not recorded.
type Response struct {
	Status        int                        `json:"status,omitempty"`
	Headers       map[string]json.RawMessage `json:"headers,omitempty"` // string, or an array for set-cookie
	Body          *Content                   `json:"body,omitempty"`
	Messages      []Content                  `json:"messages,omitempty"`
	Close         *Close                     `json:"close,omitempty"`
	Outcome       string                     `json:"outcome,omitempty"`
	AckAll        *bool                      `json:"ackAll,omitempty"`
	RetryBatch    json.RawMessage            `json:"retryBatch,omitempty"`
	ExplicitAcks  []string                   `json:"explicitAcks,omitempty"`
	RetryMessages json.RawMessage            `json:"retryMessages,omitempty"`
}

// Close is how a WebSocket ended.
type Close struct {
	Code   int    `json:"code"`
	Reason string `json:"reason"`
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// Load reads every *.json of a folder, in the order of their names. Unknown
// keys are errors, so that a misspelt expectation cannot pass silently.
func Load(dir string) ([]Case, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no *.json in %s", dir)
	}
	sort.Strings(paths)
	cases := make([]Case, len(paths))
	for i, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return nil, err
		}
		if err := strict(b, &cases[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
	}
	return cases, nil
}
