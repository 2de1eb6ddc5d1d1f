package sandbox

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"coldstart/sandbox/platform"
	"coldstart/sandbox/trace"
)

const storageWorker = `
const json = (v) => new Response(JSON.stringify(v));
const attempt = async (f) => { try { return await f(); } catch (e) { return e.message; } };
const routes = {
	async "/d1"({ DB }) {
		await DB.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n REAL, b BLOB)\nCREATE INDEX i ON t (name)");
		const insert = DB.prepare("INSERT INTO t (name, n, b) VALUES (?1, ?2, ?3)");
		const { success, meta } = await insert.bind("a", 1.5, new Uint8Array([1, 2])).run();
		await DB.batch([insert.bind("b", 2, null), insert.bind("c", true, null)]);
		const all = await DB.prepare("SELECT * FROM t ORDER BY id").all();
		return json({
			success, last: meta.last_row_id, changes: meta.changes, all: all.results, read: all.meta.rows_read,
			first: await DB.prepare("SELECT name, n FROM t WHERE id = ?").bind(2).first(),
			column: await DB.prepare("SELECT count(*) AS k FROM t").first("k"),
			none: await DB.prepare("SELECT * FROM t WHERE id = 9").first(),
			raw: await DB.prepare("SELECT id, name FROM t WHERE id < 3").raw({ columnNames: true }),
		});
	},
	async "/d1/bad"({ DB }) {
		return json([
			await attempt(() => DB.prepare("SELECT * FROM nowhere").all()),
			await attempt(() => DB.prepare("SELECT ?").bind(undefined).all()),
			await attempt(() => DB.prepare("SELECT 1 AS a").first("b")),
			await attempt(() => DB.prepare("SELECT ?, ?").bind(1).all()),
			await attempt(() => DB.exec("SELECT 1;\nCREATE TABLE x (\n  id INTEGER)")),
			await attempt(() => DB.batch([DB.prepare("INSERT INTO t (name) VALUES ('kept?')"), DB.prepare("INSERT INTO nowhere VALUES (1)")])),
			await DB.prepare("SELECT count(*) AS k FROM t WHERE name = 'kept?'").first("k"),
		]);
	},
	async "/r2"({ FILES }) {
		const put = await FILES.put("a/1.txt", "0123456789", { httpMetadata: { contentType: "text/plain", cacheControl: "no-store" }, customMetadata: { by: "me" } });
		const o = await FILES.get("a/1.txt"), h = new Headers();
		o.writeHttpMetadata(h);
		const part = await FILES.get("a/1.txt", { range: { offset: 2, length: 3 } });
		const tail = await FILES.get("a/1.txt", { range: new Headers({ range: "bytes=-4" }) });
		return json({
			tag: put.httpEtag, size: put.size, same: put.etag === o.etag && o.checksums.toJSON().md5 === o.etag, date: o.uploaded instanceof Date,
			headers: [...h], custom: o.customMetadata, text: await o.text(), used: o.bodyUsed,
			part: [await part.text(), part.range], tail: [await tail.text(), tail.range],
		});
	},
	async "/r2/only"({ FILES }) {
		const o = await FILES.head("a/1.txt"), not = await FILES.get("a/1.txt", { onlyIf: { etagDoesNotMatch: o.etag } });
		const header = await FILES.get("a/1.txt", { onlyIf: new Headers({ "if-none-match": o.httpEtag }) });
		const hit = await FILES.get("a/1.txt", { onlyIf: { etagMatches: o.etag } });
		return json([not.body === undefined, header.body === undefined, await hit.text(), await FILES.put("a/1.txt", "x", { onlyIf: { etagMatches: "other" } }), await FILES.head("none"), await FILES.get("none")]);
	},
	async "/r2/list"({ FILES }) {
		const stream = new Response("streamed").body;
		for (const [k, v] of [["a/2", new Uint8Array([123, 125])], ["b", stream], ["c", null]]) await FILES.put(k, v);
		const page = await FILES.list({ limit: 2 }), rest = await FILES.list({ cursor: page.cursor });
		const one = await FILES.list({ delimiter: "/", limit: 1 }), next = await FILES.list({ delimiter: "/", limit: 1, cursor: one.cursor });
		if (one.delimitedPrefixes[0] !== "a/" || next.objects[0]?.key !== "b") return json(["a folder is listed twice", one, next]);
		const dirs = await FILES.list({ delimiter: "/" }), body = [await (await FILES.get("a/2")).json(), await (await FILES.get("b")).text(), (await (await FILES.get("c")).arrayBuffer()).byteLength];
		await FILES.delete(["a/2", "b"]);
		return json({ page: page.objects.map((o) => o.key), truncated: page.truncated, rest: rest.objects.map((o) => o.key), end: rest.truncated, dirs: dirs.delimitedPrefixes, keys: dirs.objects.map((o) => o.key), body, left: (await FILES.list()).objects.map((o) => o.key) });
	},
	async "/r2/bad"({ FILES }) {
		return json([await attempt(() => FILES.put("", "x")), await attempt(() => FILES.put("k", {})), await attempt(() => FILES.get("a/1.txt", { range: { offset: 99 } })), await attempt(() => FILES.createMultipartUpload("k"))]);
	},
	async "/limit"({ LIMITER }) {
		const out = [];
		for (const key of ["a", "a", "a", "b"]) out.push((await LIMITER.limit({ key })).success);
		return json([out, await attempt(() => LIMITER.limit({}))]);
	},
	async "/hit"({ HITS }) {
		HITS.writeDataPoint({ blobs: ["x"], doubles: [1], indexes: ["i"] });
		return json(await attempt(() => HITS.writeDataPoint({ indexes: ["a", "b"] })));
	},
	async "/asset"({ ASSETS }) {
		const r = await ASSETS.fetch("https://any/hello.txt"), none = await ASSETS.fetch(new Request("https://any/none"));
		return json([r.status, r.headers.get("content-type"), await r.text(), none.status]);
	},
	async "/version"({ VERSION }) { return json(VERSION); },
};
export default { fetch: (request, env) => (routes[new URL(request.url).pathname] ?? (() => json("?")))(env) };
`

func TestStorageBindings(t *testing.T) {
	s := open(t)
	k := key("a")
	deploy(t, s, k, map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01",
			"d1_databases":[{"binding":"DB","database_name":"main","database_id":"x"}],
			"r2_buckets":[{"binding":"FILES","bucket_name":"files"}],
			"ratelimits":[{"name":"LIMITER","namespace_id":"1","simple":{"limit":2,"period":60}}],
			"analytics_engine_datasets":[{"binding":"HITS"}],
			"version_metadata":{"binding":"VERSION"},
			"assets":{"directory":"./public","binding":"ASSETS","run_worker_first":true}}`,
		"worker.js":        storageWorker,
		"public/hello.txt": "hello",
	})
	tag := `781e5e245d69b566979b86e28d23f2c7`
	for _, c := range []struct{ path, want string }{
		{"/d1", `{"success":true,"last":1,"changes":1,"all":[{"id":1,"name":"a","n":1.5,"b":[1,2]},{"id":2,"name":"b","n":2,"b":null},{"id":3,"name":"c","n":1,"b":null}],"read":3,` +
			`"first":{"name":"b","n":2},"column":3,"none":null,"raw":[["id","name"],[1,"a"],[2,"b"]]}`},
		{"/d1/bad", `["D1_ERROR: no such table: nowhere: SQLITE_ERROR","D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'","D1_COLUMN_NOTFOUND: Column not found (b)",` +
			`"D1_ERROR: Wrong number of parameter bindings for SQL query.","D1_EXEC_ERROR: Error in line 2: CREATE TABLE x (: incomplete input: SQLITE_ERROR","D1_ERROR: no such table: nowhere: SQLITE_ERROR",0]`},
		{"/r2", `{"tag":"\"` + tag + `\"","size":10,"same":true,"date":true,"headers":[["cache-control","no-store"],["content-type","text/plain"]],"custom":{"by":"me"},"text":"0123456789","used":true,` +
			`"part":["234",{"offset":2,"length":3}],"tail":["6789",{"offset":6,"length":4}]}`},
		{"/r2/only", `[true,true,"0123456789",null,null,null]`},
		{"/r2/list", `{"page":["a/1.txt","a/2"],"truncated":true,"rest":["b","c"],"end":false,"dirs":["a/"],"keys":["b","c"],"body":[{},"streamed",0],"left":["a/1.txt","c"]}`},
		{"/r2/bad", `["put: The specified object name is not valid. (10020)","Failed to execute 'put' on 'R2Bucket': parameter 2 is not of type 'JsReadableStream or ArrayBuffer or ArrayBufferView or string or Blob'.",` +
			`"get: The requested range is not satisfiable (10039)","R2: multipart uploads are not available here; put() takes objects of up to 16 MiB."]`},
		{"/limit", `[[true,true,false,true],"limit() takes an object with a key, for example { key: userId }; the key must be a string."]`},
		{"/hit", `"writeDataPoint(): Maximum of 1 indexes supported."`},
		{"/asset", `[200,"text/plain; charset=utf-8","hello",404]`},
	} {
		if a := get(t, s, k, c.path); a.body != c.want {
			t.Errorf("%s: %d %s %+v\nwant %s", c.path, a.status, a.body, a.sum.Fault, c.want)
		}
	}
	if a := get(t, s, k, "/version"); !regexp.MustCompile(`^\{"id":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}","tag":"","timestamp":"20\d\d-.*Z"\}$`).MatchString(a.body) {
		t.Errorf("version: %s", a.body)
	}
	var calls []string
	for _, e := range get(t, s, k, "/hit").events {
		if e.Kind == trace.KindCall {
			calls = append(calls, e.Call.Kind+" "+e.Call.Name)
		}
	}
	if got := strings.Join(calls, ","); got != "analytics HITS.writeDataPoint" {
		t.Errorf("calls of /hit: %q", got)
	}
}

// fullStore is on a disk that has no room.
type fullStore struct{ platform.Store }

func (fullStore) Write(context.Context, platform.Namespace, []platform.Change, func(platform.Usage) error) error {
	return fmt.Errorf("writing: %w", platform.ErrFull)
}

// On a full disk a Worker reads what there is, and is told why it stores nothing.
func TestFullDiskIsToldToTheWorker(t *testing.T) {
	s := open(t, func(c *Config) { c.Store = fullStore{platform.NewMemory()} })
	deploy(t, s, key("a"), map[string]string{
		"worker.js":      `export default { async fetch(request, env) { const had = await env.KV.get("k"); try { await env.KV.put("k", "v"); } catch (e) { return new Response(had + " " + e.message); } return new Response("stored"); } };`,
		"wrangler.jsonc": `{"name": "w", "main": "worker.js", "compatibility_date": "2026-11-01", "kv_namespaces": [{"binding": "KV", "id": "kv"}]}`,
	})
	if a := get(t, s, key("a"), "/"); a.body != "null The server's disk is full, so nothing was stored. It was not your code; your instructor has to make room." {
		t.Errorf("%d %q %+v", a.status, a.body, a.sum.Fault)
	}
}

// TestBodyStored puts the request's body away as it comes: all of it arrives,
// it counts as read, and one that is being read is refused.
func TestBodyStored(t *testing.T) {
	s := open(t)
	k := key("a")
	deploy(t, s, k, map[string]string{
		"wrangler.jsonc": `{"name":"w","main":"worker.js","compatibility_date":"2026-11-01","kv_namespaces":[{"binding":"KV"}],"r2_buckets":[{"binding":"FILES","bucket_name":"files"}]}`,
		"worker.js": `const said = (p) => p.then((v) => typeof v, (e) => e.message.split(".")[0]);
		export default { async fetch(request, { FILES, KV }) {
			const path = new URL(request.url).pathname, store = path === "/r2" ? FILES : KV, body = request.body;
			if (path === "/read") await body.getReader().read();
			if (path === "/read") return Response.json([await said(KV.put("b", body)), await said(FILES.put("b", body))]);
			await store.put("a", body);
			const kept = store === KV ? await KV.get("a") : await (await FILES.get("a")).text();
			return Response.json([kept.length, kept.slice(-3), request.bodyUsed, body.locked, await said(request.text()), await said(store.put("b", body))]);
		} };`,
	})
	text := strings.Repeat("0123456789", 100_000) + "end"
	const locked = `"This ReadableStream is currently locked to a reader"`
	kept := `[1000003,"end",true,true,"Body has already been used",` + locked + `]`
	for path, want := range map[string]string{"/r2": kept, "/kv": kept, "/read": "[" + locked + "," + locked + "]"} {
		a := get(t, s, k, path, func(r *Run) { r.Method, r.Body, r.Length = "POST", strings.NewReader(text), int64(len(text)) })
		if a.body != want {
			t.Errorf("%s: %d %s %+v", path, a.status, a.body, a.sum.Fault)
		}
	}
}
