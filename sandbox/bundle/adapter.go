package bundle

import (
	"embed"
	"regexp"
	"strings"

	"coldstart/sandbox/trace"
)

// Adapters let files written for other clouds answer fetch. They are plain
// TypeScript that learners may open.
//
//go:embed adapters/*.ts
var adapters embed.FS

// dialectNames are the values of "dialect" in a wrangler file, our one addition to it.
var dialectNames = []string{"worker", "express", "lambda", "gcf", "azure"}

// adapterModules are packages of other clouds that resolve to an adapter's half.
var adapterModules = map[string]string{
	"@azure/functions":                  "azure-functions",
	"@google-cloud/functions-framework": "gcf-framework",
	"firebase-functions":                "firebase",
	"firebase-functions/v1":             "firebase",
	"firebase-functions/v2":             "firebase",
	"firebase-functions/https":          "firebase",
	"firebase-functions/v2/https":       "firebase",
	"firebase-functions/logger":         "firebase-logger",
}

// AdapterSource is the text of the adapter for a dialect (express, lambda, gcf,
// azure), for readers. An unknown dialect gives "".
func AdapterSource(dialect string) string {
	data, err := adapters.ReadFile("adapters/" + dialect + ".ts")
	if err != nil {
		return ""
	}
	return string(data)
}

func (b *builder) adapterSource(name string) string { return AdapterSource(name) }

var (
	commentPattern  = regexp.MustCompile(`(?s)/\*.*?\*/|(?m)(^|[\s;{}(,])//[^\n]*`)
	defaultPattern  = regexp.MustCompile(`\bexport\s+default\b|\bexport\s*\{[^}]*\bdefault\b`)
	azurePattern    = regexp.MustCompile(`["']@azure/functions["']`)
	googlePattern   = regexp.MustCompile(`["'](@google-cloud/functions-framework|firebase-functions(/[a-z0-9/]+)?)["']`)
	handlerPattern  = regexp.MustCompile(`\bexports\.handler\s*=|\bexport\s+(const|let|var|(async\s+)?function)\s+handler\b|\bexport\s*\{[^}]*\bhandler\b`)
	exportsPattern  = regexp.MustCompile(`\bexports\.[A-Za-z_$][\w$]*\s*=|\bmodule\.exports\s*=\s*(async\s*)?(\(|function\b)`)
	listenPattern   = regexp.MustCompile(`\.listen\s*\(`)
	frameworkImport = regexp.MustCompile(`["'](express|node:http|http)["']`)
)

// chooseDialect says which adapter an entry file needs, "" for a Worker.
func (b *builder) chooseDialect(c *config, entry string) (string, *trace.Fault) {
	if c.dialect == "worker" {
		return "", nil
	}
	if c.dialect != "" {
		return c.dialect, nil
	}
	source := commentPattern.ReplaceAllString(string(b.project.Files[entry]), "$1")
	switch {
	case defaultPattern.MatchString(source):
		return "", nil
	case azurePattern.MatchString(source):
		return "azure", nil
	case handlerPattern.MatchString(source):
		return "lambda", nil
	case googlePattern.MatchString(source):
		return "gcf", nil
	case listenPattern.MatchString(source) && frameworkImport.MatchString(source):
		return "express", nil
	case exportsPattern.MatchString(source) && !strings.Contains(source, "fetch"):
		return "gcf", nil
	}
	return "", nil
}
