package bundle

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on names. A path is short enough for every file system that an
// exported project may be unpacked on.
const (
	maxPath = 255 // bytes of a whole path
	maxDirs = 12  // folders deep
)

// CleanPath checks the path of a project's file and returns it unchanged, or
// an error whose text names the path and says what to do. A good path is
// relative, slash-separated, already clean, at most 255 bytes, printable, and
// means the same file on every system: no "..", no backslash, no drive, no device name.
func CleanPath(path string) (string, error) {
	refuse := func(why string) (string, error) {
		shown := path
		if len(shown) > 60 {
			shown = strings.ToValidUTF8(shown[:60], "") + "…"
		}
		return "", fmt.Errorf("file name %q %s", shown, why)
	}
	switch {
	case path == "":
		return "", errors.New("a file has no name; give it one, such as src/index.ts")
	case len(path) > maxPath:
		return refuse(fmt.Sprintf("is longer than %d bytes; choose a shorter one", maxPath))
	case !utf8.ValidString(path):
		return refuse("is not valid UTF-8; rename it")
	case strings.HasPrefix(path, "/"):
		return refuse("is absolute; name files relative to the project")
	case strings.Contains(path, `\`):
		return refuse("has a backslash; separate folders with /")
	}
	if i := strings.IndexFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		return refuse("has an invisible character; rename it")
	}
	if i := strings.IndexAny(path, `<>:"|?*`); i >= 0 {
		return refuse(fmt.Sprintf("has the character %q, which not every system allows; rename it", path[i]))
	}
	parts := strings.Split(path, "/")
	if len(parts) > maxDirs+1 {
		return refuse(fmt.Sprintf("is more than %d folders deep; move it up", maxDirs))
	}
	for _, part := range parts {
		switch {
		case part == "":
			return refuse("has an empty part between slashes; remove the extra /")
		case part == "." || part == "..":
			return refuse(fmt.Sprintf("has a %q part; name files relative to the project, without it", part))
		case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") || strings.HasPrefix(part, " "):
			return refuse("has a part that begins or ends with a space or ends with a dot; rename it")
		case isDevice(part):
			return refuse("is a device on some systems; rename it")
		}
	}
	return path, nil
}

// isDevice reports names that Windows gives to devices, with any suffix.
func isDevice(name string) bool {
	name, _, _ = strings.Cut(strings.ToUpper(name), ".")
	name = strings.TrimRight(name, " ")
	switch name {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	digit, ok := strings.CutPrefix(name, "COM")
	if !ok {
		digit, ok = strings.CutPrefix(name, "LPT")
	}
	if !ok {
		return false
	}
	return utf8.RuneCountInString(digit) == 1 && strings.Contains("0123456789¹²³", digit)
}

// CheckNames checks every path with CleanPath and that no two differ only in
// upper and lower case, nor one is a folder of another. The error names the first
// offender in sorted order.
func CheckNames[V any](files map[string]V) error {
	paths := make([]string, 0, len(files))
	for p := range files {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	folded := make(map[string]string, len(paths))
	for _, p := range paths {
		if _, err := CleanPath(p); err != nil {
			return err
		}
		key := foldCase(p)
		if other, ok := folded[key]; ok {
			return fmt.Errorf("files %q and %q differ only in upper and lower case; rename one", other, p)
		}
		folded[key] = p
	}
	for _, p := range paths {
		key := foldCase(p)
		for i := strings.IndexByte(key, '/'); i >= 0; {
			if other, ok := folded[key[:i]]; ok {
				return fmt.Errorf("%q is both a file and the folder of %q; rename one", other, p)
			}
			next := strings.IndexByte(key[i+1:], '/')
			if next < 0 {
				break
			}
			i += 1 + next
		}
	}
	return nil
}

// foldCase maps names that a case-insensitive file system takes for one to the
// same string.
func foldCase(s string) string {
	return strings.Map(func(r rune) rune {
		low := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			low = min(low, f)
		}
		return low
	}, s)
}
