// Package jsonline reads JSON and remembers the line of each value, so that
// a wrong number in somebody's settings file gets a sentence that says where
// it stands.
package jsonline
