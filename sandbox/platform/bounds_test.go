package platform

import (
	"fmt"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

// As much as may be passes, and a byte, a key or a part more is refused with a
// sentence that says so, whoever wrote the frame that asks for it.
func TestEveryBoundOfTheStores(t *testing.T) {
	long := func(n int) string { return strings.Repeat("k", n) }
	many := func(n int) []any {
		keys := make([]any, n)
		for i := range keys {
			keys[i] = fmt.Sprint("k", i)
		}
		return keys
	}
	messages := func(n int) []any {
		list := []any{}
		for range n {
			list = append(list, "m", "json", -1.0)
		}
		return list
	}
	limits := trace.Limits{KVKeys: 5, KVBytes: 1 << 20, R2Objects: 5, R2Bytes: 40 << 20, SQLBytes: 64 << 10, Messages: 1000}
	const table = "CREATE TABLE t AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT %d) SELECT hex(zeroblob(512)) FROM c"
	for name, c := range map[string]struct {
		op    string
		fits  []any
		over  []any
		told  string
		begin int // puts before
	}{
		"KV key":              {op: "kv.put", fits: []any{"ns", long(512), "v"}, over: []any{"ns", long(513), "v"}, told: "513 bytes long; 512 is the limit"},
		"KV key that is read": {op: "kv.get", fits: []any{"ns", long(512)}, over: []any{"ns", long(513)}, told: "513 bytes long; 512 is the limit"},
		"KV key of many":      {op: "kv.getMany", fits: []any{"ns", []any{long(512)}}, over: []any{"ns", []any{"a", long(513)}}, told: "513 bytes long; 512 is the limit"},
		"KV key deleted":      {op: "kv.delete", fits: []any{"ns", long(512)}, over: []any{"ns", long(513)}, told: "513 bytes long; 512 is the limit"},
		"KV no key":           {op: "kv.put", fits: []any{"ns", "k", "v"}, over: []any{"ns", "", "v"}, told: "cannot be empty"},
		"KV .":                {op: "kv.put", fits: []any{"ns", "...", "v"}, over: []any{"ns", ".", "v"}, told: "not allowed"},
		"KV ..":               {op: "kv.put", fits: []any{"ns", "./.", "v"}, over: []any{"ns", "..", "v"}, told: "not allowed"},
		"KV metadata":         {op: "kv.put", fits: []any{"ns", "k", "v", 0.0, long(1024)}, over: []any{"ns", "k", "v", 0.0, long(1025)}, told: "exceeds limit of 1024"},
		"KV many keys":        {op: "kv.getMany", fits: []any{"ns", many(100)}, over: []any{"ns", many(101)}, told: "maximum of 100 keys"},
		"KV keys":             {op: "kv.put", begin: 5, fits: []any{"ns", "put 4", "v"}, over: []any{"ns", "another", "v"}, told: "holds its 5 keys"},
		"KV bytes":            {op: "kv.put", fits: []any{"ns", "k", make([]byte, 1<<20-1)}, over: []any{"ns", "k", make([]byte, 1<<20)}, told: "1 MiB of stored data are full"},
		"KV of others":        {op: "kv.put", fits: []any{"ns", "k", "v"}, over: []any{"other", "k", "v"}, told: "no kv binding"},
		"KV read of others":   {op: "kv.get", fits: []any{"ns", "k"}, over: []any{"other", "k"}, told: "no kv binding"},
		"KV many of others":   {op: "kv.getMany", fits: []any{"ns", many(1)}, over: []any{"other", many(1)}, told: "no kv binding"},
		"KV list of others":   {op: "kv.list", fits: []any{"ns", "", 10.0, ""}, over: []any{"other", "", 10.0, ""}, told: "no kv binding"},
		"KV delete of others": {op: "kv.delete", fits: []any{"ns", "k"}, over: []any{"other", "k"}, told: "no kv binding"},

		"R2 key":              {op: "r2.put", fits: []any{"bucket", long(1024), "v"}, over: []any{"bucket", long(1025), "v"}, told: "this one has 1025"},
		"R2 key that is read": {op: "r2.get", fits: []any{"bucket", long(1024)}, over: []any{"bucket", long(1025)}, told: "this one has 1025"},
		"R2 no key":           {op: "r2.head", fits: []any{"bucket", "k"}, over: []any{"bucket", ""}, told: "this one has 0"},
		"R2 object":           {op: "r2.put", fits: []any{"bucket", "k", make([]byte, 16<<20)}, over: []any{"bucket", "k", make([]byte, 16<<20+1)}, told: "larger than 16 MiB"},
		"R2 metadata":         {op: "r2.put", fits: []any{"bucket", "k", "v", "", `"` + long(15<<10) + `"`}, over: []any{"bucket", "k", "v", "", `"` + long(16<<10) + `"`}, told: "metadata is too large"},
		"R2 objects":          {op: "r2.put", begin: 5, fits: []any{"bucket", "put 4", "v"}, over: []any{"bucket", "another", "v"}, told: "hold 5 objects"},
		"R2 bytes":            {op: "r2.put", begin: -2, fits: []any{"bucket", "k", make([]byte, 7<<20)}, over: []any{"bucket", "k", make([]byte, 8<<20)}, told: "40 MiB of buckets are full"},
		"R2 many deleted":     {op: "r2.delete", fits: []any{"bucket", many(1000)}, over: []any{"bucket", many(1001)}, told: "at most 1000 keys"},
		"R2 of others":        {op: "r2.put", fits: []any{"bucket", "k", "v"}, over: []any{"other", "k", "v"}, told: "no r2 binding"},
		"R2 read of others":   {op: "r2.get", fits: []any{"bucket", "k"}, over: []any{"other", "k"}, told: "no r2 binding"},
		"R2 list of others":   {op: "r2.list", fits: []any{"bucket", "", 9.0, "", "", ""}, over: []any{"other", "", 9.0, "", "", ""}, told: "no r2 binding"},
		"R2 delete of others": {op: "r2.delete", fits: []any{"bucket", many(1)}, over: []any{"other", many(1)}, told: "no r2 binding"},

		"D1 bytes":     {op: "d1.query", fits: []any{"db", []any{fmt.Sprintf(table, 30), []any{}}}, over: []any{"db", []any{fmt.Sprintf(strings.Replace(table, "t", "u", 1), 100), []any{}}}, told: "64 KiB of databases are full"},
		"D1 of others": {op: "d1.query", fits: []any{"db", []any{"SELECT 1", []any{}}}, over: []any{"other", []any{"SELECT 1", []any{}}}, told: "no d1 binding"},
		"D1 exec":      {op: "d1.exec", fits: []any{"db", "SELECT 1"}, over: []any{"other", "SELECT 1"}, told: "no d1 binding"},

		"message":   {op: "queue.send", fits: []any{"q", long(128 << 10), "json", -1.0}, over: []any{"q", long(128<<10 + 1), "json", -1.0}, told: "exceeds limit of 131072"},
		"batch":     {op: "queue.sendBatch", fits: []any{"q", messages(100)}, over: []any{"q", messages(101)}, told: "at most 100 messages"},
		"queue":     {op: "queue.send", fits: []any{"q", "m", "json", -1.0}, over: []any{"other", "m", "json", -1.0}, told: "no queue binding"},
		"operation": {op: "kv.get", fits: []any{"ns", "k"}, told: "not available"},

		"object key":       {op: "storage.put", fits: []any{"o", []any{long(2048), "v"}}, over: []any{"o", []any{long(2049), "v"}}, told: "A key of size 2049"},
		"object of others": {op: "storage.get", fits: []any{"o", []any{"k"}}, over: []any{"other", []any{"k"}}, told: "Only a Durable Object itself"},
		"object writes":    {op: "storage.put", fits: []any{"o", []any{"k", "v"}}, over: []any{"other", []any{"k", "v"}}, told: "Only a Durable Object itself"},
		"object SQL":       {op: "sql.exec", fits: []any{"o", "SELECT 1", []any{}}, over: []any{"other", "SELECT 1", []any{}}, told: "Only a Durable Object itself"},
		"object keys":      {op: "storage.put", fits: []any{"o", pairs(50)}, over: []any{"o", pairs(51)}, told: "hold 50 keys"},
		"object bytes":     {op: "storage.put", fits: []any{"o", []any{"k", long(1<<20 - 1)}}, over: []any{"o", []any{"k", long(1 << 20)}}, told: "1 MiB of storage are full"},
	} {
		t.Run(name, func(t *testing.T) {
			p, caller := testPlatform(t, nil)
			w := *caller.Worker
			w.Limits = limits
			caller.Worker, caller.Class, caller.Object = &w, "O", "o"
			for i := range c.begin {
				call(t, p, caller, c.op, c.fits[0], fmt.Sprint("put ", i), "v")
			}
			for i := range -c.begin {
				call(t, p, caller, c.op, c.fits[0], fmt.Sprint("put ", i), make([]byte, 16<<20))
			}
			if _, err := p.Call(t.Context(), caller, c.op, c.fits); err != nil {
				t.Errorf("as much as may be: %v", err)
			}
			op, over := c.op, c.over
			if over == nil {
				op = "nonsense"
			}
			if _, err := p.Call(t.Context(), caller, op, over); err == nil || !strings.Contains(err.Error(), c.told) {
				t.Errorf("more: %v, want %q", err, c.told)
			}
		})
	}
}

// pairs are so many keys with values, as an object's put takes them.
func pairs(n int) []any {
	list := []any{}
	for i := range n {
		list = append(list, fmt.Sprint("k", i), "v")
	}
	return list
}

// A list gives as many as it may, whatever it is asked for, and a cursor for the rest.
func TestListsAreBounded(t *testing.T) {
	p, c := testPlatform(t, nil)
	w := *c.Worker
	w.Limits.KVKeys = 2000
	c.Worker = &w
	for i := range 1001 {
		call(t, p, c, "kv.put", "ns", fmt.Sprintf("%04d", i), "v", 0.0, "")
		call(t, p, c, "r2.put", "bucket", fmt.Sprintf("%04d", i), "v")
	}
	for _, limit := range []float64{0, -1, 1000, 1001, 1e15} {
		keys := call(t, p, c, "kv.list", "ns", "", limit, "").([]any)
		objects := call(t, p, c, "r2.list", "bucket", "", limit, "", "", "").([]any)
		if len(keys) != 1+3*1000 || len(objects) != 2+1000 || keys[0] == "" || objects[0] == "" {
			t.Errorf("a limit of %v: %d keys, %d objects, cursors %q and %q", limit, (len(keys)-1)/3, len(objects)-2, keys[0], objects[0])
		}
	}
}

// An object's transactions are in one another only so deep, and change only so many keys.
func TestTransactionsHaveAnEnd(t *testing.T) {
	p, c := testPlatform(t, nil)
	w := *c.Worker
	w.Limits.KVKeys, w.Limits.KVBytes = 1<<20, 1<<30
	c.Worker, c.Class, c.Object = &w, "O", "o"
	for range nestedMost {
		call(t, p, c, "storage.begin", "o")
	}
	if _, err := p.Call(t.Context(), c, "storage.begin", []any{"o"}); err == nil || !strings.Contains(err.Error(), "more than 32 deep") {
		t.Errorf("one too many: %v", err)
	}
	call(t, p, c, "storage.put", "o", pairs(listAll/2))
	call(t, p, c, "storage.end", "o", true)
	if _, err := p.Call(t.Context(), c, "storage.put", []any{"o", pairs(listAll + 1)}); err == nil || !strings.Contains(err.Error(), "too many keys") {
		t.Errorf("%d keys: %v", listAll+1, err)
	}
	p.Rollback(c)
}
