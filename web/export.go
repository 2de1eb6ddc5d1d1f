package web

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"sort"
	"strings"

	"coldstart/web/classroom"
	"coldstart/web/live"
)

// projectExport gives a project as a zip that the real tools take as it is.
func (s *Site) projectExport(c *call) error {
	id, err := c.project()
	if err != nil {
		return err
	}
	p, err := s.config.Store.Project(c.r.Context(), c.session.workspace.ID, id, 0)
	if err != nil {
		return err
	}
	files, err := exported(p)
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, name := range files.Names() {
		w, err := z.CreateHeader(&zip.FileHeader{Name: p.ID + "/" + name, Method: zip.Deflate, Modified: p.Saved})
		if err == nil {
			_, err = w.Write(files[name])
		}
		if err != nil {
			return fmt.Errorf("pack %q: %w", name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("pack project: %w", err)
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+p.ID+`.zip"`)
	return c.send(http.StatusOK, "application/zip", buf.Bytes())
}

// exported is a project with what the tools expect beside its own files. What
// the learner wrote is never replaced.
func exported(p classroom.Project) (classroom.Files, error) {
	out := make(classroom.Files, len(p.Files)+6)
	for name, data := range p.Files {
		out[name] = data
	}
	add := func(name, text string) {
		if _, own := out[name]; !own {
			out[name] = []byte(text)
		}
	}
	hasConfig, typed := false, false
	for name := range p.Files {
		hasConfig = hasConfig || live.IsWrangler(name)
		typed = typed || strings.HasSuffix(name, ".ts") || strings.HasSuffix(name, ".tsx")
	}
	if !hasConfig {
		config, err := live.Wrangler(p)
		if err != nil {
			return nil, err
		}
		add("wrangler.jsonc", string(config)+"\n")
	}
	pkg, err := packageJSON(p.ID)
	if err != nil {
		return nil, err
	}
	add("package.json", pkg)
	add("README.md", readme(p))
	add(".gitignore", "node_modules/\n.wrangler/\n.dev.vars*\n.env*\n!.env.example\n*.log\n")
	add(".editorconfig", "root = true\n\n[*]\nindent_style = tab\nend_of_line = lf\ncharset = utf-8\ntrim_trailing_whitespace = true\ninsert_final_newline = true\n\n[*.yml]\nindent_style = space\n")
	add(".prettierrc", "{\n\t\"printWidth\": 140,\n\t\"singleQuote\": true,\n\t\"semi\": true,\n\t\"useTabs\": true\n}\n")
	if typed {
		add("tsconfig.json", tsconfig)
	}
	return out, nil
}

func packageJSON(name string) (string, error) {
	data, err := json.MarshalIndent(struct {
		Name    string            `json:"name"`
		Version string            `json:"version"`
		Private bool              `json:"private"`
		Type    string            `json:"type"`
		Scripts map[string]string `json:"scripts"`
		Dev     map[string]string `json:"devDependencies"`
	}{
		name, "0.0.0", true, "module",
		map[string]string{"deploy": "wrangler deploy", "dev": "wrangler dev", "start": "wrangler dev", "cf-typegen": "wrangler types"},
		map[string]string{"wrangler": "^4.0.0", "typescript": "^5.5.2"},
	}, "", "\t")
	return string(data) + "\n", err
}

const tsconfig = `{
	"compilerOptions": {
		"target": "es2024",
		"lib": ["es2024"],
		"module": "es2022",
		"moduleResolution": "Bundler",
		"types": ["./worker-configuration.d.ts"],
		"resolveJsonModule": true,
		"allowJs": true,
		"noEmit": true,
		"isolatedModules": true,
		"strict": true,
		"skipLibCheck": true
	},
	"include": ["worker-configuration.d.ts", "src/**/*.ts"]
}
`

func readme(p classroom.Project) string {
	var files []string
	for _, name := range p.Files.Names() {
		if path.Ext(name) != "" {
			files = append(files, "- `"+name+"`")
		}
	}
	sort.Strings(files)
	title := p.Title
	if title == "" {
		title = p.ID
	}
	return fmt.Sprintf(`# %s

Written in Coldstart. Your files:

%s

Run it on your machine, then put it online:

    npm install
    npm run dev
    npm run deploy
`, strings.ReplaceAll(title, "\n", " "), strings.Join(files, "\n"))
}
