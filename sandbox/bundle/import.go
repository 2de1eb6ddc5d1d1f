package bundle

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"coldstart/sandbox/trace"
)

// Bounds of an uploaded archive, beside the project's own limits.
const (
	maxArchive = 4 << 20 // bytes of the archive itself
	maxEntries = 2000    // entries, those that are skipped included
	maxRatio   = 200     // unpacked to packed, of one entry above ratioFloor
	ratioFloor = 64 << 10
)

// directoryEntry begins the description of each entry in an archive's directory.
const directoryEntry = "PK\x01\x02"

// Import unpacks a zip archive into a project. It reads only what the limits
// allow, by the bytes that really come out and not by what the archive says, and refuses links, absolute
// and climbing names, nested archives, overlapping entries and encryption. Installed
// packages, lock files and version control are skipped; a single folder around
// everything is removed. The error is one sentence for the person who uploaded it.
// The archive is not kept.
func Import(archive []byte, limits trace.Limits) (trace.Project, error) {
	limits = withLimits(limits)
	files, _, err := unpackAll(archive, limits.Files, limits.Source, "the files of the archive are larger together than a project may be")
	return trace.Project{Files: files}, err
}

// Unpack unpacks any zip archive as Import does: at most files files that hold
// at most size bytes together. Folder is the single folder that was around
// everything, "" for none.
func Unpack(archive []byte, files int, size int64) (out map[string][]byte, folder string, err error) {
	return unpackAll(archive, files, size, fmt.Sprintf("the files of the archive hold more than %s together", bytesText(size)))
}

func unpackAll(archive []byte, most int, left int64, large string) (files map[string][]byte, folder string, err error) {
	if len(archive) > maxArchive {
		return nil, "", fmt.Errorf("the archive is %s; the limit is %s", overText(int64(len(archive))), bytesText(maxArchive))
	}
	// Counted before they are read: an empty one takes 50 bytes there and many times that here.
	if n := bytes.Count(archive, []byte(directoryEntry)); n > maxEntries {
		return nil, "", fmt.Errorf("the archive has %d entries; the limit is %d", n, maxEntries)
	}
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, "", errors.New("this is not a zip archive, or it is damaged")
	}
	entries, err := wanted(z.File)
	if err != nil {
		return nil, "", err
	}
	if len(entries) == 0 {
		return nil, "", errors.New("the archive has no files")
	}
	if len(entries) > most {
		return nil, "", fmt.Errorf("the archive has %d files; the limit is %d", len(entries), most)
	}
	if err := apart(entries); err != nil {
		return nil, "", err
	}
	files, folder = map[string][]byte{}, commonFolder(entries)
	for _, f := range entries {
		name := strings.TrimPrefix(f.Name, folder)
		if _, err := CleanPath(name); err != nil {
			return nil, "", err
		}
		if _, ok := files[name]; ok {
			return nil, "", fmt.Errorf("the archive has %q twice", name)
		}
		data, err := unpack(f, left, large)
		if err != nil {
			return nil, "", err
		}
		left -= int64(len(data))
		files[name] = data
	}
	return files, strings.TrimSuffix(folder, "/"), CheckNames(files)
}

// Folders and files that are made again by tools, or are the system's own.
var (
	skippedDirs  = set("node_modules .git .wrangler __MACOSX .vscode .idea .svn .hg")
	skippedFiles = set(".DS_Store Thumbs.db desktop.ini package-lock.json pnpm-lock.yaml yarn.lock bun.lock bun.lockb")
)

// wanted checks what each entry is and leaves out what is not of the project.
func wanted(all []*zip.File) ([]*zip.File, error) {
	var entries []*zip.File
	for _, f := range all {
		shown := shorten(strings.ToValidUTF8(f.Name, "?"))
		switch {
		case strings.Contains(f.Name, `\`):
			return nil, fmt.Errorf("entry %q has a backslash; pack the folder with another tool", shown)
		case strings.HasPrefix(f.Name, "/"), slices.Contains(strings.Split(f.Name, "/"), ".."):
			return nil, fmt.Errorf("entry %q leads outside the archive", shown)
		}
		if strings.HasSuffix(f.Name, "/") || f.Mode().IsDir() {
			continue
		}
		if !f.Mode().IsRegular() {
			return nil, fmt.Errorf("entry %q is a link or a device; only files can be imported", shown)
		}
		if f.Flags&1 != 0 {
			return nil, fmt.Errorf("entry %q is encrypted", shown)
		}
		if f.Method != zip.Store && f.Method != zip.Deflate {
			return nil, fmt.Errorf("entry %q is packed in a way that is not supported", shown)
		}
		dirs := strings.Split(path.Dir(f.Name), "/")
		if slices.ContainsFunc(dirs, func(d string) bool { return skippedDirs[d] }) || skippedFiles[path.Base(f.Name)] {
			continue
		}
		if slices.Contains(archiveSuffixes, strings.ToLower(path.Ext(f.Name))) {
			return nil, fmt.Errorf("entry %q is an archive itself; unpack it first", shown)
		}
		entries = append(entries, f)
	}
	return entries, nil
}

var archiveSuffixes = []string{".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".br", ".jar", ".lz", ".lzma", ".cab", ".ar"}

// archiveMagic begins files of the common formats.
var archiveMagic = []string{"PK\x03\x04", "PK\x05\x06", "\x1f\x8b", "BZh", "\xfd7zXZ\x00", "7z\xbc\xaf\x27\x1c", "Rar!\x1a\x07", "\x28\xb5\x2f\xfd"}

// apart refuses entries that share bytes of the archive, which is how a small
// archive unpacks to a huge one.
func apart(entries []*zip.File) error {
	type span struct{ from, to int64 }
	spans := make([]span, 0, len(entries))
	for _, f := range entries {
		from, err := f.DataOffset()
		if err != nil {
			return errors.New("this is not a zip archive, or it is damaged")
		}
		if f.CompressedSize64 > maxArchive {
			return errors.New("the archive says of an entry that it is larger than the archive")
		}
		spans = append(spans, span{from, from + int64(f.CompressedSize64)})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to || spans[i].from == spans[i-1].from {
			return errors.New("entries of the archive overlap")
		}
	}
	return nil
}

// commonFolder is the folder that holds every entry, with its slash, or "".
func commonFolder(entries []*zip.File) string {
	dir, _, ok := strings.Cut(entries[0].Name, "/")
	if !ok {
		return ""
	}
	dir += "/"
	for _, f := range entries {
		if !strings.HasPrefix(f.Name, dir) {
			return ""
		}
		// "src" alone is a project, not a folder around one.
		if dir == "src/" {
			return ""
		}
	}
	return dir
}

// unpack reads one entry, at most left bytes; large is the complaint beyond.
func unpack(f *zip.File, left int64, large string) ([]byte, error) {
	shown := shorten(strings.ToValidUTF8(f.Name, "?"))
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("entry %q cannot be unpacked", shown)
	}
	limit := left
	if most := max(int64(f.CompressedSize64)*maxRatio, ratioFloor); most < limit {
		limit = most
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	closeErr := r.Close()
	if int64(len(data)) > limit {
		if limit < left {
			return nil, fmt.Errorf("entry %q unpacks to more than %d times its size", shown, maxRatio)
		}
		return nil, errors.New(large)
	}
	if err != nil || closeErr != nil {
		return nil, fmt.Errorf("entry %q is damaged", shown)
	}
	for _, magic := range archiveMagic {
		if bytes.HasPrefix(data, []byte(magic)) {
			return nil, fmt.Errorf("entry %q is an archive itself; unpack it first", shown)
		}
	}
	return data, nil
}
