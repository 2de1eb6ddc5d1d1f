package bundle

import (
	"context"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"coldstart/sandbox/trace"
)

// Lower turns one ES module into a classic script for goja: an instructor's
// checks.js, or a built Worker. Async generators, for await, using and modules
// are rewritten. The module's namespace is the completion value of the script, and
// imports become require() calls, which the host answers or not. name is the file in messages and in
// the source map, which is version 3 and holds the source.
//
// Like Build it belongs in a build child.
func Lower(ctx context.Context, name, source string) (code string, sourceMap []byte, fault *trace.Fault) {
	b := &builder{ctx: ctx, project: trace.Project{Files: map[string][]byte{name: []byte(source)}}}
	syn := syntaxOf(name)
	if f := scanScript(source, syn); f != nil {
		r := &resolver{b: b}
		r.refuse(name, source, f)
		return "", nil, r.fault()
	}
	loader, ok := scriptLoaders[extOf(name)]
	if !ok {
		loader = api.LoaderJS
	}
	type outcome struct{ r api.TransformResult }
	done := make(chan outcome, 1)
	go func() { done <- outcome{api.Transform(source, lowerOptions(name, loader))} }()
	var r api.TransformResult
	select {
	case o := <-done:
		r = o.r
	case <-ctx.Done():
		return "", nil, &trace.Fault{Kind: trace.FaultLimit, Message: name + " took too long to read and was stopped.", Hint: "Split long or deeply nested expressions."}
	}
	if len(r.Errors) > 0 {
		return "", nil, b.esbuildFault(r.Errors)
	}
	return string(r.Code), r.Map, nil
}

// lowered is the variable that holds the namespace.
const lowered = "__coldstart_module"

func lowerOptions(name string, loader api.Loader) api.TransformOptions {
	return api.TransformOptions{
		Sourcefile: name,
		Loader:     loader,
		Format:     api.FormatIIFE,
		GlobalName: lowered,
		Footer:     lowered + ";",
		Platform:   api.PlatformNeutral,
		Target:     api.ES2022,
		Supported: map[string]bool{
			"async-generator": false, "for-await": false, "dynamic-import": false, "using": false,
			"regexp-unicode-property-escapes": false, "regexp-set-notation": false, "top-level-await": true,
			"regexp-match-indices": true, "class-field": false, "class-static-field": false, // goja reads no field named get, set or async
		},
		Charset:        api.CharsetUTF8,
		LegalComments:  api.LegalCommentsNone,
		Sourcemap:      api.SourceMapExternal,
		SourcesContent: api.SourcesContentInclude,
		TsconfigRaw:    "{}",
		LogLevel:       api.LogLevelSilent,
		LogLimit:       20,
	}
}

func extOf(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}
