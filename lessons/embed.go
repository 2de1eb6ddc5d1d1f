package lessons

import (
	"embed"
	"io/fs"
)

//go:embed all:content
var content embed.FS

// Shipped is the folder of lessons that comes with the binary.
func Shipped() fs.FS {
	sub, err := fs.Sub(content, "content")
	if err != nil {
		panic(err) // the folder is named in the line that embeds it
	}
	return sub
}
