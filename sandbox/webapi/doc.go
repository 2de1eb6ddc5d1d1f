// Package webapi is the Workers platform inside one isolate: the host halves of
// the web APIs (one file each) and Worker, which loads a learner's module and
// drives its handlers. The script halves are in sandbox/js. It asks the outside
// only through Backend and answers only through Sink.
package webapi
