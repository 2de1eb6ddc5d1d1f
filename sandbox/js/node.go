package js

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// nodeNames are the node:* modules that learner code may import under
// nodejs_compat. A file node-<name>.ts here implements one; for the others
// unenv's is taken, which imports everywhere and says so where it can do nothing.
var nodeNames = strings.Fields(`assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel
	dns dns/promises domain events fs fs/promises http http2 https inspector inspector/promises module net os path path/posix path/win32 perf_hooks
	process punycode querystring readline readline/promises repl stream stream/consumers stream/promises stream/web string_decoder sys timers
	timers/promises tls trace_events tty url util util/types v8 vm wasi worker_threads zlib`)

// nodeLacks are names that the real runtime's modules export and these do not.
// They can be imported, and say what they are when they are used.
var nodeLacks = map[string][]string{
	"assert":        {"Assert"},
	"assert/strict": {"Assert"},
	"cluster":       {"Cluster"},
	"crypto":        {"Certificate", "Cipher", "Cipheriv", "Decipher", "Decipheriv", "DiffieHellman", "DiffieHellmanGroup", "X509Certificate", "createCipher", "createDecipher", "createDiffieHellmanGroup", "diffieHellman", "getDiffieHellman", "setEngine", "setFips", "secureHeapUsed"},
	"fs/promises":   {"FileHandle", "glob", "watch"},
	"module":        {"registerHooks", "stripTypeScriptTypes"},
	"net":           {"BoundSocket"},
	"perf_hooks":    {"eventLoopUtilization", "timerify"},
	"sqlite":        {"DatabaseSync", "StatementSync", "backup", "constants"},
	"stream":        {"compose", "duplexPair"},
	"sys":           {"_errnoException", "_exceptionWithHostPort", "getCallSite", "getCallSites", "parseArgs"},
	"test":          {"MockFunctionContext", "MockTracker", "after", "afterEach", "before", "beforeEach", "describe", "it", "mock", "run", "suite", "test"},
	"timers":        {"active", "enroll", "unenroll"},
	"util":          {"_errnoException", "_exceptionWithHostPort", "getCallSite", "getCallSites", "parseArgs"},
	"v8":            {"getCppHeapStatistics", "isStringOneByteRepresentation"},
}

// nodeEmpty are modules of which nothing is here but their names.
var nodeEmpty = []string{"sqlite", "test"}

// lackSource makes the names of nodeLacks.
const lackSource = `const lack = (module: string, m: any, names: string[]): any => {
  const d = m.default, all: any = { ...m };
  for (const n of names) {
    if (n in m) continue;
    const f = d?.[n] ?? { [n]: function () { throw new Error(module + "." + n + " is not available here."); } }[n];
    all[n] = f;
    if (d !== undefined && !(n in d)) d[n] = f;
  }
  return all;
};
`

// nodeAll is a file made on the fly: it imports every node:* module and
// exports them by name.
const nodeAll = "node-all.ts"

func nodeAllSource() string {
	var head, list strings.Builder
	for i, n := range nodeNames {
		fmt.Fprintf(&head, "import * as m%d from \"node:%s\";\n", i, n)
		if lacks := nodeLacks[n]; lacks != nil {
			names, _ := json.Marshal(lacks) // strings
			label := n
			if n == "sys" { // what is missing of it is missing of util
				label = "util"
			}
			fmt.Fprintf(&list, "  \"node:%s\": lack(%q, m%d, %s),\n", n, label, i, names)
			continue
		}
		fmt.Fprintf(&list, "  \"node:%s\": m%d,\n", n, i)
	}
	for _, n := range nodeEmpty {
		names, _ := json.Marshal(nodeLacks[n]) // strings
		fmt.Fprintf(&list, "  \"node:%s\": lack(%q, { default: function () { throw new Error(\"%s is not available here.\"); } }, %s),\n", n, n, "node:"+n, names)
	}
	return head.String() + lackSource + "export const nodeModules: Record<string, any> = {\n" + list.String() + "};\n"
}

// nodeModuleSources makes the importable node:* modules, which hand on what
// the bootstrap has already evaluated. Their export names come from esbuild.
func nodeModuleSources(nodeModules string) ([]Module, error) {
	abs, err := filepath.Abs(nodeModules)
	if err != nil {
		return nil, err
	}
	o := options(abs)
	o.Format, o.Splitting, o.Metafile, o.Outdir = api.FormatESModule, true, true, "out"
	for i, n := range nodeNames {
		o.EntryPointsAdvanced = append(o.EntryPointsAdvanced, api.EntryPoint{InputPath: "node:" + n, OutputPath: fmt.Sprintf("m%d", i)})
	}
	r := api.Build(o)
	if err := failed(r.Errors); err != nil {
		return nil, err
	}
	var meta struct {
		Outputs map[string]struct {
			Exports    []string `json:"exports"`
			EntryPoint string   `json:"entryPoint"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(r.Metafile), &meta); err != nil {
		return nil, err
	}
	var out []Module
	for i, n := range nodeNames {
		exports := meta.Outputs[fmt.Sprintf("out/m%d.js", i)].Exports
		if len(exports) == 0 {
			return nil, fmt.Errorf("bundle the bootstrap: node:%s exports nothing", n)
		}
		out = append(out, nodeModule(n, append(exports, nodeLacks[n]...)))
	}
	for _, n := range nodeEmpty {
		out = append(out, nodeModule(n, append([]string{"default"}, nodeLacks[n]...)))
	}
	return out, nil
}

// nodeModule hands on the named exports of what the bootstrap has evaluated.
func nodeModule(n string, exports []string) Module {
	slices.Sort(exports)
	exports = slices.Compact(exports)
	var b strings.Builder
	fmt.Fprintf(&b, "const m = __coldstart[\"node:%s\"];\n", n)
	var named []string
	for j, e := range exports {
		if e == "default" {
			b.WriteString("export default m.default;\n")
			continue
		}
		fmt.Fprintf(&b, "const e%d = m[%q];\n", j, e)
		named = append(named, fmt.Sprintf("e%d as %s", j, e))
	}
	fmt.Fprintf(&b, "export { %s };\n", strings.Join(named, ", "))
	return Module{Name: "node:" + n, Source: b.String()}
}
