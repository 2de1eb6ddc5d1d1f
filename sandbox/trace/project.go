package trace

// Project is what a learner edits: a Cloudflare Workers project. Paths are
// slash-separated, relative and clean; the bundler refuses others.
type Project struct {
	Files  map[string][]byte `json:"files" cbor:"1,keyasint"`
	Main   string            `json:"main,omitempty" cbor:"2,keyasint,omitempty"` // entry when there is no wrangler file; guessed when empty
	Limits Limits            `json:"limits" cbor:"3,keyasint"`
}

// Worker is one built Worker of a project: code and what it is bound to. The
// build role makes it; the run role and the platform read it.
type Worker struct {
	Name      string            `json:"name" cbor:"1,keyasint"`
	Version   string            `json:"version" cbor:"2,keyasint"`                        // hash of code, bindings and flags
	Code      string            `json:"code" cbor:"3,keyasint"`                           // one ES module, or a classic script when ServiceWorker
	SourceMap []byte            `json:"source_map,omitempty" cbor:"4,keyasint,omitempty"` // version 3, relative to Code
	Wasm      map[string][]byte `json:"wasm,omitempty" cbor:"5,keyasint,omitempty"`       // specifier coldstart:wasm/<path> to module bytes
	Date      string            `json:"date" cbor:"6,keyasint"`                           // compatibility date, YYYY-MM-DD
	Flags     []string          `json:"flags,omitempty" cbor:"7,keyasint,omitempty"`      // compatibility flags
	Bindings  []Binding         `json:"bindings,omitempty" cbor:"8,keyasint,omitempty"`
	Routes    []string          `json:"routes,omitempty" cbor:"9,keyasint,omitempty"` // patterns; see ParseRoute for their marks
	Crons     []string          `json:"crons,omitempty" cbor:"10,keyasint,omitempty"`
	Consumers []Consumer        `json:"consumers,omitempty" cbor:"11,keyasint,omitempty"` // queues it consumes
	Assets    map[string][]byte `json:"assets,omitempty" cbor:"12,keyasint,omitempty"`    // static assets by path, "/index.html"
	Classic   bool              `json:"classic,omitempty" cbor:"13,keyasint,omitempty"`   // service-worker syntax
	Durables  []string          `json:"durables,omitempty" cbor:"14,keyasint,omitempty"`  // Durable Object classes it exports, from migrations
	Main      string            `json:"main,omitempty" cbor:"15,keyasint,omitempty"`      // the learner's entry file, for messages
	Limits    Limits            `json:"limits" cbor:"16,keyasint"`
	Outbound  string            `json:"outbound,omitempty" cbor:"18,keyasint,omitempty"` // Worker that answers every global fetch; "" for the platform's rules
	Plain     []string          `json:"plain,omitempty" cbor:"19,keyasint,omitempty"`    // those of Durables that a migration made without SQL: new_classes
	Sources   map[string]string `json:"-" cbor:"17,keyasint,omitempty"`                  // learner files by path, for code frames
}

// Binding is one name on env.
type Binding struct {
	Name       string `json:"name" cbor:"1,keyasint"`
	Type       string `json:"type" cbor:"2,keyasint"`                           // text json secret kv durable queue d1 r2 service assets ratelimit analytics version, or a key of AbsentBindings
	Value      string `json:"value,omitempty" cbor:"3,keyasint,omitempty"`      // text and secret: itself; json: JSON text; assets: JSON of AssetOptions
	ID         string `json:"id,omitempty" cbor:"4,keyasint,omitempty"`         // namespace, bucket, database or queue
	Service    string `json:"service,omitempty" cbor:"5,keyasint,omitempty"`    // service: Worker name; durable: script that owns the class
	Entrypoint string `json:"entrypoint,omitempty" cbor:"6,keyasint,omitempty"` // service: named entrypoint
	Class      string `json:"class,omitempty" cbor:"7,keyasint,omitempty"`      // durable: class name
	Props      string `json:"props,omitempty" cbor:"8,keyasint,omitempty"`      // service: JSON given as ctx.props
	Limit      int    `json:"limit,omitempty" cbor:"9,keyasint,omitempty"`      // ratelimit: calls per period
	Period     int    `json:"period,omitempty" cbor:"10,keyasint,omitempty"`    // ratelimit: seconds, 10 or 60; queue: seconds that messages wait
}

// AssetOptions is the Value of an assets binding, as JSON. Its Name is empty
// when code has no access to the assets.
type AssetOptions struct {
	HTML     string   `json:"html_handling,omitempty"`      // auto-trailing-slash (default) force-trailing-slash drop-trailing-slash none
	NotFound string   `json:"not_found_handling,omitempty"` // none (default) 404-page single-page-application
	First    []string `json:"run_worker_first,omitempty"`   // paths the Worker answers before assets; "/*" for all, "!" excludes

	Redirects []AssetRedirect `json:"redirects,omitempty"` // from the file _redirects, in its order
	Headers   []AssetHeaders  `json:"headers,omitempty"`   // from the file _headers, in its order
}

// AssetRedirect is a line of _redirects. "*" in From stands for anything and is
// :splat in To; ":name" stands for what is between two slashes, in both.
type AssetRedirect struct {
	From   string `json:"from"`   // a path
	To     string `json:"to"`     // a path, or an address with https://
	Status int    `json:"status"` // 301 302 303 307 308, or 200 for the file at To
}

// AssetHeaders is a rule of _headers. Path is as AssetRedirect.From, and may
// begin with https:// and a host.
type AssetHeaders struct {
	Path  string      `json:"path"`
	Set   [][2]string `json:"set,omitempty"` // values may have :splat and :name
	Unset []string    `json:"unset,omitempty"`
}

// Consumer is a Worker's subscription to a queue.
type Consumer struct {
	Queue      string `json:"queue" cbor:"1,keyasint"`
	BatchSize  int    `json:"batch_size,omitempty" cbor:"2,keyasint,omitempty"`  // messages, default 10
	BatchWait  int    `json:"batch_wait,omitempty" cbor:"3,keyasint,omitempty"`  // seconds, 0 for at once
	Retries    int    `json:"retries,omitempty" cbor:"4,keyasint,omitempty"`     // of each message
	RetryDelay int    `json:"retry_delay,omitempty" cbor:"5,keyasint,omitempty"` // seconds
	DeadLetter string `json:"dead_letter,omitempty" cbor:"6,keyasint,omitempty"` // queue for what failed every retry
}

// Warning is a finding that does not stop a build, such as an unknown key in a
// wrangler file.
type Warning struct {
	Message string `json:"message" cbor:"1,keyasint"`
	Hint    string `json:"hint,omitempty" cbor:"2,keyasint,omitempty"`
	Frame   Frame  `json:"frame" cbor:"3,keyasint"`
}

// Deployment is a built project: one or more Workers, the first being the one
// that answers when no route table decides. Exactly one of Workers and Fault is set.
type Deployment struct {
	Workers  []Worker  `json:"workers,omitempty" cbor:"1,keyasint,omitempty"`
	Warnings []Warning `json:"warnings,omitempty" cbor:"2,keyasint,omitempty"`
	Fault    *Fault    `json:"fault,omitempty" cbor:"3,keyasint,omitempty"`
}
