// Package gojajs runs isolates on goja, a JavaScript interpreter in Go: for
// instructors' checks, and as the second engine of the isolate labs. It has no
// modules, no snapshot and no memory ceiling, and native built-ins do not
// yield to an interrupt; only the runner process around it contains them.
package gojajs
