package bundle

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"coldstart/sandbox/trace"
)

// entries calls f for each object of a list.
func (r *configReader) entries(m member, example string, known []string, f func(n *node, field func(string) member)) {
	for _, n := range r.list(m, "["+example+"]") {
		fields := map[string]member{}
		r.object(m.key, n, example, known, func(m member) { fields[m.key] = m })
		if r.fault != nil {
			return
		}
		f(n, func(key string) member { return fields[key] })
		if r.fault != nil {
			return
		}
	}
}

// optional reads a string that may be missing.
func (r *configReader) optional(m member) string {
	if m.node == nil {
		return ""
	}
	return r.str(m, `"…"`)
}

// required reads a string that must be there.
func (r *configReader) required(n *node, key string, m member, what, example string) string {
	if m.node == nil {
		r.need(n, key, "", what, example)
		return ""
	}
	s := r.str(m, example)
	r.need(n, key, s, what, example)
	return s
}

func (r *configReader) optionalNumber(m member, low, high int) int {
	if m.node == nil {
		return 0
	}
	return r.number(m, low, high)
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func (r *configReader) kv(m member) {
	r.entries(m, `{ "binding": "NOTES" }`, []string{"binding", "id", "preview_id", "remote"}, func(n *node, field func(string) member) {
		name := r.required(n, "binding", field("binding"), "This KV namespace", `"NOTES"`)
		preview, id := r.optional(field("preview_id")), r.optional(field("id"))
		r.bind(n, trace.Binding{Name: name, Type: "kv", ID: firstOf(preview, id, "local-"+name)})
	})
}

func (r *configReader) d1(m member) {
	known := []string{"binding", "database_name", "database_id", "preview_database_id", "migrations_dir", "migrations_table", "migrations_pattern", "database_internal_env", "remote"}
	r.entries(m, `{ "binding": "DB", "database_name": "shop" }`, known, func(n *node, field func(string) member) {
		name := r.required(n, "binding", field("binding"), "This D1 database", `"DB"`)
		preview, id, db := r.optional(field("preview_database_id")), r.optional(field("database_id")), r.optional(field("database_name"))
		r.bind(n, trace.Binding{Name: name, Type: "d1", ID: firstOf(preview, id, db, "local-"+name)})
	})
}

func (r *configReader) r2(m member) {
	r.entries(m, `{ "binding": "FILES", "bucket_name": "files" }`, []string{"binding", "bucket_name", "preview_bucket_name", "jurisdiction", "remote"}, func(n *node, field func(string) member) {
		name := r.required(n, "binding", field("binding"), "This R2 bucket", `"FILES"`)
		preview, bucket := r.bucket(field("preview_bucket_name")), r.bucket(field("bucket_name"))
		r.bind(n, trace.Binding{Name: name, Type: "r2", ID: firstOf(preview, bucket, "local-"+name)})
	})
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

// bucket reads the name of a bucket. One that R2 would refuse does here.
func (r *configReader) bucket(m member) string {
	name := r.optional(m)
	if r.fault == nil && m.node != nil && !bucketName.MatchString(name) {
		r.warnAt(m.node.at, fmt.Sprintf("The bucket name %q is not allowed in R2.", shorten(name)), "Use 3 to 63 of a–z, 0–9 and -, beginning and ending with a letter or digit.")
	}
	return name
}

func (r *configReader) queues(m member) {
	r.object(m.key, m.node, `{ "producers": [], "consumers": [] }`, []string{"producers", "consumers"}, func(m member) {
		if m.key == "producers" {
			r.entries(m, `{ "binding": "JOBS", "queue": "jobs" }`, []string{"binding", "queue", "delivery_delay", "remote"}, func(n *node, field func(string) member) {
				name := r.required(n, "binding", field("binding"), "This queue producer", `"JOBS"`)
				queue := r.required(n, "queue", field("queue"), "This queue producer", `"jobs"`)
				r.bind(n, trace.Binding{Name: name, Type: "queue", ID: queue, Period: r.optionalNumber(field("delivery_delay"), 0, 43_200)})
			})
			return
		}
		known := []string{"queue", "type", "max_batch_size", "max_batch_timeout", "max_retries", "dead_letter_queue", "max_concurrency", "retry_delay", "visibility_timeout_ms"}
		r.entries(m, `{ "queue": "jobs" }`, known, func(n *node, field func(string) member) {
			c := trace.Consumer{
				Queue:      r.required(n, "queue", field("queue"), "This queue consumer", `"jobs"`),
				BatchSize:  r.optionalNumber(field("max_batch_size"), 1, 100),
				BatchWait:  r.optionalNumber(field("max_batch_timeout"), 0, 60),
				RetryDelay: r.optionalNumber(field("retry_delay"), 0, 43_200),
				DeadLetter: r.optional(field("dead_letter_queue")),
				Retries:    3,
			}
			if m := field("max_retries"); m.node != nil {
				c.Retries = r.number(m, 0, 100)
			}
			if c.BatchSize == 0 {
				c.BatchSize = 10
			}
			if field("max_batch_timeout").node == nil {
				c.BatchWait = 5
			}
			r.c.consumers = append(r.c.consumers, c)
		})
	})
}

func (r *configReader) durables(m member) {
	r.object(m.key, m.node, `{ "bindings": [{ "name": "COUNTER", "class_name": "Counter" }] }`, []string{"bindings"}, func(m member) {
		r.entries(m, `{ "name": "COUNTER", "class_name": "Counter" }`, []string{"name", "class_name", "script_name", "environment"}, func(n *node, field func(string) member) {
			b := trace.Binding{
				Type:    "durable",
				Name:    r.required(n, "name", field("name"), "This Durable Object binding", `"COUNTER"`),
				Class:   r.required(n, "class_name", field("class_name"), "This Durable Object binding", `"Counter"`),
				Service: r.optional(field("script_name")),
			}
			r.bind(n, b)
			if b.Service == "" {
				r.class(b.Class, field("class_name").node)
			} else {
				r.c.serviceAt[b.Service] = field("script_name").node.at
				r.c.parts = append(r.c.parts, part{b.Service, b.Class, field("class_name").node.at, true})
			}
		})
	})
}

// class notes a Durable Object class that this Worker must export.
func (r *configReader) class(name string, n *node) {
	if r.fault == nil && !slices.Contains(r.c.durables, name) {
		r.c.durables = append(r.c.durables, name)
		r.c.classAt[name] = n.at
	}
}

func (r *configReader) migrations(m member) {
	known := []string{"tag", "new_classes", "new_sqlite_classes", "renamed_classes", "deleted_classes", "transferred_classes"}
	classes, plain := map[string]*node{}, map[string]bool{}
	r.entries(m, `{ "tag": "v1", "new_sqlite_classes": ["Counter"] }`, known, func(n *node, field func(string) member) {
		r.required(n, "tag", field("tag"), "This migration", `"v1"`)
		for _, key := range []string{"new_classes", "new_sqlite_classes"} {
			if m := field(key); m.node != nil {
				r.stringList(m, `["Counter"]`)
				for _, item := range m.node.items {
					if name, ok := item.value.(string); ok {
						classes[name] = item
						plain[name] = key == "new_classes"
					}
				}
			}
		}
		if m := field("renamed_classes"); m.node != nil {
			r.entries(m, `{ "from": "Old", "to": "New" }`, []string{"from", "to"}, func(n *node, field func(string) member) {
				from := r.required(n, "from", field("from"), "This renamed class", `"Old"`)
				delete(classes, from)
				if to := r.required(n, "to", field("to"), "This renamed class", `"New"`); to != "" {
					classes[to] = field("to").node
					plain[to] = plain[from]
				}
			})
		}
		if m := field("deleted_classes"); m.node != nil {
			for _, name := range r.stringList(m, `["Counter"]`) {
				delete(classes, name)
			}
		}
	})
	for _, name := range keys(classes) {
		r.class(name, classes[name])
		r.c.migrated[name] = true
		if plain[name] {
			r.c.plain = append(r.c.plain, name)
		}
	}
}

func (r *configReader) services(m member) {
	known := []string{"binding", "service", "entrypoint", "props", "environment", "remote", "cross_account_grant"}
	r.entries(m, `{ "binding": "AUTH", "service": "auth" }`, known, func(n *node, field func(string) member) {
		b := trace.Binding{
			Type:       "service",
			Name:       r.required(n, "binding", field("binding"), "This service binding", `"AUTH"`),
			Service:    r.required(n, "service", field("service"), "This service binding", `"auth"`),
			Entrypoint: r.optional(field("entrypoint")),
		}
		if p := field("props"); p.node != nil && r.want(p, kindObject, "{}") {
			text, err := json.Marshal(p.node.plain())
			if err != nil {
				r.fail(p.node.at, `"props" cannot be written as JSON.`, "")
			}
			b.Props = string(text)
		}
		r.bind(n, b)
		if r.fault == nil {
			r.c.serviceAt[b.Service] = field("service").node.at
			if b.Entrypoint != "" && b.Entrypoint != "default" {
				r.c.parts = append(r.c.parts, part{b.Service, b.Entrypoint, field("entrypoint").node.at, false})
			}
		}
	})
}

func (r *configReader) assets(m member) {
	o, name := &r.c.assetOptions, ""
	known := []string{"directory", "binding", "html_handling", "not_found_handling", "run_worker_first"}
	r.object(m.key, m.node, `{ "directory": "./public" }`, known, func(m member) {
		switch m.key {
		case "directory":
			r.c.assetsDir, r.c.assetsAt = path.Join(r.c.dir, r.str(m, `"./public"`)), m.node.at
		case "binding":
			name = r.str(m, `"ASSETS"`)
		case "html_handling":
			o.HTML = r.oneOf(m, "auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none")
		case "not_found_handling":
			o.NotFound = r.oneOf(m, "none", "404-page", "single-page-application")
		case "run_worker_first":
			if m.node.kind == kindBool {
				if r.boolean(m) {
					o.First = []string{"/*"}
				}
				return
			}
			o.First = r.stringList(m, `["/api/*"]`)
			for i, p := range o.First {
				if r.fault == nil && !strings.HasPrefix(strings.TrimPrefix(p, "!"), "/") {
					r.fail(m.node.items[i].at, fmt.Sprintf("The path %q must begin with / or !/.", shorten(p)), `Write "/api/*" or "!/api/docs/*".`)
				}
			}
		}
	})
	if r.fault == nil && r.c.assetsDir == "" {
		r.fail(m.node.at, `"assets" has no "directory".`, "Write "+r.example("directory", `"./public"`)+" in it.")
	}
	r.bind(m.node, trace.Binding{Name: name, Type: "assets"}) // its value is made with the files
}

func (r *configReader) route(n *node) {
	pattern, mark := "", ""
	if n.kind == kindString {
		pattern = n.value.(string)
	} else {
		known := []string{"pattern", "zone_id", "zone_name", "custom_domain", "enabled", "previews_enabled", "script"}
		r.object("route", n, `"example.com/*"`, known, func(m member) {
			switch m.key {
			case "pattern":
				pattern = r.str(m, `"example.com/*"`)
			case "custom_domain":
				if r.boolean(m) {
					mark = trace.RouteCustomDomain
				}
			case "script":
				if m.node.kind != kindNull {
					r.fail(m.node.at, `"script" of a route can only be null, which keeps Workers away from it.`, "Put the route into the wrangler file of the Worker it belongs to.")
				}
				mark = trace.RouteNone
			}
		})
		if r.fault == nil {
			r.need(n, "pattern", pattern, "This route", `"example.com/*"`)
		}
	}
	if r.fault != nil {
		return
	}
	if _, err := trace.ParseRoute(mark + pattern); err != nil {
		r.fail(n.at, fmt.Sprintf("The route %q %s.", shorten(pattern), err), `A route is a host and a path, such as "example.com/api/*" or "*.example.com/*".`)
		return
	}
	r.c.routes = append(r.c.routes, mark+pattern)
	r.c.routeAt = append(r.c.routeAt, n.at)
}

// plainRoute is a route as it was written, without its mark.
func plainRoute(route string) string {
	return strings.TrimPrefix(strings.TrimPrefix(route, trace.RouteNone), trace.RouteCustomDomain)
}

// routesOnce refuses a route that a file has twice, and warns of one that has
// both keys.
func (r *configReader) routesOnce(root *node) {
	c := r.c
	seen := map[string]bool{}
	for i, route := range c.routes {
		if seen[route] {
			r.fail(c.routeAt[i], fmt.Sprintf("The route %q stands here twice.", shorten(plainRoute(route))), "Remove one of them.")
			return
		}
		seen[route] = true
	}
	is := func(key string) int {
		return slices.IndexFunc(root.members, func(m member) bool { return m.key == key })
	}
	if one, many := is("route"), is("routes"); one >= 0 && many >= 0 {
		r.warnAt(root.members[max(one, many)].node.keyAt, `"route" and "routes" stand beside each other.`, `The real tool refuses that: put all of them into "routes".`)
	}
}

// cronMax is how many cron triggers a Worker may have: all are compared with every minute.
const cronMax = 250

func (r *configReader) cronList(m member) {
	for _, n := range r.list(m, `["0 * * * *"]`) {
		if r.fault == nil && len(r.c.crons) == cronMax {
			r.fail(n.at, fmt.Sprintf("A Worker can have %d cron triggers, and here are more.", cronMax), "Let one trigger do the work of several: its handler gets the time and the expression.")
			return
		}
		cron := r.str(member{m.key, n}, `"0 * * * *"`)
		if r.fault != nil {
			return
		}
		if err := checkCron(cron); err != nil {
			r.fail(n.at, fmt.Sprintf("The cron expression %q %s.", shorten(cron), err), `Write five fields: minute, hour, day, month, weekday; "*/15 * * * *" runs every 15 minutes.`)
			return
		}
		r.c.crons = append(r.c.crons, cron)
	}
}

func (r *configReader) rateLimits(m member) {
	r.entries(m, `{ "name": "LIMITER", "namespace_id": "1", "simple": { "limit": 10, "period": 60 } }`, []string{"name", "namespace_id", "simple", "type"}, func(n *node, field func(string) member) {
		b := trace.Binding{Type: "ratelimit", Name: r.required(n, "name", field("name"), "This rate limit", `"LIMITER"`)}
		id := field("namespace_id")
		if id.node != nil && id.node.kind == kindNumber {
			b.ID = fmt.Sprint(id.node.value)
		} else {
			b.ID = firstOf(r.optional(id), "local-"+b.Name)
		}
		simple := field("simple")
		if simple.node == nil {
			r.fail(n.at, `This rate limit has no "simple".`, "Write "+r.example("simple", `{ "limit": 10, "period": 60 }`)+" in it.")
			return
		}
		r.object("simple", simple.node, `{ "limit": 10, "period": 60 }`, []string{"limit", "period"}, func(m member) {
			if m.key == "limit" {
				b.Limit = r.number(m, 1, 1_000_000)
				return
			}
			b.Period = r.number(m, 10, 60)
			if r.fault == nil && b.Period != 10 && b.Period != 60 {
				r.fail(m.node.at, `"period" must be 10 or 60 seconds.`, "")
			}
		})
		if r.fault == nil && (b.Limit == 0 || b.Period == 0) {
			r.fail(simple.node.at, `"simple" needs "limit" and "period".`, "Write "+r.example("simple", `{ "limit": 10, "period": 60 }`)+".")
		}
		r.bind(n, b)
	})
}

func (r *configReader) analytics(m member) {
	r.entries(m, `{ "binding": "HITS", "dataset": "hits" }`, []string{"binding", "dataset"}, func(n *node, field func(string) member) {
		name := r.required(n, "binding", field("binding"), "This dataset", `"HITS"`)
		r.bind(n, trace.Binding{Name: name, Type: "analytics", ID: firstOf(r.optional(field("dataset")), name)})
	})
}

func (r *configReader) version(m member) {
	name := ""
	r.object(m.key, m.node, `{ "binding": "VERSION" }`, []string{"binding"}, func(m member) { name = r.str(m, `"VERSION"`) })
	if r.fault == nil {
		r.need(m.node, "binding", name, `"version_metadata"`, `"VERSION"`)
	}
	r.bind(m.node, trace.Binding{Name: name, Type: "version"})
}
