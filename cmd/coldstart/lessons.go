package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"coldstart/lessons"
)

// What an archive of lessons may hold. Somebody else may have packed it.
const (
	lessonsArchive = 64 << 20  // bytes of the file
	lessonsBytes   = 256 << 20 // bytes of everything in it
	lessonsEntries = 20_000
)

// lessonFiles are the embedded lessons, those of a folder such as a checkout
// from Git, or those of a zip archive.
func lessonFiles(from string) (fs.FS, error) {
	if from == "" {
		return lessons.Shipped(), nil
	}
	i, err := os.Stat(from)
	switch {
	case err == nil && i.IsDir():
		root, err := os.OpenRoot(from)
		if err != nil {
			return nil, err
		}
		return root.FS(), nil
	case err == nil && strings.EqualFold(path.Ext(from), ".zip"):
		if i.Size() > lessonsArchive {
			return nil, fmt.Errorf("%s has more than %d MiB", from, lessonsArchive>>20)
		}
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		files, err := zippedLessons(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
		return files, nil
	}
	return nil, fmt.Errorf("%s is neither a folder nor a zip", from)
}

// zippedLessons are the lessons of an archive, wherever in it they are: an
// archive of a repository has a folder around everything.
func zippedLessons(data []byte) (fs.FS, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, errors.New("this is not a zip archive, or it is damaged")
	}
	if len(z.File) > lessonsEntries {
		return nil, fmt.Errorf("it has %d entries; the limit is %d", len(z.File), lessonsEntries)
	}
	var size uint64
	at := ""
	for _, f := range z.File {
		if !fs.ValidPath(strings.TrimSuffix(f.Name, "/")) {
			return nil, fmt.Errorf("the entry %q leads out of it", f.Name)
		}
		if size += f.UncompressedSize64; size > lessonsBytes || f.UncompressedSize64 > lessonsBytes {
			return nil, fmt.Errorf("it holds more than %d MiB", lessonsBytes>>20)
		}
		if path.Base(f.Name) != "track.md" {
			continue
		}
		dir := path.Dir(path.Dir(f.Name)) // of 01-track/track.md
		if at != "" && at != dir {
			return nil, fmt.Errorf("it has lessons in two folders, %s and %s", at, dir)
		}
		at = dir
	}
	if at == "" {
		return nil, errors.New("it has no lessons: it needs folders such as 01-track/track.md")
	}
	return fs.Sub(z, at)
}
