package bundle

import (
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

// assets collects a Worker's static files, by their path in the URL.
func (b *builder) assets(c *config) (map[string][]byte, *trace.Fault) {
	if c.assetsDir == "" {
		return nil, nil
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
		if rest == ".assetsignore" || strings.HasPrefix(rest, ".") {
			continue
		}
		files["/"+rest] = data
	}
	if len(files) == 0 {
		return nil, b.configFault(c.file, c.assetsAt, fmt.Sprintf("The assets folder %s has no files.", c.assetsDir), "Put files there, or change \"directory\".")
	}
	return files, nil
}
