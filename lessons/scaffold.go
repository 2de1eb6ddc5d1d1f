package lessons

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// NewTrack makes a track folder in root and returns its path in root. name is
// words in small letters, "event-sourcing"; a number that puts it last is
// added unless name begins with one.
func NewTrack(root, name string) (string, error) {
	dir, err := numbered(os.DirFS(root), ".", name)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("---\ntitle: %s\nsummary: One sentence that says what a learner can do afterwards.\n---\n", title(slug(dir)))
	return dir, write(root, map[string]string{path.Join(dir, "track.md"): text})
}

// NewLesson makes a lesson that passes lint in root and returns its folder's
// path in root. name is "track/lesson" or, when there is at most one track or
// root itself is a track, "lesson"; where there is no track yet, one is made.
func NewLesson(root, name string) (string, error) {
	fsys := os.DirFS(root)
	track, lesson := ".", name
	if t, l, ok := strings.Cut(name, "/"); ok {
		found, err := existing(fsys, t)
		if err != nil {
			return "", err
		}
		track, lesson = found, l
	} else if _, err := fs.Stat(fsys, "track.md"); err != nil {
		ts := trackFolders(fsys)
		switch len(ts) {
		case 0:
			if slug(lesson) == "" {
				break // numbered says why
			}
			made, err := NewTrack(root, "first-track")
			if err != nil {
				return "", err
			}
			track = made
		case 1:
			track = ts[0]
		default:
			return "", fmt.Errorf("which track? write one of %s before the name: `coldstart new lesson %s/%s`", strings.Join(ts, ", "), slug(ts[0]), name)
		}
	}
	dir, err := numbered(fsys, track, lesson)
	if err != nil {
		return "", err
	}
	id := slug(path.Base(dir))
	files := map[string]string{}
	for p, text := range lessonTemplate {
		files[path.Join(dir, p)] = strings.NewReplacer("{{id}}", id, "{{title}}", title(id)).Replace(text)
	}
	return dir, write(root, files)
}

func trackFolders(fsys fs.FS) []string {
	ms, _ := fs.Glob(fsys, "*/track.md")
	for i := range ms {
		ms[i] = path.Dir(ms[i])
	}
	return ms
}

// existing finds a track's folder by its name with or without number.
func existing(fsys fs.FS, name string) (string, error) {
	for _, t := range trackFolders(fsys) {
		if t == name || slug(t) == name {
			return t, nil
		}
	}
	return "", fmt.Errorf("there is no track %q here; make it with `coldstart new track %s`", name, name)
}

// numbered is the path of a new folder in dir: the name with a number that
// sorts it last, unless it brings its own.
func numbered(fsys fs.FS, dir, name string) (string, error) {
	if slug(name) == "" {
		return "", fmt.Errorf("%q is not a folder name; use small letters, digits and hyphens, such as first-worker", name)
	}
	es, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return "", fmt.Errorf("cannot read the lessons folder: %s", reason(err))
	}
	last := 0
	for _, e := range es {
		if !e.IsDir() || strings.HasPrefix(e.Name(), "_") {
			continue
		}
		if slug(e.Name()) == slug(name) {
			return "", fmt.Errorf("%s is already there", path.Join(dir, e.Name()))
		}
		last = max(last, leading(e.Name()))
	}
	if name[0] < '0' || name[0] > '9' {
		name = fmt.Sprintf("%02d-%s", (last/10+1)*10, name)
	}
	return path.Join(dir, name), nil
}

// title makes a first title from a slug: "First worker".
func title(slug string) string {
	s := strings.ReplaceAll(slug, "-", " ")
	return strings.ToUpper(s[:1]) + s[1:]
}

func write(root string, files map[string]string) error {
	for name, text := range files {
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// lessonTemplate is a new lesson: small, whole, and passing lint.
var lessonTemplate = map[string]string{
	"lesson.md": `---
id: {{id}}
title: {{title}}
summary: One sentence that says what a learner can do afterwards.
minutes: 8
open: src/index.ts
request: { method: POST, path: /hello, body: '{"name":"Ada"}' }
---
Begin with one sentence that a learner wants to know more about.

:::predict
What does this Worker answer to the request on the right?
- [x] Hello, world
- [ ] Hello, Ada
:::

## 1. Greet by name

Read the name from the request's JSON body and greet it: ` + "`Hello, Ada`" + `.

:::hint
The name is in the body. What reads a body as JSON?
:::

:::hint
` + "`await request.json()`" + ` gives you an object.
:::

:::hint
` + "``return new Response(`Hello, ${name}`);``" + `
:::

## Look closer

Say what is worth a second look once the task is done.

> [!HONEST]
> Say what this lesson simplifies.

:::quiz
Why is there an ` + "`await`" + ` before ` + "`request.json()`" + `?
- [x] The body may still be on its way
- [ ] JSON is slow to parse
  > Parsing takes microseconds. Waiting for the network is what takes time.
:::
`,
	"_files/src/index.ts": `export default {
  async fetch(request: Request): Promise<Response> {
    return new Response("Hello, world");
  },
};
`,
	"_solution/src/index.ts": `export default {
  async fetch(request: Request): Promise<Response> {
    const { name } = (await request.json()) as { name: string };
    return new Response(` + "`Hello, ${name}`" + `);
  },
};
`,
	"checks.js": `test("1: greets by name", async ({ send, expect }) => {
  const r = await send("POST /hello", { json: { name: "Ada" } });
  expect(await r.text(), "Greet the name from the body").toBe("Hello, Ada");
  const other = await send("POST /hello", { json: { name: "Grace" } });
  expect(await other.text(), "The name changes with the request; do not write it into the code").toBe("Hello, Grace");
});
`,
}
