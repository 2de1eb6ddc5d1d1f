// Package isolate defines what a JavaScript engine must do to hold learner code
// (Engine, Isolate) and the event loop that owns one isolate (Loop). The
// engines are in quickjs and gojajs; the web APIs are in webapi. Nothing here
// knows of HTTP, Workers or processes.
package isolate
