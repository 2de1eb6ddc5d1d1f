//go:build race

package runner

import (
	"bytes"
	"time"
)

// instrumented is how much more time a build may take: more than 1 under the race
// detector, whose bookkeeping is measured too and is no part of the product.
const instrumented = 3

// heard looks at what a child says on its standard error. Nobody else is told of
// a race in a child, and the word is lost with it; so the parent ends with it.
func heard(said []byte, all *tail) {
	if bytes.Contains(said, []byte("WARNING: DATA RACE")) {
		time.AfterFunc(time.Second, func() { panic("a race in a child process:\n" + all.String()) }) // the rest of the report follows
	}
}
