// Package js owns the script halves of the web APIs: TypeScript, one file an API,
// bundled into the bootstrap that every engine evaluates before learner code. Their
// host halves are in sandbox/webapi. It refuses learner code: only the project's
// own sources and pinned npm packages are bundled here.
package js
