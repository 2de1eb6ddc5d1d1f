package webapi

import (
	"maps"
	"slices"

	"coldstart/sandbox/isolate"
)

func bundleOps(o *isolate.Ops) {
	// bundle.files: → list of path, text: the learner's files, which node:fs shows as /bundle
	o.Add("bundle.files", func(h *isolate.Loop, _ []isolate.Value) (isolate.Value, error) {
		sources := of(h).cfg.Worker.Sources
		out := []any{}
		for _, path := range slices.Sorted(maps.Keys(sources)) {
			out = append(out, path, sources[path])
		}
		return out, nil
	})
}
