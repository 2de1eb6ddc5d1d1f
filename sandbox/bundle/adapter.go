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
	"@google-cloud/functions-framework": "functions",
	"firebase-functions":                "firebase",
	"firebase-functions/v1":             "firebase",
	"firebase-functions/v2":             "firebase",
	"firebase-functions/https":          "firebase",
	"firebase-functions/v2/https":       "firebase",
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
	source := withoutComments(string(b.project.Files[entry]))
	has := func(word string, pattern *regexp.Regexp) bool { // the word is quick to look for
		return strings.Contains(source, word) && pattern.MatchString(source)
	}
	switch {
	case has("default", defaultPattern):
		return "", nil
	case has("@azure/functions", azurePattern):
		return "azure", nil
	case has("handler", handlerPattern):
		return "lambda", nil
	case has("functions", googlePattern):
		return "gcf", nil
	case has("listen", listenPattern) && frameworkImport.MatchString(source):
		return "express", nil
	case has("exports", exportsPattern) && !strings.Contains(source, "fetch"):
		return "gcf", nil
	}
	return "", nil
}

// withoutComments blanks comments out. It knows strings but not regular
// expressions, which is enough to look for an import or an export.
func withoutComments(source string) string {
	out := []byte(source)
	for i := 0; i < len(out); i++ {
		switch c := out[i]; {
		case c == '"' || c == '\'':
			for i++; i < len(out) && out[i] != c && out[i] != '\n'; i++ {
				if out[i] == '\\' {
					i++
				}
			}
		case c == '/' && i+1 < len(out) && out[i+1] == '/':
			for ; i < len(out) && out[i] != '\n'; i++ {
				out[i] = ' '
			}
		case c == '/' && i+1 < len(out) && out[i+1] == '*':
			end := strings.Index(source[i+2:], "*/")
			if end < 0 {
				return string(out)
			}
			for end += i + 4; i < end; i++ {
				if out[i] != '\n' {
					out[i] = ' '
				}
			}
			i--
		}
	}
	return string(out)
}
