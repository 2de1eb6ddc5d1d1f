// Package bundle turns a learner's project into Workers: limits and names
// first, then the wrangler file, then esbuild with a virtual file system, then
// plain messages with the learner's own file, line and column. It also packs
// the shelf of npm packages, adapts other clouds' handlers, and exports and
// imports projects as zip files.
//
// Everything here that meets learner input runs in a build child only: esbuild
// can be made to exhaust its stack, which no recover catches. The scan in front
// of it refuses what is known to do that. The package reads no disk, opens no
// network and starts no process.
package bundle
