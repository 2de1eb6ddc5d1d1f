package bundle

import (
	"encoding/json"
	"fmt"
	"strings"

	"coldstart/sandbox/trace"
)

// assetsOnlyCode is the Worker of a project that only has static assets.
const assetsOnlyCode = "export default { fetch: () => new Response(\"Not Found\", { status: 404 }) };\n"

// assetsOnly reports a configuration with assets and no script of its own.
func (c *config) assetsOnly(b *builder) bool {
	if c.assetsDir == "" {
		return false
	}
	for _, name := range b.scripts(c.dir) {
		if !strings.HasPrefix(name, c.assetsDir+"/") {
			return false
		}
	}
	return true
}

// assets collects a Worker's static files, by their path in the URL, and the
// rules by which they are served.
func (b *builder) assets(c *config, w *trace.Worker) *trace.Fault {
	if c.assetsDir == "" {
		return nil
	}
	files := map[string][]byte{}
	for name, data := range b.project.Files {
		rest := name
		if c.assetsDir != "." {
			var ok bool
			if rest, ok = strings.CutPrefix(name, c.assetsDir+"/"); !ok {
				continue
			}
		}
		files["/"+rest] = data
	}
	left := ignored(string(files["/.assetsignore"]))
	o := c.assetOptions
	rules := &assetRules{b: b, dir: c.assetsDir, o: &o}
	rules.redirects(string(files["/_redirects"]))
	rules.headers(string(files["/_headers"]))
	for name := range files {
		if left.match(name) {
			delete(files, name)
		}
	}
	if len(files) == 0 {
		return b.configFault(c.file, c.assetsAt, fmt.Sprintf("The assets folder %s has no files.", c.assetsDir), "Put files there, or change \"directory\".")
	}
	w.Assets = files
	text, err := json.Marshal(o)
	if err != nil {
		panic(err) // plain data always encodes
	}
	for i := range w.Bindings {
		if w.Bindings[i].Type == "assets" {
			w.Bindings[i].Value = string(text)
		}
	}
	return nil
}
