package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"coldstart/sandbox/trace"
)

func TestExportImport(t *testing.T) {
	p := files("src/index.ts", "import { Hono } from \"hono\";\nexport default new Hono();\n", "src/a/b.json", "{}")
	meta := ExportMeta{
		Name: "My First Worker!", Title: "My first Worker", Packages: []ShelfPackage{{Name: "hono", Version: "4.13.19"}, {Name: "zod", Version: "4.6.7"}},
		Workers: []trace.Worker{{Name: "w", Main: "src/index.ts", Bindings: []trace.Binding{{Name: "NOTES", Type: "kv"}, {Name: "A-B", Type: "text"}}}},
	}
	one, err := Export(p, meta)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Export(p, meta)
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("exporting twice gives different bytes: %v", err)
	}
	back, err := Import(one, trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range p.Files {
		if !bytes.Equal(back.Files[name], data) {
			t.Errorf("%s came back as %q", name, back.Files[name])
		}
	}
	for name, part := range map[string]string{
		"wrangler.jsonc":            `"main": "src/index.ts"`,
		"package.json":              `"hono": "^4.13.19"`,
		"worker-configuration.d.ts": "\"NOTES\": KVNamespace;\n",
		"tsconfig.json":             `"moduleResolution": "Bundler"`,
		"vitest.config.mts":         `configPath: "./wrangler.jsonc"`,
		"test/index.spec.ts":        "SELF.fetch",
		"test/tsconfig.json":        "vitest-plugin/types",
		"README.md":                 "# My first Worker\n",
		".gitignore":                "node_modules/",
		".prettierrc":               "printWidth",
		".editorconfig":             "root = true",
	} {
		if !strings.Contains(string(back.Files[name]), part) {
			t.Errorf("%s lacks %q:\n%s", name, part, back.Files[name])
		}
	}
	if strings.Contains(string(back.Files["package.json"]), "zod") || !strings.Contains(string(back.Files["package.json"]), `"name": "my-first-worker"`) {
		t.Errorf("package.json:\n%s", back.Files["package.json"])
	}
	d := build(t, shelfForTest(t), back)
	if d.Fault != nil || len(d.Warnings) > 0 {
		t.Errorf("the exported project does not build cleanly: %+v %+v", d.Fault, d.Warnings)
	}
}

func TestExportDialect(t *testing.T) {
	for name, source := range map[string]string{
		"gcf":     "exports.login = (req, res) => { res.send(\"User logged in\"); };",
		"azure":   "const { app } = require('@azure/functions'); app.get('a', async () => ({ body: 'x' }));",
		"lambda":  "exports.handler = async () => ({ statusCode: 200 });",
		"express": "import http from 'node:http'; http.createServer((q, s) => s.end()).listen(3000);",
	} {
		data, err := Export(files("index.js", source), ExportMeta{})
		if err != nil {
			t.Fatal(err)
		}
		back, err := Import(data, trace.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(back.Files["wrangler.jsonc"]), `"main": "adapter/`+name+`.ts"`) {
			t.Errorf("%s: %s", name, back.Files["wrangler.jsonc"])
		}
		for file, text := range back.Files {
			if strings.Contains(string(text), "coldstart:") {
				t.Errorf("%s: %s still names a module of ours", name, file)
			}
		}
		delete(back.Files, "wrangler.jsonc")
		back.Main = "adapter/" + name + ".ts"
		mustBuild(t, Config{}, back)
	}
}

func TestExportSeveralWorkers(t *testing.T) {
	data, err := Export(files("a/wrangler.jsonc", `{"name":"a"}`, "a/index.js", hello, "b/wrangler.toml", "name = 'b'", "b/index.js", hello), ExportMeta{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	back, err := Import(data, trace.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(back.Files["package.json"]), `"dev": "wrangler dev -c a/wrangler.jsonc -c b/wrangler.toml"`) {
		t.Errorf("%s", back.Files["package.json"])
	}
}

// entry is one file of a test archive.
type entry struct {
	name string
	data string
	mode fs.FileMode
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// repeated copies the one entry of an archive n times, as it is packed.
func repeated(t *testing.T, one []byte, n int) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(one), int64(len(one)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := range n {
		h := in.File[0].FileHeader
		h.Name = fmt.Sprintf("b%d.bin", i)
		raw, err := in.File[0].OpenRaw()
		if err != nil {
			t.Fatal(err)
		}
		w, err := z.CreateRaw(&h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// header is what the local header and the directory's entry of an empty file have alike: version to name length.
func header(b []byte, name string) []byte {
	b = append(b, 20, 0)
	b = append(b, make([]byte, 20)...) // flags, method, time, checksum, sizes
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(name))), 0, 0)
}

// directory ends an archive with the entries of its directory, count of them.
func directory(b []byte, entries []byte, count int) []byte {
	at := len(b)
	b = append(append(b, entries...), "PK\x05\x06\x00\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(count)) // truncated, as tools without zip64 do
	b = binary.LittleEndian.AppendUint16(b, uint16(count))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(entries)))
	b = binary.LittleEndian.AppendUint32(b, uint32(at))
	return append(b, 0, 0)
}

// emptyFiles is an archive of n empty files.
func emptyFiles(n int) []byte {
	b, entries := make([]byte, 0, 100*n), make([]byte, 0, 52*n)
	for i := range n {
		name := strconv.Itoa(1e6 + i)[1:]
		entries = append(append(entries, "PK\x01\x02\x14\x00"...), header(nil, name)...)
		entries = append(entries, make([]byte, 10)...) // comment, disk, attributes
		entries = append(binary.LittleEndian.AppendUint32(entries, uint32(len(b))), name...)
		b = append(header(append(b, "PK\x03\x04"...), name), name...)
	}
	return directory(b, entries, n)
}

// sameFile is an archive whose directory names its one file n times.
func sameFile(n int) []byte {
	b := append(header([]byte("PK\x03\x04"), "a"), 'a')
	one := append([]byte("PK\x01\x02\x14\x00"), header(nil, "a")...)
	one = append(one, make([]byte, 14)...) // comment, disk, attributes, offset
	one = append(one, 'a')
	return directory(b, bytes.Repeat(one, n), n)
}

func TestImportRefuses(t *testing.T) {
	many := make([]entry, 2001)
	for i := range many {
		many[i] = entry{name: fmt.Sprintf("f%d.txt", i)}
	}
	zeros := strings.Repeat("\x00", 10<<20)
	bomb := archive(t, entry{name: "b.bin", data: zeros})
	bombs := repeated(t, bomb, 1000)
	lying := archive(t, entry{name: "a.txt", data: strings.Repeat("ab", 1<<20)})
	// The directory says that the entry is 10 bytes long.
	at := bytes.LastIndex(lying, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(lying[at+24:], 10)
	overlap := archive(t, entry{name: "a.txt", data: "aaaa"}, entry{name: "b.txt", data: "aaaa"})
	second := bytes.LastIndex(overlap, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(overlap[second+42:], 0) // b.txt begins where a.txt does
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "this is not a zip archive, or it is damaged"},
		{"text", []byte("hello"), "this is not a zip archive, or it is damaged"},
		{"empty", archive(t), "the archive has no files"},
		{"large", make([]byte, 5<<20), "the archive is 5 MiB; the limit is 4 MiB"},
		{"many entries", archive(t, many...), "the archive has 2001 entries; the limit is 2000"},
		{"a million empty files", emptyFiles(1e6), "the archive is 83 MiB; the limit is 4 MiB"},
		{"as many empty files as fit", emptyFiles(4 << 20 / 94), "the archive has 44620 entries; the limit is 2000"},
		{"a directory of one file, many times", sameFile(4 << 20 / 48), "the archive has 87381 entries; the limit is 2000"},
		{"many files", archive(t, many[:65]...), "the archive has 65 files; the limit is 64"},
		{"climbing", archive(t, entry{name: "../escape-canary.js"}), `entry "../escape-canary.js" leads outside the archive`},
		{"climbing inside", archive(t, entry{name: "a/../../b.js"}), `entry "a/../../b.js" leads outside the archive`},
		{"absolute", archive(t, entry{name: "/etc/passwd"}), `entry "/etc/passwd" leads outside the archive`},
		{"backslash", archive(t, entry{name: `..\a.js`}), `entry "..\\a.js" has a backslash; pack the folder with another tool`},
		{"link", archive(t, entry{name: "a.js", data: "/etc/passwd", mode: fs.ModeSymlink | 0o777}), `entry "a.js" is a link or a device; only files can be imported`},
		{"nested by name", archive(t, entry{name: "a.zip"}), `entry "a.zip" is an archive itself; unpack it first`},
		{"nested by content", archive(t, entry{name: "a.bin", data: "PK\x03\x04"}), `entry "a.bin" is an archive itself; unpack it first`},
		{"bomb", archive(t, entry{name: "a.bin", data: zeros}), `the files of the archive are larger together than a project may be`},
		{"a thousand bombs", bombs, fmt.Sprintf("the archive is %s; the limit is 4 MiB", bytesText(int64(len(bombs))))},
		{"as many bombs as may be files", repeated(t, bomb, 64), `the files of the archive are larger together than a project may be`},
		{"ratio", archive(t, entry{name: "a.bin", data: zeros[:900<<10]}), `entry "a.bin" unpacks to more than 200 times its size`},
		{"lying size", lying, `entry "a.txt" is damaged`},
		{"overlap", overlap, `entries of the archive overlap`},
		{"twice", archive(t, entry{name: "a.js"}, entry{name: "a.js"}), `the archive has "a.js" twice`},
		{"case", archive(t, entry{name: "a.js"}, entry{name: "A.js"}), `files "A.js" and "a.js" differ only in upper and lower case; rename one`},
		{"device", archive(t, entry{name: "con.js"}), `file name "con.js" is a device on some systems; rename it`},
		{"deep", archive(t, entry{name: "y/" + strings.Repeat("x/", 13) + "a.js"}, entry{name: "z.js"}), `file name "y/x/x/x/x/x/x/x/x/x/x/x/x/x/a.js" is more than 12 folders deep; move it up`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Import(test.data, trace.Limits{})
			runtime.ReadMemStats(&after)
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
				t.Errorf("%d kB were allocated", grown>>10)
			}
		})
	}
}

func TestImportSkips(t *testing.T) {
	data := archive(t,
		entry{name: "my-app/", mode: fs.ModeDir | 0o755}, entry{name: "my-app/src/index.js", data: hello},
		entry{name: "my-app/node_modules/a/index.js"}, entry{name: "my-app/package-lock.json"}, entry{name: "my-app/.git/HEAD"})
	p, err := Import(data, trace.Limits{})
	if err != nil || len(p.Files) != 1 || string(p.Files["src/index.js"]) != hello {
		t.Errorf("got %v, %v", keys(p.Files), err)
	}
}

func FuzzImport(f *testing.F) {
	f.Add(archive(f, entry{name: "a/b.js", data: "x"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Import(data, trace.Limits{})
		if err == nil {
			if err := CheckNames(p.Files); err != nil {
				t.Error(err)
			}
		}
	})
}
