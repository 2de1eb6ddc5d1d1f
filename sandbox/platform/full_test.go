package platform

import (
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

// What a project stores is refused, and counted, from the first key or byte too
// many on, with a sentence that names the limit.
func TestWhatIsTooMuchIsRefusedAndCounted(t *testing.T) {
	counted := 0
	p := New(Config{Store: NewMemory(), Full: func() { counted++ }})
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	l := trace.Limits{KVKeys: 7, KVBytes: 4096, Messages: 9}
	for name, c := range map[string]struct {
		limit func(Usage) error
		most  Usage
		keys  string // what the sentences say
		bytes string
	}{
		"KV":              {p.kvLimit(l), Usage{Keys: 7, Bytes: 4096}, "holds its 7 keys", "4 KiB"},
		"queues":          {p.queueLimit(l), Usage{Keys: 9, Bytes: queueBytes}, "9 messages wait", trace.SizeText(queueBytes)},
		"Durable Objects": {p.durableLimit(l), Usage{Keys: 70, Bytes: 4096}, "hold 70 keys", "4 KiB"},
	} {
		counted = 0
		if err := c.limit(c.most); err != nil || counted != 0 {
			t.Errorf("%s: as much as may be: %v, counted %d times", name, err, counted)
		}
		for _, over := range []struct {
			u    Usage
			told string
		}{{Usage{Keys: c.most.Keys + 1, Bytes: c.most.Bytes}, c.keys}, {Usage{Keys: c.most.Keys, Bytes: c.most.Bytes + 1}, c.bytes}} {
			counted = 0
			if err := c.limit(over.u); err == nil || !strings.Contains(err.Error(), over.told) || counted != 1 {
				t.Errorf("%s: %+v: %v, counted %d times", name, over.u, err, counted)
			}
		}
	}
}
