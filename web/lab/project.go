package lab

import (
	"embed"
	"io/fs"
	"strings"

	"coldstart/sandbox/trace"
)

// The projects that labs bring along, by folder.
//
//go:embed projects
var projects embed.FS

// shipped is a project of this package.
func shipped(name string) trace.Project {
	p := trace.Project{Files: map[string][]byte{}}
	root := "projects/" + name
	err := fs.WalkDir(projects, root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := projects.ReadFile(path)
		p.Files[strings.TrimPrefix(path, root+"/")] = data
		return err
	})
	if err != nil {
		panic(err) // it is in the binary
	}
	return p
}
