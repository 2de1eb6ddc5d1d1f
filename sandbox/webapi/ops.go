package webapi

import (
	"strings"

	"coldstart/sandbox/isolate"
	"coldstart/sandbox/trace"
)

// Operations that Backend.Call performs. Arguments and results are plain
// values (see isolate.Value): text is string, bytes is []byte, numbers arrive
// as float64, "list" is []any, and "none" is nil. Texts marked "encoded" are
// written by sandbox/js/serialize.ts; the outside stores and passes them on
// without looking inside. An *isolate.Throw chooses the class of the
// JavaScript error; a *FaultError says what went wrong in a Worker that was
// called; any other error becomes an Error.
//
// Calls to Workers and Durable Objects. An empty worker, here and in Target,
// is the Worker that calls:
//
//	rpc.call        type, binding, worker, entrypoint, class, object, props, method, encoded arguments
//	                → encoded result. Invoke it as Invocation{Type: "rpc", Payload: method + "\n" + arguments}
//	                with Entrypoint, or for type "durable" Entrypoint = class, Object = object and Props = what is known of it.
//	                Sink.Result gives the encoded result, or "!" and the encoded error that the method threw.
//	                A property of a property is a path: method has its names with U+001F between them. Type "stub"
//	                is a function or RpcTarget that another isolate passed on: Object begins with that isolate's id,
//	                for one of a Durable Object followed by "@" class "@" id, and only that isolate can take the call.
//
// KV; id is the namespace's (Binding.ID):
//
//	kv.get          id, key → none, or list of value bytes, metadata JSON (or none)
//	kv.getMany      id, list of keys → list of what kv.get gives for each
//	kv.put          id, key, value bytes, expiration (Unix seconds, 0 for never), metadata JSON ("" for none) → none
//	kv.delete       id, key → none
//	kv.list         id, prefix, limit (1 to 1000), cursor ("" for the start)
//	                → list of next cursor ("" when complete), then name, expiration (0 for never), metadata JSON for each key,
//	                in the byte order of their names
//
// Cache; cache is "" for caches.default, else the name given to caches.open.
// Headers are names in lower case and values on lines in turn (see splitHeaders):
//
//	cache.put       cache, URL, status, status text, response headers, body bytes → none;
//	                what Cache-Control or Set-Cookie forbids is dropped silently
//	cache.match     cache, URL → none, or list of status, status text, headers, body bytes, age in seconds
//	cache.delete    cache, URL → bool, whether it was there
//
// Queues; id is the queue's name. A consumer gets the encoded body as
// "encoded" in the payload: {"queue", "messages": [{"id", "timestamp" (ms), "attempts", "encoded"}]};
// "body" instead is plain JSON. Sink.Result gives {"outcome", "ackAll", "retryBatch", "retryDelay"?,
// "explicitAcks": [id], "retryMessages": [id], "retryDelays": [seconds or null]}.
//
//	queue.send      id, encoded body, content type (json, text, bytes, v8), delay in seconds (-1 for the queue's) → none
//	queue.sendBatch id, list of encoded body, content type, delay for each message → none
//
// Durable Object storage. object is what Target.Object and Invocation.Object
// hold: the 64 hex digits of the id. Its name, when it is known, is in Props, behind "=".
// The class follows from the Worker and the run. Operations marked * can also
// be called synchronously through SyncBackend:
//
//	storage.get*       object, list of keys → list of encoded value or none for each
//	storage.put*       object, list of key, encoded value, … → none
//	storage.delete*    object, list of keys → number of keys that were there
//	storage.list*      object, start, startAfter, end, prefix ("" for none), reverse, limit (0 for none) → list of key, encoded value, …
//	storage.deleteAll  object → none
//	storage.getAlarm   object → time in ms since the epoch, 0 or none when unset
//	storage.setAlarm   object, time in ms, 0 to unset → none
//	storage.begin*     object → none: a transaction over the operations that follow
//	storage.end*       object, commit → none
//	sql.exec*          object, query, list of values → list of: list of column names, rows read, rows written, then all values row by row
//	sql.size*          object → bytes
//	storage.known*     script ("" for the caller's own), class, id → whether it is one of before ids told their namespace
//
// D1; id is the database's. Values are none, number, text or bytes:
//
//	d1.query        id, list of: query, list of values, … → list with, for each query, what sql.exec gives plus, before the
//	                values, the last row id and the number of changes:
//	                list of column names, rows read, rows written, last row id, changes, duration in ms, values…
//	d1.exec         id, lines of statements → list of how many lines, duration in ms
//
// R2; id is the bucket's. An object's description is a list of: key, version, size, etag, uploaded (ms),
// HTTP metadata JSON, custom metadata JSON, checksums JSON:
//
//	r2.head         id, key → none or a description
//	r2.get          id, key, offset, length (-1 for the rest), conditions JSON → none, or list of description, body bytes (none when a condition failed), offset, length
//	r2.put          id, key, body bytes, HTTP metadata JSON, custom metadata JSON, conditions JSON → none when a condition failed, or a description
//	r2.delete       id, list of keys → none
//	r2.list         id, prefix, limit, cursor, delimiter, startAfter → list of: next cursor, list of delimited prefixes, descriptions…
//
// Others:
//
//	ratelimit       id, key, limit, period in seconds → bool, whether it is within the limit
//	analytics       binding, JSON of {"blobs", "doubles", "indexes"} → none

// StreamPieces is the Target.Binding of an rpc.call to a stub that moves a piece of
// a stream between two isolates. No program made such a call: nobody is told of it.
const StreamPieces = "stream"

// SyncBackend is implemented by a Backend whose storage can answer at once,
// for the synchronous half of Durable Object storage (sql, kv, transactionSync).
type SyncBackend interface {
	// CallSync performs an operation marked * above without blocking on anything but storage.
	CallSync(run, op string, args []any) (any, error)
}

func syncOps(o *isolate.Ops) {
	// call.sync: operation, arguments
	o.Add("call.sync", func(h *isolate.Loop, args []isolate.Value) (v isolate.Value, err error) {
		b, ok := of(h).cfg.Backend.(SyncBackend)
		if !ok {
			return nil, &isolate.Throw{Name: "Error", Message: "SQL storage is not available here."}
		}
		id, r, op := "", runOf(h), str(args, 0)
		c := trace.Call{Kind: "durable", Name: op}
		if r != nil {
			id, c.Start = r.inv.Run, r.at()
		}
		h.Aside(func() { v, err = b.CallSync(id, op, list(args, 1)) })
		if err != nil && r != nil && strings.HasPrefix(op, "storage.") { // whoever holds the object's answer back hears that its code knows
			c.Error = err.Error()
			r.called(c)
		}
		return v, err
	})
	// durable.name: script ("" for its own), class, name → the object's id
	o.Add("durable.name", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return trace.NamedObjectID(scriptOf(h, args), str(args, 1), str(args, 2)), nil
	})
	// durable.id: script ("" for its own), class, first half of an id → the id
	o.Add("durable.id", func(h *isolate.Loop, args []isolate.Value) (isolate.Value, error) {
		return trace.ObjectID(scriptOf(h, args), str(args, 1), str(args, 2)), nil
	})
}

// scriptOf is the Worker that owns a Durable Object class.
func scriptOf(h *isolate.Loop, args []isolate.Value) string {
	if script := str(args, 0); script != "" {
		return script
	}
	return of(h).cfg.Worker.Name
}
