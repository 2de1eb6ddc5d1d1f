package webapi_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestNode compares with what Workers' runtime answers: each line of
// testdata/node.txt is an expression and, behind a tab, its JSON there, or
// behind a ! the name, code and message of what it throws.
func TestNode(t *testing.T) {
	var head strings.Builder
	for _, m := range strings.Fields("assert buffer crypto events fs net os path process stream string_decoder url util zlib") {
		head.WriteString("import " + m + " from \"node:" + m + "\";\n")
	}
	head.WriteString("const { Buffer } = buffer;\n")
	head.WriteString("const of = (f) => { try { const v = f(); return v === undefined ? '\"undefined\"' : JSON.stringify(v); } catch (e) { return `!${e.name} ${e.code}: ${e.message}`; } };\n")
	compareLines(t, "testdata/node.txt", head.String())
}

// What a module of Node exports on Workers and not here says so when it is used.
func TestNodeLacks(t *testing.T) {
	status, body, sum := serve(t, map[string]string{"worker.js": `import { parseArgs, getCallSites } from "node:util";
import { zstdCompressSync } from "node:zlib";
import { createDiffieHellman } from "node:crypto";
import { binding } from "node:process";
import { resolveObjectURL } from "node:buffer";
import { FileHandle } from "node:fs/promises";
import { Assert } from "node:assert";
import sys from "node:sys";
export default { fetch() {
  return Response.json([parseArgs, getCallSites, sys.parseArgs, zstdCompressSync, createDiffieHellman, binding, resolveObjectURL, FileHandle, Assert].map((f) => { try { f(); } catch (e) { return e.message; } }));
} };
`, "wrangler.jsonc": `{"name": "main", "main": "worker.js", "compatibility_date": "2026-11-01"}`})("/")
	var got []string
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got) != 9 {
		t.Fatalf("%d %s %v: %+v", status, body, err, sum.Fault)
	}
	for i, name := range strings.Fields("util.parseArgs util.getCallSites util.parseArgs zlib.zstdCompressSync crypto.createDiffieHellman process.binding buffer.resolveObjectURL fs/promises.FileHandle assert.Assert") {
		if !strings.HasPrefix(got[i], name+" is not available here") {
			t.Errorf("%s: %q", name, got[i])
		}
	}
}
