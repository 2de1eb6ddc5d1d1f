package trace

import "regexp"

// AbsentBindings are the keys of a wrangler file whose bindings exist on
// Cloudflare only, each with what to do here in one sentence. A Binding may
// have one of them as its Type: code that uses it gets an error.
var AbsentBindings = map[string]string{
	"agent_memory":          deployed,
	"ai":                    deployed,
	"ai_search":             deployed,
	"ai_search_namespaces":  deployed,
	"analytics":             deployed,
	"artifacts":             deployed,
	"browser":               deployed,
	"cloudchamber":          deployed,
	"containers":            deployed,
	"data_blobs":            `Import the file instead: import data from "./file.bin".`,
	"dispatch_namespaces":   "Put the other Workers into this project and bind them under services.",
	"flagship":              deployed,
	"hyperdrive":            "Use a database of d1_databases here.",
	"images":                deployed,
	"k2":                    "Collect events with a queue, or write them to R2.",
	"logfwdr":               "Write to console: the page shows every line.",
	"media":                 deployed,
	"mtls_certificates":     deployed,
	"pipelines":             "Collect events with a queue, or write them to R2.",
	"secrets_store_secrets": "Put NAME=value into .dev.vars; env.NAME is then the text.",
	"send_email":            deployed,
	"stream":                deployed,
	"text_blobs":            `Import the file instead: import text from "./file.txt".`,
	"unsafe":                deployed,
	"unsafe_hello_world":    deployed,
	"vectorize":             deployed,
	"vpc_networks":          deployed,
	"vpc_services":          deployed,
	"wasm_modules":          `Import the file instead: import module from "./file.wasm".`,
	"websearch":             deployed,
	"worker_loaders":        "Put the other Workers into this project and bind them under services.",
	"workflows":             "Use a queue, or the alarm of a Durable Object, for work that goes on by itself.",
}

const deployed = "It works once the project runs on Cloudflare; until then, let code of your own answer in its place."

// absentBinding is the error of using one, as sandbox/js/bindings.ts words it.
var absentBinding = regexp.MustCompile(`^env\..+: bindings of type "(\w+)" are not available here\.`)
