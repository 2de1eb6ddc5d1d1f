package classroom

import (
	"encoding/json"
	"fmt"
	"path"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"coldstart/sandbox/trace"
)

// Files are a project's files by path. As JSON, text is a string under "text"
// and anything that is not UTF-8 is base64 under "base64".
type Files map[string][]byte

type filesJSON struct {
	Text   map[string]string `json:"text"`
	Base64 map[string][]byte `json:"base64,omitempty"`
}

// MarshalJSON writes files in the form described at Files, keys sorted.
func (f Files) MarshalJSON() ([]byte, error) {
	out := filesJSON{Text: make(map[string]string, len(f))}
	for name, data := range f {
		if utf8.Valid(data) {
			out.Text[name] = string(data)
			continue
		}
		if out.Base64 == nil {
			out.Base64 = map[string][]byte{}
		}
		out.Base64[name] = data
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads the form described at Files. A path under both keys is an error.
func (f *Files) UnmarshalJSON(data []byte) error {
	var in filesJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*f = make(Files, len(in.Text)+len(in.Base64))
	for name, text := range in.Text {
		(*f)[name] = []byte(text)
	}
	for name, data := range in.Base64 {
		if _, twice := in.Text[name]; twice {
			return fmt.Errorf("file %q is given as text and as base64; give it once", name)
		}
		(*f)[name] = data
	}
	return nil
}

// Equal reports whether both hold the same paths and bytes.
func (f Files) Equal(g Files) bool {
	if len(f) != len(g) {
		return false
	}
	for name, data := range f {
		if other, ok := g[name]; !ok || string(other) != string(data) {
			return false
		}
	}
	return true
}

// Names lists the paths in order.
func (f Files) Names() []string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// A FilesError says which file may not be stored, and why, in one sentence for
// the learner.
type FilesError struct {
	File   string
	Reason string
	Size   bool // too many or too large, rather than misnamed
}

func (e *FilesError) Error() string { return e.Reason }

// Check reports the first reason why these files may not be stored: a name
// that some machine could not keep, or more than the limits allow.
func (f Files) Check(l trace.Limits) error {
	if len(f) == 0 {
		return &FilesError{Reason: "The project has no files. Keep at least one."}
	}
	if len(f) > l.Files {
		return &FilesError{Size: true, Reason: fmt.Sprintf("The project has %d files; %d are allowed. Delete some.", len(f), l.Files)}
	}
	var total int64
	largest, folded := "", make(map[string]string, len(f))
	for _, name := range f.Names() {
		if why := CheckPath(name); why != "" {
			return &FilesError{File: name, Reason: fmt.Sprintf("The file name %q cannot be used: %s.", shorten(name), why)}
		}
		fold := strings.ToLower(name)
		if other, ok := folded[fold]; ok {
			return &FilesError{File: name, Reason: fmt.Sprintf("The file names %q and %q differ only in upper and lower case. Rename one.", shorten(other), shorten(name))}
		}
		folded[fold] = name
		total += int64(len(f[name]))
		if largest == "" || len(f[name]) > len(f[largest]) {
			largest = name
		}
	}
	for _, name := range f.Names() {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if other, ok := folded[strings.ToLower(dir)]; ok {
				return &FilesError{File: other, Reason: fmt.Sprintf("%q is a file, so %q cannot be inside it. Rename one.", shorten(other), shorten(name))}
			}
		}
	}
	if total > l.Source {
		return &FilesError{
			File: largest, Size: true,
			Reason: fmt.Sprintf("The files hold %d kB together; %d kB are allowed. The largest is %q with %d kB.", total>>10, l.Source>>10, shorten(largest), len(f[largest])>>10),
		}
	}
	return nil
}

// devices are names that Windows gives to devices, whatever their ending.
var devices = strings.Fields("con prn aux nul conin$ conout$ com0 com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt0 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9")

// CheckPath says why a project path cannot be used, or "" when it can: it
// must be relative, clean, slash-separated, at most 255 bytes, and a name that
// every system a learner may unpack the project on can keep.
func CheckPath(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case len(name) > 255:
		return "it is longer than 255 bytes"
	case !utf8.ValidString(name):
		return "it is not UTF-8"
	case strings.Contains(name, `\`):
		return `folders are separated by "/", not "\"`
	case strings.HasPrefix(name, "/"):
		return `it starts with "/"; names are relative to the project`
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>:"|?*`, r) {
			return fmt.Sprintf("it holds the character %q", r)
		}
	}
	for _, part := range strings.Split(name, "/") {
		switch {
		case part == "":
			return "a part between slashes is empty"
		case part == "." || part == "..":
			return fmt.Sprintf("%q may not be a part of it", part)
		case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") || strings.HasPrefix(part, " "):
			return "a part starts or ends with a space, or ends with a dot"
		}
		stem, _, _ := strings.Cut(strings.ToLower(part), ".")
		for _, d := range devices {
			if strings.TrimRight(stem, " ") == d {
				return fmt.Sprintf("%q is the name of a device on some systems", part)
			}
		}
	}
	return ""
}

func shorten(name string) string {
	if len(name) <= 60 {
		return name
	}
	return strings.ToValidUTF8(name[:57], "") + "…"
}
